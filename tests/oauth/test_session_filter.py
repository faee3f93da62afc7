"""Which sessions are meant, and what nobody ends by accident."""

import pytest

from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, API
from synapse_nextgen_auth.oauth.session_filter import (
    SessionFilter,
    ends_too_much,
    is_scope_token,
)

NARROW = [
    {"user_id": "@alice:example.com"},
    {"clients": ("app",)},
    {"clients": ()},
    {"sign_in_id": "s"},
    {"scopes": (ADMIN,)},
    {"has_device": False},
    {"address": "192.0.2.1"},
    {"owner_id": "@root:example.com"},
    {"expires": False},
    {"expires_before": 1},
    {"expires_after": 1},
    {"created_before": 1},
    {"created_after": 1},
    {"active_before": 1},
    {"active_after": 0},
]
WIDE = [
    {},
    {"is_living": True},
    {"is_personal": False},
    {"scopes": (API,)},
    {"but_clients": ("a",)},
]


@pytest.mark.parametrize("fields", NARROW, ids=str)
def test_what_leaves_something_out_narrows(fields):
    assert SessionFilter(**fields).narrows


@pytest.mark.parametrize("fields", WIDE, ids=str)
def test_what_nearly_everything_has_does_not(fields):
    """Everything would end that is signed in: refused without a word that this is meant."""
    meant = SessionFilter(**fields)

    assert not meant.narrows
    assert ends_too_much(meant, matching=3, living=9, is_all_meant=False)
    assert not ends_too_much(meant, matching=9, living=9, is_all_meant=True)


@pytest.mark.parametrize(
    ("fields", "matching", "is_too_much"),
    [
        ({"active_before": 2**40}, 9, True),
        ({"created_after": 0}, 9, True),
        ({"active_before": 5}, 8, False),
        ({"has_device": True}, 9, True),
        ({"user_id": "@a:b"}, 9, False),  # the only account that is signed in
        ({"clients": ("app",)}, 9, False),
        ({"address": "192.0.2.1"}, 9, False),
        ({"active_before": 2**40}, 0, False),
    ],
    ids=str,
)
def test_times_that_leave_nothing_out_end_everything_too(fields, matching, is_too_much):
    meant = SessionFilter(**fields)

    assert ends_too_much(meant, matching=matching, living=9, is_all_meant=False) is is_too_much


@pytest.mark.parametrize("token", [ADMIN, API, "openid", "a!b#"])
def test_what_a_scope_may_have_in_it(token):
    assert is_scope_token(token)


@pytest.mark.parametrize("token", ["", "a b", 'a"b', "a\\b", "ü", "a\n", "a\0"])
def test_what_it_cannot(token):
    assert not is_scope_token(token)
