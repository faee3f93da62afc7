"""Write docs/reference/templates.md, and the list of names that the operator's templates count on.

Run it after every change of a template or of the record of a page: `python docs/generate_templates.py`.
A test fails while they are out of date, another one where a name went and the changelog is silent.
"""  # noqa: INP001 - a script beside the pages, not a package

import enum
import inspect
import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
from jinja2 import nodes

from synapse_nextgen_auth.accounts.mail.letters import MAILS
from synapse_nextgen_auth.web.own_templates import syntax
from synapse_nextgen_auth.web.pages.records import PAGES
from synapse_nextgen_auth.web.templates import (
    EXTRA_STYLE,
    STATIC_FILES,
    TOGETHER,
    Templates,
    shipped,
)

PAGE = Path(__file__).parent / "reference" / "templates.md"
NAMES = Path(syntax.__file__).with_name("names.json")

# What every template knows, by its name.
EVERYWHERE = {
    "lang": "the language of the page, as in `de` or `pt-BR`",
    "dir": "`ltr` or `rtl`, as HTML wants it",
    "language_name": "the name of that language, in itself",
    "minutes_left": "how many minutes somebody has for the page, or none: `base.html` says so",
    "language_url": "where people choose another language",
    "static": '`static("style.css")` is the address of a static file, ours or yours',
    "has_extra_style": f"whether there is an `{EXTRA_STYLE}` of yours",
    "brand": "the [branding](../setup/branding.md), or none: see `templates/components/brand.html`",
    "known_as": "`known_as(server_name)` is what the service is called, in the language of the page",
    "_": '`_("Sign in")` is a sentence of ours in the language of the page',
    "N_": "marks a sentence of ours that is shown elsewhere",
    "gettext": "the same as `_`",
    "ngettext": "the same for a number, with `%(num)s`: one sentence for one, another for more",
    "pgettext": "the same as `_`, with a context before it",
    "npgettext": "the same as `ngettext`, with a context before it",
    "range": "Jinja's",
    "dict": "Jinja's",
    "lipsum": "Jinja's",
    "cycler": "Jinja's",
    "joiner": "Jinja's",
    "namespace": "Jinja's",
}
FILTERS = {
    "ago": "seconds as how long ago something was",
    "iso": "a time, in seconds since 1970, as the attribute `datetime` wants it",
    "moment": "such a time as people read it",
    "parts": "a long Matrix ID or address with places where a line may end",
    "wait": "seconds as how long something takes",
}
IN_MAILS = {"kit": "the parts of a mail", "server_name": "text", "lang": "text"}

_COMMENTED = re.compile(r"\{#\s*((?:(?!#\}).)*?)\s*#\}\s*\{% (?:macro|set) (\w+)", re.DOTALL)
_VARIABLE = re.compile(r"^\s*(--[a-z0-9-]+):", re.MULTILINE)
# What a value of this name is, on every page that has it.
ABOUT = {
    "accounts_url": "where people choose another account, relative",
    "action": "where the form goes, relative",
    "asked_at": "when it was asked, in seconds since 1970",
    "back_url": "where people come from, relative",
    "can_cancel": "whether there is something to cancel",
    "client": "the application that it is about",
    "csrf": "what ties a form to this browser: `csrf_field(csrf)` puts it there",
    "devices_url": "where the devices of the account are, relative",
    "display_name": "what others see of the account",
    "done": "what was done just now, to be said once",
    "forward_url": "where people go on",
    "line": "the one thing that the page is about",
    "loss": "that somebody says the second factors of the account are lost",
    "minutes": "for how long it is good",
    "problem": "what is wrong with the form as it was sent",
    "retry_after": "for how many seconds to wait, after too many tries",
    "sections": "the navigation of the account",
    "server_name": "the name of the Matrix server",
    "sign_in_url": "where people sign in, relative",
    "step": "which step of how many this is",
    "user_id": "the Matrix ID of the account",
}
_INTRODUCTION = """\
# Templates

<!-- Written by docs/generate_templates.py from the templates and the records of pages: edit those. -->

What [templates of yours](../topics/templates.md) can count on.
A name here stays and means the same; where one goes or changes, the [changelog](../../CHANGELOG.md) \
says so, and `synapse-nextgen-auth templates check` finds where you use it.
New ones come with any release.

"""


class Found:
    """Collects the records and lists of words that values are made of."""

    def __init__(self) -> None:
        self.records: dict[str, type] = {}
        self.words: dict[str, type[enum.Enum]] = {}

    def words_for(self, annotation: Any) -> str:
        """Say of which type something is."""
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin in {types.UnionType, typing.Union}:
            return " or ".join(
                "none" if each is type(None) else self.words_for(each) for each in arguments
            )
        if origin in {tuple, list, frozenset, set}:
            items = [each for each in arguments if each is not ...]
            if origin is tuple and ... not in arguments:
                return f"({', '.join(map(self.words_for, items))})"
            return f"list of {self.words_for(items[0])}"
        if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
            return f"mapping from {self.words_for(arguments[0])} to {self.words_for(arguments[1])}"
        plain = {str: "text", int: "number", float: "number", bool: "true or false", bytes: "bytes"}
        if annotation in plain:
            return plain[annotation]
        if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
            return self._named(self.words, annotation)
        if isinstance(annotation, type) and attrs.has(annotation):
            return self._named(self.records, annotation)
        return str(getattr(annotation, "__name__", annotation))

    def _named(self, known: dict[str, Any], found: type) -> str:
        name = found.__name__
        if known.setdefault(name, found) is not found:
            name = f"{found.__module__.split('.')[-2].capitalize()}{name}"
            if known.setdefault(name, found) is not found:
                raise ValueError(f"two records are called {name}")
        return name

    def values_of(self, record: type) -> dict[str, str]:
        """Return the fields of a record, and what it works out of them, each with its type."""
        attrs.resolve_types(record)
        return {each.name: self.words_for(each.type) for each in attrs.fields(record)}

    def with_properties(self, record: type) -> dict[str, str]:
        """Return the same with the properties, which templates may ask for."""
        found = self.values_of(record)
        for name, member in inspect.getmembers(record, lambda each: isinstance(each, property)):
            if not name.startswith("_"):
                hints = typing.get_type_hints(member.fget)
                found[name] = self.words_for(hints.get("return", str))
        return found


def names() -> dict[str, Any]:
    """Return all there is, as `names.json` has it."""
    found = Found()
    templates = dict(sorted(_templates(found)))
    records: dict[str, dict[str, str]] = {}
    while len(records) < len(found.records):  # each may lead to more
        for name, record in list(found.records.items()):
            records[name] = found.with_properties(record)
    return {
        "everywhere": {**EVERYWHERE, **{f"|{name}": about for name, about in FILTERS.items()}},
        "templates": templates,
        "records": dict(sorted(records.items())),
        "words": {
            name: [str(each.value) for each in words] for name, words in sorted(found.words.items())
        },
        "static": sorted({*STATIC_FILES, *TOGETHER}),
        "style": variables(),
    }


def variables() -> list[str]:
    """Return the variables of the style sheet."""
    sheet = (shipped() / "static/style.css").read_text(encoding="utf-8")
    return list(dict.fromkeys(_VARIABLE.findall(sheet.partition("}")[0])))


def _templates(found: Found) -> Iterator[tuple[str, dict[str, Any]]]:
    environment = Templates("/").reader()
    directory = shipped()
    values: dict[str, dict[str, str]] = {}
    for record in PAGES:
        values.setdefault(record.template, {}).update(found.values_of(record))
    for kind, mail in MAILS.items():
        values[f"emails/{kind}.html"] = {**IN_MAILS, **found.values_of(mail)}
    for name in ("asked", "foot"):
        together = [each for path, each in values.items() if path.startswith("emails/")]
        values[f"emails/{name}.html"] = {
            key: text for each in together for key, text in each.items()
        }
    for path in sorted([*directory.rglob("*.html"), *directory.rglob("*.txt")]):
        name = path.relative_to(directory).as_posix()
        tree = environment.parse(path.read_text(encoding="utf-8"), name)
        each: dict[str, Any] = {}
        extends = tree.find(nodes.Extends)
        if extends is not None:
            each["extends"] = extends.template.value
        if name in values:
            each["values"] = values[name]
        blocks = [block.name for block in tree.find_all(nodes.Block)]
        if blocks:
            each["blocks"] = blocks
        macros = _offered(tree)
        if macros and name.startswith(("components/", "emails/kit")):
            each["macros"] = macros
        yield name, each


def _offered(tree: nodes.Template) -> dict[str, list[str]]:
    macros = {
        each.name: syntax.arguments(each) for each in tree.body if isinstance(each, nodes.Macro)
    }
    imported = {
        name[1] if isinstance(name, tuple) else name
        for each in tree.body
        if isinstance(each, nodes.FromImport)
        for name in each.names
    }
    return {
        name: macros.get(name, [])
        for name in syntax.exported(tree)
        if name in macros or name not in imported
    }


def page() -> str:
    """Return the whole page."""
    known = names()
    abouts = {record.template: inspect.cleandoc(record.__doc__ or "") for record in PAGES}
    abouts |= {
        f"emails/{kind}.html": inspect.cleandoc(mail.__doc__ or "") for kind, mail in MAILS.items()
    }
    found = Found()
    for record in PAGES:
        found.values_of(record)
    for mail in MAILS.values():
        found.values_of(mail)
    for _ in range(9):
        for record in list(found.records.values()):
            found.with_properties(record)
    parts = [_INTRODUCTION, "## Everywhere\n\n| Name | What it is |\n|---|---|\n"]
    parts += [
        f"| `{name}` | {about} |\n" for name, about in EVERYWHERE.items() if about != "Jinja's"
    ]
    parts += [f"| `…\\|{name}` | {about} |\n" for name, about in FILTERS.items()]
    for title, prefix in (
        ("Frames", ""),
        ("Components", "components/"),
        ("Pages", "pages/"),
        ("Mails", "emails/"),
    ):
        parts.append(f"\n## {title}\n\n")
        for name, each in known["templates"].items():
            if name.startswith(prefix) and (prefix or "/" not in name):
                parts.append(_section(name, each, abouts.get(name, "")))
    parts.append(
        "## Records\n\nWhat lists are made of, and what stands for something with parts.\n\n"
    )
    for name, values in known["records"].items():
        about = inspect.cleandoc(found.records[name].__doc__ or "")
        parts.append(f"### {name}\n\n{_prose(about)}\n\n{_table(values)}\n")
    parts.append("## Words\n\nWhat such a value can be: a template asks for its `value`.\n\n")
    parts += ["| Type | Its values |\n|---|---|\n"]
    parts += [
        f"| {name} | {', '.join(f'`{value}`' for value in values)} |\n"
        for name, values in known["words"].items()
    ]
    static = ", ".join(f"`{name}`" for name in known["static"])
    parts.append(f"\n## Static files\n\n{static}\n")
    style = ", ".join(f"`{name}`" for name in known["style"])
    parts.append(f"\n## The style sheet\n\nVariables that `extra.css` may set: {style}\n")
    return "".join(parts).rstrip() + "\n"


def _section(name: str, each: Mapping[str, Any], about: str) -> str:
    text = f"### {name}\n\n"
    if about:
        text += f"{_prose(about)}\n\n"
    facts = []
    if "extends" in each:
        facts.append(f"* Goes into: `{each['extends']}`")
    if "blocks" in each:
        facts.append(f"* Blocks: {', '.join(f'`{block}`' for block in each['blocks'])}")
    if facts:
        text += "\n".join(facts) + "\n\n"
    if "values" in each:
        text += f"{_table(each['values'])}\n"
    if "macros" in each:
        text += _macros(name, each["macros"]) + "\n"
    return text


def _macros(name: str, macros: Mapping[str, list[str]]) -> str:
    source = (shipped() / name).read_text(encoding="utf-8")
    abouts = {macro: " ".join(about.split()) for about, macro in _COMMENTED.findall(source)}
    lines = ["| Name | What it is |", "|---|---|"]
    for macro, arguments in macros.items():
        call = f"{macro}({', '.join(arguments)})" if f"macro {macro}(" in source else macro
        lines.append(f"| `{call}` | {abouts.get(macro, '').replace('|', '&#124;')} |")
    return "\n".join(lines) + "\n"


def _table(values: Mapping[str, str]) -> str:
    lines = ["| Value | Type | |", "|---|---|---|"]
    lines += [f"| `{name}` | {kind} | {ABOUT.get(name, '')} |" for name, kind in values.items()]
    return "\n".join(lines) + "\n"


def _prose(text: str) -> str:
    paragraphs = [" ".join(each.split()) for each in text.split("\n\n")]
    return "\n\n".join(each.replace(". ", ".\n") for each in paragraphs)


def text_of_names() -> str:
    """Return `names.json` as it is written."""
    return json.dumps(names(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    NAMES.write_text(text_of_names(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
