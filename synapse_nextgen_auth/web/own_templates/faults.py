"""What is wrong with templates of an operator's: found without a page to show, at the start.

Each file is read as Jinja reads it, and compared with the names that ours have (`names.json`).
"""

from collections.abc import Iterator
from pathlib import Path

from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.web import heap
from synapse_nextgen_auth.web.own_templates import files, names, static_faults
from synapse_nextgen_auth.web.own_templates.fault import Fault
from synapse_nextgen_auth.web.own_templates.looker import Looker
from synapse_nextgen_auth.web.templates import EXTRA_STYLE

_MAILS = "emails"  # those are written, and looked at with the mails


def problems(config: Config) -> list[str]:
    """Return all of it, each with its file and line."""
    if config.templates is None:
        return []
    own = Path(config.templates)
    try:
        found = [*map(str, found_in(own)), *static_faults.found_in(own)]
    except (OSError, ValueError) as error:  # a name with a NUL is no name of a directory
        why = getattr(error, "strerror", None) or error
        return [f"templates: cannot read the directory {own}: {why}"]
    names.forget()
    heap.give_back()
    return found


def found_in(own: Path) -> Iterator[Fault]:
    """Yield what is wrong with the templates of a directory."""
    next(own.iterdir(), None)  # a directory that is not there is none without files
    static = frozenset({*names.known()["static"], *files.read(own, ""), EXTRA_STYLE})
    looker = Looker(own, static=static)
    for path in templates_in(own):
        yield from looker.look(path)


def templates_in(own: Path) -> list[Path]:
    """Return the operator's templates, but for those of mails."""
    found = (
        (path, path.relative_to(own).parts) for path in own.rglob("*.html") if not path.is_dir()
    )
    # What is hidden is an editor's, or of a version control.
    return sorted(
        path
        for path, parts in found
        if parts[0] != _MAILS and not any(part.startswith(".") for part in parts)
    )
