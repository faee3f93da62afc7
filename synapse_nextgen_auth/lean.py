"""What a server keeps of our code: all that runs, and nothing that only people read.

Docstrings, annotations and the columns of instructions are a third of what our files take. Python's own
ways to do without them are for a whole process (`-X no_debug_ranges`), or take `assert` along (`-OO`).
The line of each instruction stays: a traceback says where.

To write the tables of lines anew takes the longest, a fifth of a millisecond for a file: at a start, for
which people wait, they are left as they are.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from inspect import CO_OPTIMIZED
from itertools import groupby
from operator import itemgetter
from types import CodeType, FunctionType, ModuleType
from typing import Any

_PACKAGE = __name__.partition(".")[0]
_AT_ONCE = 8  # instructions that an entry of a table of lines is for, at most
_LINE, _NONE = 13, 15  # a line without columns, and no line at all
_MUCH = 2_000  # objects
_SAY_NOTHING = frozenset(
    {type(None), str, bytes, int, bool, float, tuple, dict, list, frozenset, set, ModuleType}
)
# How code is written down is Python's own matter: what nobody has looked at keeps all of it.
_KNOWN = (3, 10) <= sys.version_info[:2] <= (3, 14)
_HAS_DOCSTRING = 0x4000000  # a flag of code since Python 3.14


class _Finder(MetaPathFinder):
    """What Python asks for our files first; where they are it finds out itself (PEP 451)."""

    def __init__(self) -> None:
        self.has_started = False

    def find_spec(
        self,
        name: str,
        path: Any = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Say how a file of ours is imported, and nothing of others."""
        if name.partition(".")[0] != _PACKAGE:
            return None
        made = _Loader if self.has_started else _AtTheStart
        spec = _beside(name, path, made)
        if spec is not None:
            return spec
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = made(spec.loader.name, spec.loader.path)
        return spec


def _beside(name: str, path: Any, made: "type[_Loader]") -> ModuleSpec | None:
    """Say how a file is imported that lies where its package is, and that is no package itself.

    Python would list each folder first, and keep that.
    """
    if type(path) is not list or len(path) != 1:
        return None
    file = f"{path[0]}{os.sep}{name.rpartition('.')[2]}.py"
    if not os.path.isfile(file):  # noqa: PTH113 (without a path in between)
        return None
    return spec_from_file_location(name, file, loader=made(name, file))


class _Loader(SourceFileLoader):
    """Reads what Python has compiled, as ever."""

    def get_code(self, fullname: str) -> CodeType | None:
        """Return what a file runs."""
        code = super().get_code(fullname)
        return None if code is None else without_columns(without_words(code, self.path))

    def exec_module(self, module: ModuleType) -> None:
        """Run it."""
        super().exec_module(module)
        forget_words(module)
        _forget_bytecode(module)
        sweep()


class _AtTheStart(_Loader):
    """Does less, sooner."""

    def get_code(self, fullname: str) -> CodeType | None:
        """Return what a file runs."""
        code = SourceFileLoader.get_code(self, fullname)
        return None if code is None else without_words(code, self.path)


_finder = _Finder()


def install() -> None:
    """Keep less of each file of ours that is imported from now on."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def start_is_over() -> None:
    """Keep even less from now on."""
    _finder.has_started = True


def without_words(code: CodeType, path: str | None = None) -> CodeType:
    """Return code without docstrings; it does the same. Its file is named by this very text."""
    if not _KNOWN:
        return code
    path = path or code.co_filename
    consts = _each_in(code, lambda each: without_words(each, path))
    return code.replace(
        co_consts=(None, *consts[1:]) if _has_docstring(code) else consts, co_filename=path
    )


def without_columns(code: CodeType) -> CodeType:
    """Return code that only knows its lines; it does the same, on the same ones."""
    if sys.version_info < (3, 11) or not _KNOWN:  # before that there are no columns
        return code
    return code.replace(co_consts=_each_in(code, without_columns), co_linetable=_lines_alone(code))


def _each_in(code: CodeType, change: Callable[[CodeType], CodeType]) -> tuple[Any, ...]:
    return tuple(change(each) if isinstance(each, CodeType) else each for each in code.co_consts)


def _has_docstring(code: CodeType) -> bool:
    """Say whether the first constant is one, and not a text that is used.

    What Python calls a function has one there or `None`, but for what has no name of its own.
    """
    if sys.version_info >= (3, 14):
        return bool(code.co_flags & _HAS_DOCSTRING)
    is_function = bool(code.co_flags & CO_OPTIMIZED) and not code.co_name.startswith("<")
    return is_function and bool(code.co_consts) and isinstance(code.co_consts[0], str)


def _lines_alone(code: CodeType) -> bytes:
    """Return the table of lines as `-X no_debug_ranges` has it (Objects/locations.md of CPython)."""
    table, line = bytearray(), code.co_firstlineno
    for its, ranges in groupby(code.co_lines(), key=itemgetter(2)):
        further = b"" if its is None else _signed(its - line)
        kind = _NONE if its is None else _LINE
        line = line if its is None else its
        for left in range(sum(end - begin for begin, end, _ in ranges) // 2, 0, -_AT_ONCE):
            table.append(0x80 | kind << 3 | min(left, _AT_ONCE) - 1)
            table += further
            further = further and b"\0"
    return bytes(table)


def _signed(number: int) -> bytes:
    """Write a number down, six bits each time, the lowest first."""
    left, written = (-number << 1 | 1) if number < 0 else number << 1, bytearray()
    while left > 63:
        written.append(64 | left & 63)
        left >>= 6
    written.append(left)
    return bytes(written)


def sweep() -> None:
    """Look for garbage in what is new, if that is much: what is freed at once is used again.

    A server looks itself, all few seconds; until then what an import and a compiler leave behind would
    lie between what stays. Before a server has started somebody else does this (`module.py`).
    """
    if gc.get_count()[0] > _MUCH:
        gc.collect(0)


def forget_words(module: ModuleType) -> None:
    """Drop what a file that was imported says of itself, its classes and its functions."""
    module.__doc__ = None
    if sys.version_info < (3, 14):  # since then annotations are made when somebody asks for them
        _forget(vars(module).values(), module.__name__)


def _forget_bytecode(module: ModuleType) -> None:
    """Drop the name of the file with its bytecode, which can be told from that of the source."""
    vars(module).pop("__cached__", None)
    if module.__spec__ is not None:
        module.__spec__.cached = None


def _forget(things: Iterable[Any], where: str) -> None:
    for thing in things:
        if type(thing) in _SAY_NOTHING:  # most of them: no start waits for a closer look
            continue
        if isinstance(thing, type):
            if thing.__module__ == where:
                thing.__doc__ = None
                _forget(vars(thing).values(), where)
        elif isinstance(thing, property):
            _forget((thing.fget, thing.fset), where)
        elif getattr(thing, "__module__", None) == where:
            _forget_of(thing, where)


def _forget_of(thing: Any, where: str) -> None:
    """Drop what a function says of itself, or whatever was made of one and says the same."""
    if isinstance(thing, FunctionType):
        del thing.__annotations__
    elif hasattr(thing, "__dict__"):
        vars(thing).pop("__annotations__", None)
    inner = getattr(thing, "__wrapped__", None) or getattr(thing, "__func__", None)
    if inner is not None:
        _forget((inner,), where)
