"""Write homeserver/startup/late.json: what files need of Synapse that a start does not import.

Run it after every change of what such a file uses, or of which files those are:
`python docs/list_late_needs.py`. A test fails while the list is out of date.
"""  # noqa: INP001 - a script beside the pages, not a package

import json
import subprocess
import sys

import attrs

from synapse_nextgen_auth.homeserver.startup import internals, sources
from synapse_nextgen_auth.homeserver.startup.needed import Needed

LIST = internals.FOLDER / "startup" / "late.json"
_START = """
import sys
import synapse.app.homeserver
import synapse_nextgen_auth.module, synapse_nextgen_auth.assembly.start

print(*sys.modules)
"""


def late_files() -> list[str]:
    """Return the files of `homeserver/` that a start does not import."""
    said = subprocess.run(  # noqa: S603 (ourselves)
        [sys.executable, "-W", "ignore", "-c", _START], check=True, capture_output=True, text=True
    )
    loaded = set(said.stdout.split())
    package = internals.__name__.rpartition(".startup.")[0]
    return [name for name in internals.files() if f"{package}.{name}" not in loaded]


def needs(name: str) -> list[Needed]:
    """Return what a file needs: what it writes down, and what its import asks for."""
    source = internals.FOLDER.joinpath(*name.split(".")).with_suffix(".py")
    return list(dict.fromkeys((*sources.written(source), *sources.at_import(source))))


def written() -> str:
    """Return the list, a line for each thing."""
    files = []
    for name in late_files():
        lines = ",\n".join(f"    {json.dumps(_said(needed))}" for needed in needs(name))
        files.append(f'  "{name}": [\n{lines}\n  ]' if lines else f'  "{name}": []')
    return "{\n" + ",\n".join(files) + "\n}\n"


def _said(needed: Needed) -> dict[str, object]:
    said = attrs.asdict(needed)
    return {name: value for name, value in said.items() if value}


if __name__ == "__main__":
    LIST.write_text(written(), encoding="utf-8")
    print(f"wrote {LIST}")
