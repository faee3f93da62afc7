"""The page about scopes names what the table in the code has, line by line."""

import re

import pytest

from support.markdown import DOCS, rows, section
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.matrix_endpoints import MEDIA_TABLE, TABLE, Need
from synapse_nextgen_auth.oauth.scopes.permissions import NARROW, ROOM

PAGE = DOCS / "reference" / "scopes.md"
OURS = "urn:nextgen-auth:"


def lines():
    """Return what is in the code: scope, method, path, and what a token for a room gets."""
    for prefix, table in (("", TABLE), ("/_matrix/media/*/", MEDIA_TABLE)):
        for line in table:
            if line.need is Need.WHOLE:
                continue
            in_room = "no"
            if "{room}" in line.template and not line.others:
                in_room = "that room"
            elif line.is_cut or line.need is Need.ANY:
                in_room = "yes, cut to it"
            scope = f"`{line.parts[0].removeprefix(OURS)}`" if line.parts else "any"
            yield scope, line.method, prefix + line.template, in_room


def test_every_endpoint_is_on_the_page():
    told = set()
    for scope, request, in_room in rows(section(PAGE, "Every endpoint")):
        *methods, path = request.strip("`").split()
        told |= {(scope, method, path, in_room) for method in methods}

    assert told == set(lines())


def test_every_scope_is_on_the_page():
    told = [row[0].strip("`") for row in rows(section(PAGE, "The whole, and parts of it"))]

    parts = {scope.removeprefix(OURS) for scope in NARROW}
    assert set(told) == parts | {ROOM.removeprefix(OURS) + "<room id>"}


@pytest.mark.parametrize("scope", re.findall("```\n(urn:nextgen.*)\n```", PAGE.read_text("utf-8")))
def test_each_example_is_a_scope(scope):
    assert grammar.parse(scope).text == scope
