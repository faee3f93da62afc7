"""What templates of an operator's may count on: the names that ours have, and what they are handed.

`names.json` says it, written by `python docs/generate_templates.py`; nothing of it goes or changes
without a word in the changelog.
"""

import json
from functools import cache
from importlib import resources
from typing import Any

from synapse_nextgen_auth.records import frozen


@frozen
class Names:
    """What one template of ours has: the values that it is handed, its blocks and its macros.

    `extends` is what it is put into.
    """

    values: frozenset[str]
    blocks: frozenset[str]
    macros: dict[str, tuple[str, ...]]
    extends: str | None


@cache
def known() -> dict[str, Any]:
    """Return the whole file."""
    text = resources.files(__package__).joinpath("names.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def templates() -> dict[str, Names]:
    """Return every template of ours by its name."""
    return {
        name: Names(
            frozenset(each.get("values", {})),
            frozenset(each.get("blocks", ())),
            {macro: tuple(arguments) for macro, arguments in each.get("macros", {}).items()},
            each.get("extends"),
        )
        for name, each in known()["templates"].items()
    }


@cache
def everywhere() -> frozenset[str]:
    """Return what every template knows: functions, and values of each page."""
    return frozenset(known()["everywhere"])


def forget() -> None:
    """Let go of it: a server that has started needs it no more."""
    for each in (known, templates, everywhere):
        each.cache_clear()
