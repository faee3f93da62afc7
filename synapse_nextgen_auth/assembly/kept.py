"""Our files as they were at the start: an upgrade of the package changes nothing that runs.

What only some requests need is imported by the first of them (`web/later.py`), on a process that goes on
for weeks. Whatever else was installed meanwhile is of another release, and half of a program from each
of two releases is none. So the text of all that is not imported yet is kept: 150 KB, where 2 MB would
be what the imports of it take.
"""

import logging
import sys
import zlib
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType

from synapse_nextgen_auth.records import frozen

logger = logging.getLogger(__name__)

_PACKAGE = __name__.partition(".")[0]
_FOLDER = Path(__file__).parent.parent
# What no server imports: the command, and samples for whoever looks at pages.
_NEVER = ("cli", "samples")
# How often a file is read that was replaced meanwhile.
_TRIES = 3


@frozen
class _File:
    path: Path
    written: tuple[int, int]
    packed: bytes

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    def code(self) -> CodeType:
        text = zlib.decompress(self.packed)
        return compile(text, str(self.path), "exec", dont_inherit=True)


class Kept(Loader, MetaPathFinder):
    """What Python asks for our files before it looks for them on the disk (PEP 451).

    A file that is as it was is left to Python, which has it compiled already.
    """

    def __init__(self, package: str = _PACKAGE, folder: Path = _FOLDER) -> None:
        self.package = package
        self._folder = folder
        self._files: dict[str, _File] = {}

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
        if self._files:
            return
        found = {}
        for path in self._folder.rglob("*.py"):
            parts = path.relative_to(self._folder).with_suffix("").parts
            if set(parts) & set(_NEVER):
                continue
            name = ".".join((self.package, *(part for part in parts if part != "__init__")))
            if name not in sys.modules and (file := _read(path)) is not None:
                found[name] = file
        self._files = found
        logger.debug("Kept the text of %s files that are not imported yet", len(found))

    def find_spec(
        self,
        name: str,
        path: object = None,  # noqa: ARG002 (Python's)
        target: object = None,  # noqa: ARG002 (the same)
    ) -> ModuleSpec | None:
        """Say how a file is imported that is another one on the disk, or gone; of all others nothing."""
        kept = self._files.get(name)
        if kept is None or _written(kept.path) == kept.written:
            return None
        spec = spec_from_loader(name, self, origin=str(kept.path), is_package=kept.is_package)
        if spec is not None and kept.is_package:
            spec.submodule_search_locations = [str(kept.path.parent)]
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the empty module to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill a module from what was kept of its file."""
        exec(self._files[module.__name__].code(), vars(module))  # noqa: S102 (what an import is)


def _read(path: Path) -> _File | None:
    """Read a file; nothing is kept of one that cannot be read, or is written all the time."""
    for _ in range(_TRIES):
        written = _written(path)
        try:
            packed = zlib.compress(path.read_bytes())
        except OSError:
            return None
        if _written(path) == written:
            return _File(path, written, packed)
    return None


def _written(path: Path) -> tuple[int, int]:
    """Return what changes with what stands in a file; of one that is gone what no file has."""
    try:
        found = path.stat()
    except OSError:
        return (0, -1)
    return found.st_mtime_ns, found.st_size
