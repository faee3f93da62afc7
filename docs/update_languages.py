"""Bring the catalogues of translations up to date with the templates, or begin a new one.

    python docs/update_languages.py          every catalogue that is there
    python docs/update_languages.py pt-BR    begin Brazilian Portuguese

What was translated stays. `docs/development/translating.md` says what comes then.
"""  # noqa: INP001 - a script beside the pages, not a package

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.core import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po

from synapse_nextgen_auth.web.catalogues import parse

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
# Its first line is what people find the language by: its name in itself.
HEADER = """\
# {native}
# The pages in {name}; docs/development/translating.md says how to change this file."""


def extracted(directory: Path = TEMPLATES) -> Catalog:
    """Return every message of the templates, in the order of their files."""
    catalog = Catalog()
    for path in sorted(directory.rglob("*.html")):
        name = path.relative_to(directory).as_posix()
        for line, message, comments, context in _messages(path):
            catalog.add(message, None, [(name, line)], (), comments, context=context)
    return catalog


def _messages(path: Path) -> Iterator[tuple[int, Any, list[str], str | None]]:
    options = {"trimmed": "true", "silent": "false"}
    comments = ["TRANSLATORS:"]
    with path.open("rb") as file:
        for line, message, found, context in extract(
            "jinja2.ext:babel_extract", file, KEYWORDS, comments, options, strip_comment_tags=True
        ):
            yield line, message, [" ".join(comment.split()) for comment in found], context


def begun(tag: str) -> Catalog:
    """Return the empty catalogue of a language."""
    return Catalog(locale=tag.replace("-", "_"), header_comment="#")


def native_name(locale: Locale) -> str:
    """Return what a language calls itself, as it stands in a list; its file may say it otherwise."""
    name = locale.get_display_name(locale) or str(locale)
    return name[0].upper() + name[1:]


def updated(catalog: Catalog, template: Catalog) -> bytes:
    """Return the file of a catalogue once it has these messages and no others."""
    # Neither dates nor names: who wrote what and when is in the history of the file.
    catalog.update(template, update_header_comment=False)
    catalog.obsolete.clear()
    locale = Locale.parse(str(catalog.locale))
    first, *others = catalog.header_comment.splitlines()
    catalog.header_comment = HEADER.format(
        native=first.lstrip("# ") if others else native_name(locale), name=locale.english_name
    )
    catalog.fuzzy = False
    file = BytesIO()
    write_po(file, catalog, width=100, include_lineno=False)
    lines = file.getvalue().decode("utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not _is_of_a_tool(line)).encode("utf-8")


def _is_of_a_tool(line: str) -> bool:
    names = (
        "Project-Id",
        "Report-Msgid",
        "POT-",
        "PO-Revision",
        "Last-",
        "Language-Team",
        "Generated",
    )
    return line.startswith(tuple(f'"{name}' for name in names))


def checked(tag: str) -> str:
    """Return a language tag that a file can be named by; raise `SystemExit` if it is none."""
    name = _canonical(tag)
    if name is None:
        sys.exit(f"{tag}: no language that Babel knows. Write its tag, such as de or pt-BR.")
    if name != tag:
        sys.exit(f"{tag}: the tag of that language is written {name}.")
    return tag


def _canonical(tag: str) -> str | None:
    """Return a tag as pages and files have it; what is added for a language alone is left out."""
    for adds in (False, True):
        try:
            found = Locale.parse(tag.replace("_", "-"), sep="-", resolve_likely_subtags=adds)
        except (TypeError, ValueError, UnknownLocaleError):
            continue
        is_alone = adds and not set("-_") & set(tag)
        return found.language if is_alone else str(found).replace("_", "-")
    return None


def main(tags: list[str], directory: Path = TEMPLATES / "languages") -> None:
    """Update all catalogues, or begin those of these languages; print those that are others now."""
    template = extracted()
    for tag in map(checked, tags):
        if tag == "en":
            sys.exit("en: English is what the templates say. Change it there.")
        path = directory / f"{tag}.po"
        if not path.exists():
            path.write_bytes(updated(begun(tag), template))
            print(f"{path} is new")
    for path in sorted(directory.glob("*.po")):
        before, now = path.read_bytes(), updated(parse(path), template)
        if now != before:
            path.write_bytes(now)
            print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
