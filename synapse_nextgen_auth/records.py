"""Records: `attrs.frozen`, but with one `__eq__`, `__hash__` and `__repr__` that all of them share.

attrs writes and compiles these for each class, at every start of every process. There are four hundred
records: that was two fifths of the time that our imports took, and a quarter of their memory.
"""

import linecache
import sys
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import attrs

__all__ = ["frozen"]

# What attrs would make besides: no record is pickled, matched by position or referred to weakly.
_WITHOUT: dict[str, Any] = {
    "getstate_setstate": False,
    "match_args": False,
    "weakref_slot": False,
}

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
            return _lean(attrs.frozen(kind, kw_only=kw_only, **_WITHOUT))

        return made if kind is None else made(kind)


def _lean(kind: Any) -> Any:
    """Drop what attrs keeps of each class and nobody uses: half of what a class takes.

    `attrs.fields` returns a tuple of a class of its own, whose only use is that fields have names there.
    A field knows its type, so what is annotated need not be kept beside it. A debugger would find the
    text of the constructor.
    """
    kind.__attrs_attrs__ = tuple(kind.__attrs_attrs__)
    for name in _UNUSED & vars(kind).keys():
        delattr(kind, name)
    linecache.cache.pop(kind.__init__.__code__.co_filename, None)
    kind.__init__ = _bare(kind.__init__)
    return kind


# Later releases of attrs and of Python have other names for some of these, and then they stay.
_UNUSED = {"__annotations__", "__attrs_props__"}


def _bare(init: FunctionType) -> FunctionType:
    """Return a constructor without a copy of all names of its module; most need the same single one.

    And without the lines of its text, which is gone.
    """
    code = init.__code__.replace(**_no_lines(init.__code__))
    needed = {name: init.__globals__[name] for name in code.co_names if name in init.__globals__}
    shared = _globals.setdefault(frozenset(needed), needed) if needed.keys() <= _SAME else needed
    bare = FunctionType(code, shared, init.__name__, init.__defaults__, init.__closure__)
    bare.__kwdefaults__ = init.__kwdefaults__
    bare.__module__, bare.__qualname__ = init.__module__, init.__qualname__
    return bare


def _no_lines(code: CodeType) -> dict[str, Any]:
    """Return what says of each instruction that it is on the first line (since Python 3.11).

    An entry is for eight of them at most: code 13, no columns, and no line further.
    """
    if sys.version_info < (3, 11):
        return {}
    whole, rest = divmod(len(code.co_code) // 2, 8)
    return {"co_linetable": b"\xef\x00" * whole + (bytes([0xE8 + rest - 1, 0]) if rest else b"")}


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
