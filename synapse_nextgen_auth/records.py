"""Records: `attrs.frozen`, but with one `__eq__`, `__hash__` and `__repr__` that all of them share.

attrs writes and compiles these for each class, at every start of every process. There are four hundred
records: that was two fifths of the time that our imports took, and a quarter of their memory.
"""

import linecache
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any

import attrs

__all__ = ["frozen"]

if TYPE_CHECKING:
    from attrs import frozen
else:

    def frozen(kind: type | None = None, /, *, kw_only: bool = False) -> Any:
        """Make a record of a class, as `attrs.frozen` does; what a class has of its own it keeps."""

        def made(kind: type) -> type:
            shared = {"__repr__": _repr}
            if not issubclass(kind, BaseException):  # of those attrs makes no two that are equal
                shared |= {"__eq__": _eq, "__hash__": _hash}
            for name, method in shared.items():
                if name not in vars(kind):
                    setattr(kind, name, method)
            return _lean(attrs.frozen(kind, kw_only=kw_only, getstate_setstate=False))

        return made if kind is None else made(kind)


def _lean(kind: Any) -> Any:
    """Drop what attrs keeps of each class and nobody uses: half of what a class takes.

    `attrs.fields` returns a tuple of a class of its own, whose only use is that fields have names there.
    A debugger would find the text of the constructor. And no record is pickled.
    """
    kind.__attrs_attrs__ = tuple(kind.__attrs_attrs__)
    linecache.cache.pop(kind.__init__.__code__.co_filename, None)
    kind.__init__ = _bare(kind.__init__)
    return kind


def _bare(init: FunctionType) -> FunctionType:
    """Return a constructor without a copy of all names of its module; most need the same single one."""
    code = init.__code__
    needed = {name: init.__globals__[name] for name in code.co_names if name in init.__globals__}
    shared = _globals.setdefault(frozenset(needed), needed) if needed.keys() <= _SAME else needed
    bare = FunctionType(code, shared, init.__name__, init.__defaults__, init.__closure__)
    bare.__kwdefaults__ = init.__kwdefaults__
    bare.__module__, bare.__qualname__ = init.__module__, init.__qualname__
    return bare


# What is the same for every record, and the constructors' globals that are made of it.
_SAME = {"_cached_setattr_get", "NOTHING"}
_globals: dict[frozenset[str], dict[str, Any]] = {}


def _eq(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    compared = _compared_of(self)
    return compared(self) == compared(other)


def _hash(self: Any) -> int:
    return hash((type(self), _compared_of(self)(self)))


def _repr(self: Any) -> str:
    kind: Any = type(self)
    shown = (f"{name}={show(getattr(self, name))}" for name, show in _shown(kind))
    return f"{kind.__qualname__.rpartition('>.')[2]}({', '.join(shown)})"


def _compared_of(record: Any) -> Callable[[object], object]:
    kind: Any = type(record)
    return _compared(kind)


@cache
def _compared(kind: Any) -> Callable[[object], object]:
    """Return what takes from a record all that it is compared by."""
    names = [field.name for field in attrs.fields(kind) if field.eq]
    return attrgetter(*names) if names else type


@cache
def _shown(kind: Any) -> tuple[tuple[str, Callable[[object], str]], ...]:
    """Return the fields that a record shows, each with how."""
    return tuple(
        (field.name, field.repr if callable(field.repr) else repr)
        for field in attrs.fields(kind)
        if field.repr
    )
