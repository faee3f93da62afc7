"""The list of what we use of Synapse is complete, and one file knows which Synapse this is."""

import ast
import re
from importlib import util
from pathlib import Path

import pytest
import synapse

import synapse_nextgen_auth
from support.markdown import DOCS
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


@pytest.fixture
def compare():
    """Return the script that compares two releases."""
    specification = util.spec_from_file_location("compare", DOCS / "compare_synapse.py")
    module = util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_what_moved_is_asked_of_every_piece(compare, capsys):
    """Each piece is found in the source, also where a class inherits it; nothing moved since itself."""
    here = compare.Release(Path(synapse.__file__).parents[1], "here")
    pieces = {(needed.module, needed.name) for needed in INTERNALS}

    assert [piece for piece in pieces if here.piece(*piece) is None] == []
    assert compare.compare(here, here) == 0
    assert "changed" not in capsys.readouterr().out


def test_what_moved_is_printed(compare, tmp_path, capsys):
    """A method with other parameters, and one that is gone; a docstring is no change."""
    here = compare.Release(Path(synapse.__file__).parents[1], "here")
    edited = tmp_path / "internal.py"
    source = here._file("synapse.api.auth.internal").read_text()
    source = source.replace("allow_expired: bool = False", "may_be_old: bool = False")
    source = source.replace("async def is_server_admin(", "async def is_admin(")
    edited.write_text(source)

    class Edited(compare.Release):
        def _file(self, module):
            return edited if module == "synapse.api.auth.internal" else super()._file(module)

    compare.compare(here, Edited(here.root, "edited"))
    changed = re.findall(
        r"^== synapse.api.auth.internal.InternalAuth.(\w+): ", capsys.readouterr().out, re.MULTILINE
    )

    assert changed == ["get_user_by_access_token", "get_user_by_req", "is_server_admin"]


def test_what_is_gone_is_a_failure(compare, capsys):
    """A release without a module that we need ends with an exit code that says so."""
    here = compare.Release(Path(synapse.__file__).parents[1], "here")

    class Without(compare.Release):
        def _file(self, module):
            return None if module == "synapse.handlers.account_validity" else super()._file(module)

    assert compare.compare(here, Without(here.root, "without")) == 1
    assert "AccountValidityHandler.on_user_login: GONE" in capsys.readouterr().out
