"""Which parameters a path reads, by the source of what serves it.

A name counts that is asked of a form, of a query or of what was made of one: in the file of the path,
and in those of ours that this one imports.
"""

import ast
import functools
import re
import sys
from pathlib import Path

import synapse_nextgen_auth
from synapse_nextgen_auth.web.later import Wanted

_PACKAGE = Path(synapse_nextgen_auth.__file__).parent
_ASKED = re.compile(r"form|typed|parameters|query|\basked|\bgiven|_values")
_METHODS = ("get", "pop")
# What serves every path, or leads on from it.
_SHARED = ("kinds", "dispatch", "page_dispatch", "visits", "pages/onward")


def read_by(route):
    """Return the names that a route reads."""
    own = {_file_of(each) for each in _functions(route)} - {None}
    files = own.union(*map(_imported, own)) - _shared()
    return {name for file in files for name in _names_in(file)}


def read_by_all():
    """Return the names that may be read of any request."""
    return {name for file in _shared() for name in _names_in(file)}


def _shared():
    return {_PACKAGE / "web" / f"{name}.py" for name in _SHARED}


def _functions(route):
    for name in dir(type(route)):
        value = None if name.startswith("_") else getattr(route, name, None)
        yield from value.values() if isinstance(value, dict) else [value]


def _file_of(function):
    found = function.find() if isinstance(function, Wanted) else function
    module = sys.modules.get(getattr(found, "__module__", None) or "")
    file = Path(getattr(module, "__file__", None) or "/")
    return file if callable(found) and _PACKAGE in file.parents else None


@functools.cache
def _tree(file):
    return ast.parse(file.read_text("utf-8"))


@functools.cache
def _names_in(file):
    asked = filter(None, map(_asked, ast.walk(_tree(file))))
    return {
        name.value
        for holder, name in asked
        if isinstance(name, ast.Constant)
        and isinstance(name.value, str)
        and _ASKED.search(ast.unparse(holder))
    }


def _asked(node):
    """Return of whom something is asked, and for what."""
    match node:
        case ast.Subscript(value=holder, slice=name):
            return holder, name
        case ast.Compare(left=name, ops=[ast.In() | ast.NotIn()], comparators=[holder]):
            return holder, name
        case ast.Call(func=ast.Attribute(value=holder, attr=method), args=[name, *_]):
            return (holder, name) if method in _METHODS else None
    return None


@functools.cache
def _imported(file):
    return {source for name in _imports(file) if (source := _source(name)) is not None}


def _imports(file):
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def _source(name):
    package, *rest = name.split(".")
    file = _PACKAGE.joinpath(*rest).with_suffix(".py")
    return file if package == _PACKAGE.name and rest and file.is_file() else None
