"""Reading a translator's catalogue, `<tag>.po`: what it says, and what of it cannot be shown.

Loads Babel, so only whoever needs a catalogue imports it (`web/translations.py`).
"""

import re
from collections import Counter
from collections.abc import Iterator
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

from babel.core import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from synapse_nextgen_auth.records import frozen

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
# A tag, or a bracket without the other one: a page would have its next tag within that.
_MARKUP = re.compile(r"<[^<>]*>|[<>]")
_COUNTED = (*range(201), 1_000, 1_000_000)


@frozen
class Catalogue:
    """What a language says; `faults` names each message that is left out, and why."""

    dir: str
    translations: GNUTranslations
    faults: tuple[str, ...]


def read(path: Path) -> Catalogue:
    """Read a catalogue; raises whatever is wrong with the file as a whole."""
    locale = Locale.parse(path.stem, sep="-")
    catalog = parse(path)
    faults = tuple(_drop(catalog))
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    translations = GNUTranslations(compiled)
    _count(translations, catalog.num_plurals)
    return Catalogue(locale.text_direction, translations, faults)


def _count(translations: GNUTranslations, forms: int) -> None:
    """Raise where a number has no form: the rule is the file's own."""
    for number in _COUNTED:
        try:
            form = translations.plural(number)  # type: ignore[attr-defined]  # what the rule became
        except ArithmeticError as error:
            raise ValueError(f"Plural-Forms cannot be counted for {number}: {error}") from None
        if not 0 <= form < forms:
            raise ValueError(f"Plural-Forms has {forms} forms, and gives {number} the form {form}")


def parse(path: Path) -> Catalog:
    """Read the messages as they stand in the file, whatever is wrong with one of them."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem.replace("-", "_"), abort_invalid=True)


def _drop(catalog: Catalog) -> Iterator[str]:
    """Take out what cannot be shown, and say why; what is not whole is left to another catalogue."""
    for message in list(catalog):
        fault = fault_of(message) if message.id else None
        if message.id and (fault is not None or not all(_all(message.string))):
            catalog.delete(message.id, message.context)
        if fault is not None:
            yield f"{fault} ({_all(message.id)[0]!r})"


def fault_of(message: Message) -> str | None:
    """Say why a translation cannot stand for its message; what is not translated has no fault.

    It may hold what the English has and nothing else: placeholders, and markup.
    """
    if message.fuzzy or not any(_all(message.string)):
        return None
    singular, plural = _all(message.id)[0], _all(message.id)[-1]
    # A form for one, or for two, may leave the number out.
    may_lack = {"num"} if message.pluralizable else set()
    for text in _all(message.string):
        wanted = _placeholders(plural)
        if "%" in _PLACEHOLDER.sub("", text.replace("%%", "")):
            return "there is a lone percent sign"
        if set(wanted ^ _placeholders(text)) - may_lack:
            return "the placeholders are not those of the English text"
        if _markup(text) not in (_markup(singular), _markup(plural)):
            return "the markup is not that of the English text"
    return None


def _all(texts: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts or ("",))


def _placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text.replace("%%", "")))


def _markup(text: str) -> Counter[str]:
    return Counter(_MARKUP.findall(text))
