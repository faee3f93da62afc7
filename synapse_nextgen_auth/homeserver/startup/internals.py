"""What we use of Synapse, gathered from the files that use it, and what of it is not there.

Each file of `homeserver/` that a start needs is imported here for the first time, one by one: a Synapse
that moved a name ends in a sentence about that name, not in an `ImportError`. So what is imported before
relies on nothing of Synapse. Of the files that only some requests need `late.json` says the same.
"""

import importlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files as resources
from pathlib import Path

from synapse_nextgen_auth.homeserver.startup.needed import Needed, NotMade

FOLDER = Path(__file__).parent.parent  # homeserver/
_PACKAGE = __name__.rpartition(".startup.")[0]
OfLate = Mapping[str, Sequence[Needed]]
# What is left of us with `enabled: false`; what Synapse lacks besides is no matter then.
OF_REST = ("http", "auth.switched_off")
# Each of these and all between them ran the tests; docs/development/supported-synapse.md says how.
OLDEST, NEWEST_KNOWN = (1, 143), (1, 163)


def running() -> str:
    """Return which Synapse this is, "unknown" if nobody says so."""
    try:
        from synapse.util import SYNAPSE_VERSION  # noqa: PLC0415 (may be missing)
    except ImportError:
        try:
            return version("matrix-synapse")
        except PackageNotFoundError:
            return "unknown"
    return SYNAPSE_VERSION


def too_old(release: str) -> str | None:
    """Say why the module does not start on this release, `None` if it may."""
    if numbers(release) >= OLDEST:
        return None
    return (
        f"Synapse {release} is too old: this release of synapse_nextgen_auth needs"
        f" {_words(OLDEST)} or newer. Upgrade Synapse, or remove the module."
    )


def too_new(release: str) -> str | None:
    """Say that nobody has tried this release yet, `None` if somebody has."""
    if numbers(release) <= NEWEST_KNOWN:
        return None
    return (
        f"Synapse {release} is newer than {_words(NEWEST_KNOWN)}, the newest that this release of"
        " synapse_nextgen_auth was tested with. All that it needs of Synapse is there, so it starts."
        " Look for a newer release of the module."
    )


def numbers(release: str) -> tuple[int, int]:
    """Return major and minor number; a name that has none is newer than anything."""
    found = re.match(r"(\d+)\.(\d+)", release)
    return (int(found[1]), int(found[2])) if found else (9999, 0)


def _words(release: tuple[int, int]) -> str:
    return ".".join(map(str, release))


def problems() -> list[str]:
    """Return why this Synapse will not do: too old, or not what we rely on."""
    if reason := too_old(running()):
        return [reason]
    try:
        of_late = needs_of_late()
    except NoList as broken:
        return [str(broken)]
    # An installation may have no sources, and then these are the names that are known.
    return _missing(dict.fromkeys((*files(), *of_late)), of_late)


def problems_of_rest() -> list[str]:
    """Return what is not as expected of the little that is used with `enabled: false`."""
    return _missing(OF_REST, {})


def problems_of_imports() -> list[str]:
    """Return what is missing of what we import by name: without it nothing of ours can be looked at."""
    return _missing((name for name in files() if not _can_be_imported(name)), {})


def files() -> tuple[str, ...]:
    """Return the name of each file of this folder, as it is imported below the folder."""
    found = (file.relative_to(FOLDER).with_suffix("") for file in sorted(FOLDER.rglob("*.py")))
    return tuple(".".join(name.parts) for name in found if name.name != "__init__")


def _missing(names: Iterable[str], of_late: OfLate) -> list[str]:
    """Return what these files need of Synapse and do not find, each thing once."""
    found = (problem for name in names for problem in _problems_of(name, of_late))
    return [not_there(problem) for problem in dict.fromkeys(found)]


def not_there(problem: str) -> str:
    """Return what to say of something that is missing, or is another thing than we know."""
    return (
        f"{problem} in Synapse {running()}, which this release does not know yet."
        " Install a release of synapse-nextgen-auth made for it."
    )


# A name is gone, or a class that ours inherits from is another thing now.
NOT_IMPORTED = (ImportError, AttributeError, TypeError)


def _can_be_imported(name: str) -> bool:
    try:
        importlib.import_module(f"{_PACKAGE}.{name}")
    except NOT_IMPORTED:
        return False
    return True


def _problems_of(name: str, of_late: OfLate) -> Iterator[str]:
    listed: Sequence[Needed | NotMade] | None = of_late.get(name)
    if listed is None or f"{_PACKAGE}.{name}" in sys.modules:
        listed = _imported_needs(name)
    for needed in listed:
        if text := needed.problem():
            yield text


def _imported_needs(name: str) -> Sequence[Needed | NotMade]:
    """Import a file; return what it says that it needs, or what keeps it from being imported."""
    try:
        return needs_of(importlib.import_module(f"{_PACKAGE}.{name}"))
    except NOT_IMPORTED as error:
        from synapse_nextgen_auth.homeserver.startup import sources  # noqa: PLC0415 (most never ask)

        source = FOLDER.joinpath(*name.split(".")).with_suffix(".py")
        listed = (*sources.written(source), *sources.imported(source))
        if any(needed.problem() for needed in listed):
            return listed
        return (NotMade(name, error),)


def needs_of(file: object) -> Sequence[Needed]:
    """Return what an imported file says that it needs."""
    found: Sequence[Needed] = getattr(file, "NEEDS", ())
    return found


class NoList(Exception):
    """The list of what files need that a start does not import is not there, or is half of it."""


def needs_of_late() -> dict[str, tuple[Needed, ...]]:
    """Return what each file needs that a start does not import (docs/list_late_needs.py)."""
    file = resources(_PACKAGE) / "startup" / "late.json"
    try:
        return {
            name: tuple(Needed.of(**needed) for needed in needs)
            for name, needs in json.loads(file.read_text("utf-8")).items()
        }
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise NoList(
            f"{file} cannot be read: {error}. Install synapse_nextgen_auth again."
        ) from error
