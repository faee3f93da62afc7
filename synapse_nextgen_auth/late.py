"""Files and objects of ours that nobody needs before somebody comes for them.

What stands for one looks like it: the first who asks for something of it imports the file, or makes the
object. Types know nothing of it. That a package is upgraded meanwhile is no matter: `assembly/kept.py`.
That the file is there is looked at at once, so that no request finds out.
"""

import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")

_PACKAGE = __name__.rpartition(".")[0]
_FOLDER = Path(__file__).parent
# What half of a file raises, or one whose other half is another release's. Whatever else an import
# raises, a process that may open no more files for one, is over with the next.
_NOT_WHOLE = (ImportError, SyntaxError, AttributeError, NameError, TypeError)
_PAUSE = 60  # seconds until such a file is tried again: it costs everybody else's time
_failed: dict[str, tuple[float, str]] = {}


class Broken(Exception):
    """The installation is not whole; the message says which file it is, and what to do."""


def look_for(name: str) -> None:
    """Raise `Broken` where a file of ours, by its name in the package, is missing or empty."""
    path = _FOLDER.joinpath(*name.split(".")).with_suffix(".py")
    try:
        is_there = path.stat().st_size > 0
    except OSError:
        is_there = _is_elsewhere(f"{_PACKAGE}.{name}")
    if not is_there:
        raise Broken(f"{path} is missing or empty. Install synapse_nextgen_auth again.")


def _is_elsewhere(module: str) -> bool:
    """Say whether Python finds it: a package, in an archive, or where the sources were taken out.

    To look as Python does imports what is above it.
    """
    try:
        return find_spec(module) is not None
    except ImportError:
        return False


def imported(name: str) -> Any:
    """Import a file of ours; raise `Broken` where that cannot be."""
    module = f"{_PACKAGE}.{name}"
    if module in _failed and time.monotonic() < _failed[module][0] + _PAUSE:
        raise Broken(_failed[module][1])
    try:
        return import_module(module)
    except _NOT_WHOLE as error:
        why = (
            f"{module} cannot be imported: {type(error).__name__}: {error}."
            " Install synapse_nextgen_auth again, and restart Synapse."
        )
        _failed[module] = (time.monotonic(), why)
        raise Broken(why) from error


class _Late:
    """What is not there yet; whatever is asked of it is asked of what it stands for."""

    __slots__ = ("_find_it", "_found_it")

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find_it = find
        self._found_it: Any = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # who looks whether something is special imports nothing
            raise AttributeError(name)
        if self._found_it is None:
            self._found_it = self._find_it()
        return getattr(self._found_it, name)


def file(name: str) -> Any:
    """Return a file of ours, by its name in the package, that is imported when it is first used.

    Beside it, `TYPE_CHECKING` imports the same file: a test compares the two.
    """
    look_for(name)
    return _Late(partial(imported, name))


def files(*names: str) -> tuple[Any, ...]:
    """Return several."""
    return tuple(map(file, names))


def made(make: Callable[[], T]) -> T:
    """Return what stands for an object, which is made when something is first asked of it."""
    return cast("T", _Late(make))
