"""Files and objects of ours that nobody needs before somebody comes for them.

What stands for one looks like it: the first who asks for something of it imports the file, or makes the
object. Types know nothing of it. That a package is upgraded meanwhile is no matter: `assembly/kept.py`.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, TypeVar, cast

T = TypeVar("T")

_PACKAGE = __name__.rpartition(".")[0]


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
    return _Late(partial(import_module, f"{_PACKAGE}.{name}"))


def files(*names: str) -> tuple[Any, ...]:
    """Return several."""
    return tuple(map(file, names))


def made(make: Callable[[], T]) -> T:
    """Return what stands for an object, which is made when something is first asked of it."""
    return cast("T", _Late(make))
