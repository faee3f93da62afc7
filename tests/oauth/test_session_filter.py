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
    {"clients": ("a", "b"), "are_clients_named": False},
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
        ({"address": "192.0.2.1"}, 9, True),  # that of the proxy
        ({"address": "192.0.2.1"}, 8, False),
        ({"clients": ("a", "b"), "are_clients_named": False, "has_device": True}, 9, True),
        ({"is_personal": True, "has_device": True}, 9, True),
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


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"has_device": True}, {}),
        ({"is_personal": True, "has_device": True}, {"is_personal": True}),
        ({"but_clients": ("a",), "created_before": 9}, {"but_clients": ("a",)}),
        ({"clients": ("a",), "address": "192.0.2.1"}, {}),
        (
            {"clients": ("a",), "are_clients_named": False, "scopes": (ADMIN,)},
            {"clients": ("a",), "are_clients_named": False},
        ),
    ],
    ids=str,
)
def test_everything_is_everything_of_a_kind(fields, kind):
    """All personal tokens are no accident less than all that there is."""
    assert SessionFilter(**fields).of_its_kind == SessionFilter(is_living=True, **kind)
