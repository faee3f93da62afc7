"""The one table of what a scope can allow, and everything that walks it."""

import ast
from functools import cache
from pathlib import Path

import pytest

from synapse_nextgen_auth.oauth import metadata
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.scopes import grammar, permissions
from synapse_nextgen_auth.oauth.scopes.permissions import DEVICE, PERMISSIONS, ROOM

ADVERTISED = metadata.document(
    metadata.Endpoints.under("https://example.org/"), metadata.Abilities((), (), (), False, (), ())
)["scopes_supported"]
BY_SCOPE = {permission.scope: permission for permission in PERMISSIONS}


# What a client writes behind them.
BEHIND = {DEVICE: "ABCDEFGHIJ", ROOM: "!room:example.com"}


def tokens_of(permission):
    """Return what a client asks for to get this, with all that it needs."""
    wanted, left = [], [permission]
    while left:
        one = left.pop()
        token = one.scope + BEHIND.get(one.scope, "")
        if token not in wanted:
            wanted.append(token)
            left += [BY_SCOPE[scope] for scope in one.needs]
            if not any(scope in wanted for scope in one.needs_one_of):
                left += [BY_SCOPE[scope] for scope in one.needs_one_of[-1:]]
    return wanted


each = pytest.mark.parametrize("permission", PERMISSIONS, ids=lambda one: one.scope)


@cache
def named_elsewhere():
    """Return the scopes whose names code outside of the table asks for, by what they are called."""
    names = {value: name for name, value in vars(permissions).items() if name.isupper()}
    package = Path(permissions.__file__).parents[2]
    used = {
        node.id
        for source in package.rglob("*.py")
        if source != Path(permissions.__file__)
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return {scope for scope, name in names.items() if isinstance(scope, str) and name in used}


@each
def test_whatever_can_be_granted_opens_something(permission):
    """A scope that people are asked for and that no code asks for would promise what is not there."""
    assert permission.scope in named_elsewhere()


def test_each_scope_is_there_once():
    """A second line for the same scope would contradict the first."""
    assert len(BY_SCOPE) == len(PERMISSIONS)


@each
def test_what_stands_in_the_table_can_be_granted(permission):
    """With what it needs it is granted as it was asked, and is found again in the scope."""
    tokens = tokens_of(permission)
    scope = grammar.parse(" ".join(tokens))

    assert scope.tokens == tuple(tokens)
    assert permission in scope.permissions
    assert (
        permission
        not in grammar.parse("openid" if permission.scope != "openid" else "email").permissions
    )


@each
def test_what_it_needs_must_be_there(permission):
    """Each of the tokens that it needs is asked for by name when it is missing."""
    for needed in permission.needs:
        rest = [token for token in tokens_of(permission) if not token.startswith(needed)]
        with pytest.raises(OAuthError, match="must also contain") as refused:
            grammar.parse(" ".join(rest))

        assert needed in refused.value.description


@each
def test_what_can_be_granted_is_advertised_or_says_why_not(permission):
    """Nobody has to guess which scopes there are (RFC 8414, `scopes_supported`)."""
    assert (permission.scope in ADVERTISED) != bool(permission.unadvertised)


def test_what_is_advertised_can_be_granted():
    """Discovery promises nothing that a request does not get."""
    for scope in ADVERTISED:
        assert scope in grammar.parse(" ".join(tokens_of(BY_SCOPE[scope]))).tokens


@each
def test_c311_what_is_grave_takes_an_administrator(permission):
    """Every power over the server counts as such, and goes with the admin flag of the account."""
    scope = grammar.parse(" ".join(tokens_of(permission)))

    assert scope.admin == permission.grave
    assert not scope.without_admin.admin
    assert (permission in scope.without_admin.permissions) != permission.grave


def test_the_order_of_the_table_is_that_of_the_scope():
    """However a client orders its tokens, what it allows is told in one order."""
    together = [one for one in PERMISSIONS if not one.excludes]
    everything = [token for permission in together for token in tokens_of(permission)]
    scope = grammar.parse(" ".join(reversed(everything)))

    assert scope.permissions == tuple(together)


@each
def test_what_it_excludes_must_not_be_there(permission):
    """Whoever has the whole API has every room: a room beside it would promise what is not so."""
    if permission.excludes is None:
        return
    tokens = [*tokens_of(permission), *tokens_of(BY_SCOPE[permission.excludes])]

    with pytest.raises(OAuthError, match="must not narrow"):
        grammar.parse(" ".join(dict.fromkeys(tokens)))


@each
def test_one_of_what_it_goes_with_must_be_there(permission):
    """A room or a device alone opens nothing."""
    if not permission.needs_one_of:
        return
    with pytest.raises(OAuthError, match="must also contain"):
        grammar.parse(f"openid {permission.scope}{BEHIND[permission.scope]}")
    for other in permission.needs_one_of:
        tokens = [permission.scope + BEHIND[permission.scope], *tokens_of(BY_SCOPE[other])]
        assert permission in grammar.parse(" ".join(dict.fromkeys(tokens))).permissions
