"""What a template offers to others, read from its syntax."""

import re
from collections.abc import Iterator

from jinja2 import Environment, FileSystemLoader, nodes

from synapse_nextgen_auth.config.problems import likely
from synapse_nextgen_auth.web import formats, translations
from synapse_nextgen_auth.web.templates import shipped

# Ours name what they are made of, where they do, between quotes.
_NAMES = re.compile(r"\{%[-+]?\s*(?:extends|include|import|from)\s+([^%]*)%\}")
_QUOTED = re.compile(r"""["']([^"']+)["']""")
# What a macro takes beside its arguments, where it uses it.
MORE = ("kwargs", "caller")


def reader() -> Environment:
    """Return what reads a template as it is read for a page, and finds ours."""
    environment = Environment(
        loader=FileSystemLoader(shipped()), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    translations.install(environment)
    formats.install(environment)
    return environment


def source_of(environment: Environment, name: str) -> str:
    """Return the text of one of ours."""
    assert environment.loader is not None  # noqa: S101 (that of `reader`)
    return environment.loader.get_source(environment, name)[0]


def named_in(source: str) -> Iterator[str]:
    """Yield which templates one of ours is made of: it says them between quotes."""
    for each in _NAMES.finditer(source):
        yield from (quoted[1] for quoted in _QUOTED.finditer(each[1]))


def exported(tree: nodes.Template) -> list[str]:
    """Return what others may import from a template."""
    found = [each.name for each in tree.body if isinstance(each, nodes.Macro)]
    for each in tree.body:
        if isinstance(each, nodes.Assign | nodes.AssignBlock):
            found += [name.name for name in each.target.find_all(nodes.Name)]
            found += [each.target.name] if isinstance(each.target, nodes.Name) else []
        elif isinstance(each, nodes.FromImport):
            found += [name[1] if isinstance(name, tuple) else name for name in each.names]
    return found


def arguments(macro: nodes.Macro) -> list[str]:
    """Return the arguments of a macro as one writes them, with the values that they have otherwise."""
    named = [each.name for each in macro.args]
    first = len(named) - len(macro.defaults)
    found = [
        name if n < first else f"{name}={_written(macro.defaults[n - first])}"
        for n, name in enumerate(named)
    ]
    used = {each.name for each in macro.find_all(nodes.Name)}
    return [
        *found,
        *(f"{word}()" if word == "caller" else f"**{word}" for word in MORE if word in used),
    ]


def _written(value: nodes.Expr) -> str:
    if not isinstance(value, nodes.Const):
        return "…"
    if isinstance(value.value, str):
        return f'"{value.value}"'
    return str(value.value).lower()


def hint(name: str, known: list[str]) -> str:
    """Return which known name somebody may have meant, as the end of a message."""
    near = likely(name, known)
    return f"; did you mean {near}?" if near else ""
