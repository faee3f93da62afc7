"""What we use of Synapse, gathered from the files that use it, and what of it is not there.

Each file of `homeserver/` is imported here for the first time, one by one: a Synapse that moved a name
ends in a sentence about that name, not in an `ImportError`. So what is imported before relies on
nothing of Synapse.
"""

import ast
import importlib
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from synapse_nextgen_auth.homeserver.startup.needed import Needed

FOLDER = Path(__file__).parent.parent  # homeserver/
_PACKAGE = __name__.rpartition(".startup.")[0]
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
    return missing(files())


def problems_of_rest() -> list[str]:
    """Return what is not as expected of the little that is used with `enabled: false`."""
    return missing(OF_REST)


def problems_of_imports() -> list[str]:
    """Return what is missing of what we import by name: without it nothing of ours can be looked at."""
    return missing(name for name in files() if not _can_be_imported(name))


def files() -> tuple[str, ...]:
    """Return the name of each file of this folder, as it is imported below the folder."""
    found = (file.relative_to(FOLDER).with_suffix("") for file in sorted(FOLDER.rglob("*.py")))
    return tuple(".".join(name.parts) for name in found if name.name != "__init__")


def missing(names: Iterable[str]) -> list[str]:
    """Return what these files need of Synapse and do not find, each thing once."""
    found = (problem for name in names for problem in _problems_of(name))
    return [
        f"{problem} in Synapse {running()}, which this release does not know yet."
        " Install a release of synapse-nextgen-auth made for it."
        for problem in dict.fromkeys(found)
    ]


# A name is gone, or a class that ours inherits from is another thing now.
NOT_IMPORTED = (ImportError, AttributeError, TypeError)


def _can_be_imported(name: str) -> bool:
    try:
        importlib.import_module(f"{_PACKAGE}.{name}")
    except NOT_IMPORTED:
        return False
    return True


def _problems_of(name: str) -> Iterator[str]:
    try:
        file = importlib.import_module(f"{_PACKAGE}.{name}")
    except NOT_IMPORTED as error:
        source = FOLDER.joinpath(*name.split(".")).with_suffix(".py")
        listed = (*written(source), *imported(source))
        gone = [text for needed in listed if (text := needed.problem())]
        yield from gone or [f"what {name} is made from is missing or changed ({error})"]
        return
    for needed in needs_of(file):
        if text := needed.problem():
            yield text


def needs_of(file: object) -> Sequence[Needed]:
    """Return what an imported file says that it needs."""
    found: Sequence[Needed] = getattr(file, "NEEDS", ())
    return found


def imported(source: Path) -> Iterator[Needed]:
    """Read which names a file imports from Synapse, without importing it.

    What stands in a `try` is what it can do without.
    """
    for node in _outside_try(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "synapse":
            for name in node.names:
                yield Needed(node.module or "", name.name)


def written(source: Path) -> Iterator[Needed]:
    """Read which `NEEDS` a file writes down, without importing it or Synapse."""
    for node in ast.parse(source.read_text("utf-8")).body:
        if not isinstance(node, ast.Assign) or ast.unparse(node.targets[0]) != "NEEDS":
            continue
        for item in node.value.elts if isinstance(node.value, ast.Tuple) else ():
            yield from _read(item)


def _read(item: ast.expr) -> Iterator[Needed]:
    """Read `Needed(…)` or `*members(…)`, whose arguments are literals."""
    call = item.value if isinstance(item, ast.Starred) else item
    assert isinstance(call, ast.Call), ast.unparse(item)  # noqa: S101 (a test reads all of them)
    values = [ast.literal_eval(value) for value in call.args]
    named = {word.arg or "": ast.literal_eval(word.value) for word in call.keywords}
    if ast.unparse(call.func) == "members":
        module, owner, *names = values
        yield from (Needed(module, f"{owner}.{name}") for name in names)
    else:
        yield Needed(*values, **named)


def _outside_try(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a file, but for what it can do without."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.Try):
            yield from _outside_try(child)
