"""What the code of one of Synapse's methods speaks of, to know whether it is still the method we know.

Where something of ours stands for a method of Synapse's, a release that does more there must be noticed.
Names and parameters do not show it, and a release does not change what it does without a new word.
"""

import re
from collections.abc import Iterator
from types import CodeType, FunctionType


def names(code: CodeType) -> Iterator[str]:
    """Yield the names that code uses, and what is defined in it."""
    yield from code.co_names
    yield from code.co_freevars
    for inner in _inner(code):
        yield from names(inner)


def words(function: FunctionType) -> frozenset[str]:
    """Return these names, and every word in the texts of the code; its docstring says nothing."""
    return frozenset(names(function.__code__)) | frozenset(
        word
        for text in _texts(function.__code__)
        if text != function.__doc__
        for word in re.findall(r"\w+", text)
    )


def _texts(code: CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        yield from (each for each in _flat(constant) if "<locals>" not in each)
    for inner in _inner(code):
        yield from _texts(inner)


def _flat(constant: object) -> Iterator[str]:
    if isinstance(constant, str):
        yield constant
    elif isinstance(constant, tuple | frozenset):
        for each in constant:
            yield from _flat(each)


def _inner(code: CodeType) -> Iterator[CodeType]:
    """Yield what is defined in code, but for what newer Pythons make of annotations."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and constant.co_name != "__annotate__":
            yield constant
