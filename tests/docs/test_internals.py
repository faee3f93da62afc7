"""The list of what we use of Synapse is complete, and one file knows which Synapse this is."""

import ast
from pathlib import Path

import synapse_nextgen_auth
from synapse_nextgen_auth.homeserver.internals import INTERNALS

PACKAGE = Path(synapse_nextgen_auth.__file__).parent


def test_every_name_of_synapse_that_is_imported_is_looked_for():
    """So a release that moved it is refused with a sentence, and two releases can be compared."""
    listed = {(needed.module, needed.name.partition(".")[0]) for needed in INTERNALS}

    imported = {
        (node.module, name.name): file.name
        for file in PACKAGE.rglob("*.py")
        for node in _outside_try(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "synapse"
        for name in node.names
    }

    assert len(imported) > 50
    assert {place: file for place, file in imported.items() if place not in listed} == {}


def _outside_try(tree):
    """Walk a file, but for what it can do without."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.Try):
            yield from _outside_try(child)


def test_nothing_else_asks_which_synapse_this_is():
    """Two ways to do one thing because of a release stand in one file."""
    asking = {
        file.name
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and "SYNAPSE_VERSION" in [n.name for n in node.names]
    }

    assert asking == {"versions.py"}
