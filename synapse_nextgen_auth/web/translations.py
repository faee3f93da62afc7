"""Which languages our pages are written in, and what a template's words are in one of them (gettext).

English is the text of the templates. Every other language is one file, `languages/<tag>.po`, which is
read when somebody first wants it: a process that shows no page reads none, and loads no Babel. What one
of a region leaves out, `de-AT.po`, is in `de.po`.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from gettext import NullTranslations
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import attrs
from jinja2 import Environment, Template
from jinja2.environment import TemplateModule
from jinja2.runtime import Context
from markupsafe import Markup, escape

from synapse_nextgen_auth import late
from synapse_nextgen_auth.oauth.languages import lookup

if TYPE_CHECKING:
    from synapse_nextgen_auth.web import digits
else:
    digits = late.file("web.digits")

logger = logging.getLogger(__name__)

ENGLISH = "en"
UTC = "UTC"


@attrs.frozen(eq=False)
class Language:
    """One language that pages can be in; `tag` is a BCP 47 tag, `dir` as HTML wants it.

    `name` is what the language calls itself.
    """

    tag: str
    dir: str
    catalogue: NullTranslations
    name: str

    @property
    def locale(self) -> str:
        """The name that the CLDR gives it."""
        return self.tag.replace("-", "_")


_ENGLISH = Language(ENGLISH, "ltr", NullTranslations(), "English")

# Rendering is synchronous, so what is read within one call of it is of that call.
_present: ContextVar[Language] = ContextVar("language", default=_ENGLISH)
_time_zone: ContextVar[str] = ContextVar("time_zone", default=UTC)
# A mail is written as plain text, too: nothing is escaped there.
_is_plain: ContextVar[bool] = ContextVar("is_plain", default=False)
_modules: ContextVar[dict[Template, TemplateModule]] = ContextVar("modules")


def present() -> Language:
    """Return the language of the page that is just being rendered."""
    return _present.get()


def present_time_zone() -> str:
    """Return the zone in which times of that page are told."""
    return _time_zone.get()


def cldr() -> ModuleType:
    """Return what the CLDR knows, not before somebody needs it: Babel takes time and memory."""
    return import_module("synapse_nextgen_auth.web.cldr")


class Languages:
    """The languages of a directory of catalogues, each kept once it was read."""

    def __init__(self, directory: Path) -> None:
        self._paths = {path.stem: path for path in sorted(directory.glob("*.po"))}
        self._read: dict[str, Language] = {ENGLISH: _ENGLISH}
        self.tags = tuple(sorted({ENGLISH, *self._paths}))

    @cached_property
    def names(self) -> dict[str, str]:
        """What each of `tags` calls itself: the first line of its catalogue, `# Deutsch`."""
        return {tag: _ENGLISH.name if tag == ENGLISH else self._name(tag) for tag in self.tags}

    def _name(self, tag: str) -> str:
        try:
            with self._paths[tag].open(encoding="utf-8") as file:
                first = file.readline()
        except (OSError, UnicodeDecodeError):
            return tag  # whoever chooses it gets English, and the log says why
        return first.lstrip("#").strip() if first.startswith("# ") else tag

    def get(self, tag: str) -> Language:
        """Return a language; one whose catalogue is broken, or gone since it was chosen, is English."""
        if tag not in self._read and tag in self._paths:
            self._read[tag] = self._load(tag)
        return self._read.get(tag, _ENGLISH)

    def _load(self, tag: str) -> Language:
        path = self._paths[tag]
        try:
            found = import_module("synapse_nextgen_auth.web.catalogues").read(path)
        except Exception:
            # A translator's slip, or a file that is gone: nobody's page fails for that.
            logger.exception("Could not read %s, so its readers get English", path)
            return _ENGLISH
        for fault in found.faults:
            logger.warning("In %s %s: that is shown in English", path, fault)
        below = self._below(tag)
        if below is not None:
            found.translations.add_fallback(self.get(below).catalogue)
        return Language(tag, found.dir, found.translations, self.names[tag])

    def _below(self, tag: str) -> str | None:
        """Return which language its readers would get without it: it says what this one does not.

        Nobody reads a page in two scripts.
        """
        found = self._instead_of(tag)
        if found is None or _script(tag) not in {"", _script(found)}:
            return None
        is_longer = len(found) > len(tag)
        return None if is_longer and self._instead_of(found) == tag else found

    def _instead_of(self, tag: str) -> str | None:
        return lookup((each for each in self._paths if each != tag), [tag])


def _script(tag: str) -> str:
    return next((each for each in tag.split("-")[1:] if len(each) == 4), "")


@contextmanager
def speaking(language: Language, time_zone: str = UTC, *, plain: bool = False) -> Iterator[None]:
    """Let every word that is rendered within be of this language; `plain` where it is no HTML."""
    token, plainly, zone = _present.set(language), _is_plain.set(plain), _time_zone.set(time_zone)
    modules = _modules.set({})
    try:
        yield
    finally:
        _modules.reset(modules)
        _present.reset(token)
        _is_plain.reset(plainly)
        _time_zone.reset(zone)


class Afresh(Template):
    """What others import: made once for each page, and not once for all of them as Jinja has it.

    So a sentence, a time or a name that it sets at its top is in the language of that page.
    """

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:  # noqa: ARG002 (Jinja's)
        made = _modules.get()
        if self not in made:
            made[self] = self.make_module()
        return made[self]


def install(environment: Environment) -> None:
    """Let templates say `{% trans %}`, `_("…")`, and `N_("…")` for what is translated later."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension's
    environment.globals.update(
        gettext=_gettext,
        ngettext=_ngettext,
        pgettext=_pgettext,
        npgettext=_npgettext,
        _=_gettext,
        N_=_later,
    )


def _gettext(message: str, /, **values: Any) -> str:
    return _filled(_present.get().catalogue.gettext(message), values)


def _ngettext(singular: str, plural: str, num: int, /, **values: Any) -> str:
    text = _present.get().catalogue.ngettext(singular, plural, num)
    return _filled(text, {"num": num, **values})


def _pgettext(context: str, message: str, /, **values: Any) -> str:
    return _filled(_present.get().catalogue.pgettext(context, message), values)


def _npgettext(context: str, singular: str, plural: str, num: int, /, **values: Any) -> str:
    text = _present.get().catalogue.npgettext(context, singular, plural, num)
    return _filled(text, {"num": num, **values})


def _later(message: str) -> str:
    return message


def _filled(text: str, values: dict[str, Any]) -> str:
    """Put values into a text, escaped; the text itself is trusted as a template is (C198, C199).

    What a translator wrote was compared with the English text when it was read: it asks for nothing
    that is not there.
    """
    if _is_plain.get():
        return text % {name: _written(value) for name, value in values.items()}
    if '"' in text or "'" in text:
        text = _QUOTES.sub(_quote, text)
    if "%" not in text:
        return Markup(text)  # noqa: S704 (a template's own words, or their translation)
    return Markup(text % {name: escape(_written(value)) for name, value in values.items()})  # noqa: S704


# What stands in a tag stays as it is.
_QUOTES = re.compile(r"""(<[^<>]*>)|["']""")


def _quote(found: re.Match[str]) -> str:
    """Write a quotation mark so that it ends no attribute, wherever a template puts the sentence."""
    return found[1] or f"&#{ord(found[0])};"


def _written(value: Any) -> Any:
    """Write a number as the language does; below a thousand nothing but its digits can differ."""
    if not isinstance(value, int):
        return value
    if abs(value) >= 1000:
        return cldr().number(value, present().locale)
    return digits.written(str(value), present().locale)
