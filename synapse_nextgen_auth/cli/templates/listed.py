"""`templates list`: every template and static file there is, and which of them are the operator's."""

import json
from collections.abc import Iterator
from pathlib import Path

from synapse_nextgen_auth.cli.tables import shown, table
from synapse_nextgen_auth.cli.templates.operators import Operators
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import mail_texts
from synapse_nextgen_auth.web.own_templates import files, names

_KINDS = {"pages": "page", "emails": "mail", "components": "component", "static": "static file"}
_FRAME, _PART = "frame", "part of yours"


@frozen
class Line:
    """A file: its name, what kind of thing it is, and the operator's own in its place."""

    name: str
    kind: str
    own: str | None


def run(whose: Operators, *, as_json: bool, yours: bool = False) -> int:
    """Print the list, of all or of theirs."""
    found = [each for each in lines(whose) if each.own or not yours]
    if as_json:
        print(
            json.dumps([{"name": each.name, "kind": each.kind, "own": each.own} for each in found])
        )
        return 0
    if not found:
        print("There are no templates of yours (option templates).")
        return 0
    rows = [
        ("Name", "What it is", "Yours"),
        *((each.name, each.kind, shown(each.own)) for each in found),
    ]
    print(table(rows))
    return 0


def lines(whose: Operators) -> Iterator[Line]:
    """Yield every file of ours and theirs."""
    own = _own(whose)
    known = names.known()
    ours = [*known["templates"], *(f"{files.STATIC}/{name}" for name in known["static"])]
    for name in sorted({*ours, *own}):
        folder = name.partition("/")[0] if "/" in name else ""
        kind = _KINDS.get(folder, _FRAME if name in ours else _PART)
        yield Line(name, kind, own.get(name))


def _own(whose: Operators) -> dict[str, str]:
    """Return the operator's files by the names that they have for us."""
    found: dict[str, str] = {}
    if whose.directory is not None:
        found = {
            path.relative_to(whose.directory).as_posix(): str(path)
            for path in _files(whose.directory)
            if path.suffix in {".html", *files.KINDS}
        }
    for directory in reversed(mail_texts.own(whose.config)):
        found |= {
            f"emails/{path.name}": str(path)
            for path in directory.iterdir()
            if path.suffix in {".html", ".txt"}
        }
    return found


def _files(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if path.is_file())
