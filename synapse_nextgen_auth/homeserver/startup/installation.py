"""Whether all files of ours are there that a server may want, as whoever installed them listed them.

pip, and what else installs wheels, writes down each file with its size (`RECORD`). A checkout has no
such list, and some distributions leave it out: there is looked for what is imported later by its name
(`late.py`), and for no more.
"""

import os
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from synapse_nextgen_auth import late

_PACKAGE = __name__.partition(".")[0]
_FOLDER = Path(__file__).parent.parent.parent
_AGAIN = "Install synapse_nextgen_auth again."
# What no server imports, so that an image may leave it out.
_NEVER = (f"{_PACKAGE}/cli/",)


class _Listed(NamedTuple):
    """A file as it was installed: its name from the folder of the package on, and its size in bytes.

    There are a thousand, and whoever starts a server waits.
    """

    name: str
    size: int
    path: str


def problems() -> list[str]:
    """Return which files are missing, or not whole."""
    found = []
    for file in _listed():
        if not file.name.endswith(".py"):
            continue  # whoever wants it looks for it at the start
        if (size := _size(file)) is None:
            if not _is_elsewhere(file):
                found.append(f"{file.path} is missing. {_AGAIN}")
        elif size != file.size and not _can_be_read(file):
            found.append(f"{file.path} is not whole, with {size} bytes of {file.size}. {_AGAIN}")
    return found


def warnings() -> list[str]:
    """Return which files are others than were installed: somebody may have wanted that."""
    changed = [file.name for file in _listed() if _size(file) not in {None, file.size}]
    if not changed:
        return []
    return [f"Not as they were installed, by their size: {', '.join(changed)}."]


def _listed() -> Iterator[_Listed]:
    ours, root = f"{_PACKAGE}/", f"{_FOLDER.parent}{os.sep}"
    for line in _record().split("\n"):
        name, _, size = (*line.strip().rsplit(",", 2), "", "")[:3]
        name, size = name.strip('"'), size.strip('"')
        if name.startswith(ours) and size.isdecimal() and not name.startswith(_NEVER):
            yield _Listed(name, int(size), root + name)


def _record() -> str:
    """Return the list of this installation, "" where there is none."""
    try:
        found = distribution(_PACKAGE)
    except PackageNotFoundError:
        return ""
    return (found.read_text("RECORD") or "") if _is_this(found) else ""


def _is_this(found: Distribution) -> bool:
    """Say whether it lists the files that run, and not another installation or what is left of one."""
    try:
        is_here = _FOLDER.samefile(str(found.locate_file(_PACKAGE)))
    except OSError:
        return False
    return is_here and found.version == vars(sys.modules[_PACKAGE])["__version__"]


def _size(file: _Listed) -> int | None:
    try:
        return os.stat(file.path).st_size  # noqa: PTH116 (without a path in between)
    except OSError:
        return None


def _is_elsewhere(file: _Listed) -> bool:
    """Say whether the file is there without its source."""
    inside = file.name.removeprefix(f"{_PACKAGE}/").removesuffix(".py").removesuffix("/__init__")
    try:
        late.look_for(inside.replace("/", "."))
    except late.Broken:
        return False
    return True


def _can_be_read(file: _Listed) -> bool:
    """Say whether it is a program, as after an operator mended it, and not the first half of one."""
    try:
        text = Path(file.path).read_bytes()
        compile(text, file.path, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError):
        return False
    return bool(text)
