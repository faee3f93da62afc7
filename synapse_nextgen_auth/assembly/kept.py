"""Our files as they were at the start: an upgrade of the package changes nothing that runs.

What only some requests need is imported by the first of them (`late.py`), on a process that goes on
for weeks. Whatever else was installed meanwhile is of another release, and half of a program from each
of two releases is none. So the text of all that is not imported yet is kept, in a file that has no name
and goes with the process: hardly anybody ever asks for it, and memory is for what is used.
"""

import logging
import marshal
import os
import sys
from collections.abc import Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

from synapse_nextgen_auth import lean
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import heap
from synapse_nextgen_auth.web.packed import PACKED

logger = logging.getLogger(__name__)

_PACKAGE = __name__.partition(".")[0]
_FOLDER = Path(__file__).parent.parent
# What no server imports: the command, samples for whoever looks at pages, and bytecode by itself.
_NEVER = ("cli", "samples", "__pycache__")
# How often a file is read that was replaced meanwhile.
_TRIES = 3


@frozen
class _File:
    """Where a file is, when it was written, and the number of its text."""

    path: str
    written: tuple[int, int]
    number: int

    @property
    def is_package(self) -> bool:
        return self.path.endswith("__init__.py")


class Kept(Loader, MetaPathFinder):
    """What Python asks for our files before it looks for them on the disk (PEP 451).

    A file that is as it was is left to Python, which has it compiled already.
    """

    def __init__(self, package: str = _PACKAGE, folder: Path = _FOLDER) -> None:
        self.package = package
        self._folder = folder
        self._list: int | None = None

    def install(self) -> "Kept":
        """Be asked first; return who is, which is another one where this process started before."""
        for other in sys.meta_path:
            if isinstance(other, Kept) and other.package == self.package:
                return other
        sys.meta_path.insert(0, self)
        return self

    def read(self) -> None:
        """Read what is not imported yet; this may take a while, on a thread of its own.

        What was read once is older, and so nearer to what is imported.
        """
        if self._list is not None:
            return
        found = {}
        for name, path in _sources(self.package, str(self._folder)):
            if name not in sys.modules and (read := _read(path)) is not None:
                text, written = read
                found[name] = (path, written, PACKED.add(text))
        # With four hundred names and paths it is larger than all that is asked of it.
        self._list = PACKED.add(marshal.dumps(found))
        heap.give_back()
        logger.debug("Kept the text of %s files that are not imported yet", len(found))

    def files(self) -> dict[str, _File]:
        """Return what was kept, by the names of the modules."""
        if self._list is None:
            return {}
        found = marshal.loads(PACKED.get(self._list))  # noqa: S302 (nobody else wrote it)
        return {name: _File(*of_it) for name, of_it in found.items()}

    def _find(self, name: str) -> _File | None:
        is_ours = self._list is not None and name.startswith(f"{self.package}.")
        return self.files().get(name) if is_ours else None

    def find_spec(
        self,
        name: str,
        path: object = None,  # noqa: ARG002 (Python's)
        target: object = None,  # noqa: ARG002 (the same)
    ) -> ModuleSpec | None:
        """Say how a file is imported that is another one on the disk, or gone; of all others nothing."""
        kept = self._find(name)
        if kept is None or _written(kept.path) == kept.written:
            return None
        spec = spec_from_loader(name, self, origin=kept.path, is_package=kept.is_package)
        if spec is not None and kept.is_package:
            spec.submodule_search_locations = [str(Path(kept.path).parent)]
        return spec

    def text(self, name: str) -> bytes:
        """Return what was kept of a file."""
        return PACKED.get(self.files()[name].number)

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the empty module to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill a module from what was kept of its file."""
        file = self.files()[module.__name__]
        code = compile(PACKED.get(file.number), file.path, "exec", dont_inherit=True)
        exec(lean.without_columns(lean.without_words(code)), vars(module))  # noqa: S102 (what an import is)
        lean.forget_words(module)


def _sources(package: str, folder: str) -> Iterator[tuple[str, str]]:
    """Yield name and path of each file below a folder that a server may import.

    A folder that cannot be listed, or went away, has none. Of the objects that `pathlib` makes of a
    thousand paths, what lies between them stays.
    """
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        name, ending = os.path.splitext(entry.name)  # noqa: PTH122 (as above)
        if name in _NEVER:
            continue
        if entry.is_dir():
            yield from _sources(f"{package}.{name}", entry.path)
        elif ending == ".py":
            yield package if name == "__init__" else f"{package}.{name}", entry.path


def _read(path: str) -> tuple[bytes, tuple[int, int]] | None:
    """Read a file; nothing is kept of one that cannot be read, or is written all the time."""
    for _ in range(_TRIES):
        written = _written(path)
        try:
            with open(path, "rb") as file:  # noqa: PTH123 (as above)
                text = file.read()
        except OSError:
            return None
        if _written(path) == written:
            return text, written
    return None


def _written(path: str) -> tuple[int, int]:
    """Return what changes with what stands in a file; of one that is gone what no file has."""
    try:
        found = os.stat(path)  # noqa: PTH116 (as above)
    except OSError:
        return (0, -1)
    return found.st_mtime_ns, found.st_size
