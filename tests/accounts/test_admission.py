"""Who may go on: every state of an account, for everything that somebody does with one."""

import ast
from pathlib import Path

import pytest

import synapse_nextgen_auth
from synapse_nextgen_auth.accounts.admission import (
    Asked,
    Intent,
    Unfit,
    is_asked_afresh,
    matters,
    refuse,
)
from synapse_nextgen_auth.accounts.people import Account, Standing

PACKAGE = Path(synapse_nextgen_auth.__file__).parent

IN_STATE = {
    Standing.DEACTIVATED: {"is_deactivated": True},
    Standing.LOCKED: {"is_locked": True},
    Standing.GUEST: {"is_guest": True},
    Standing.APPSERVICE: {"is_appservice": True},
    Standing.APPROVAL_PENDING: {"is_approved": False},
    Standing.EXPIRED: {"is_expired": True},
    Standing.SERVER_LIMIT: {"exceeds_limit": True},
    Standing.BLOCKED: {"is_blocked": True},
}
NOBODY_ELSE = {Standing.DEACTIVATED}
EVERYBODY = set(Standing)
STOPPED = {
    Intent.SIGN_IN: EVERYBODY,
    Intent.CONSENT: EVERYBODY,
    Intent.COLLECT: EVERYBODY,
    Intent.SET_PASSWORD: {
        Standing.DEACTIVATED,
        Standing.LOCKED,
        Standing.GUEST,
        Standing.APPSERVICE,
    },
    Intent.REFRESH: NOBODY_ELSE,
    Intent.USE: {Standing.DEACTIVATED, Standing.LOCKED},
    Intent.MATRIX_API: NOBODY_ELSE,
    Intent.KEEP: NOBODY_ELSE,
}


def alice(**fields):
    return Account("@alice:example.com", **fields)


@pytest.mark.parametrize("intent", Intent)
@pytest.mark.parametrize("standing", Standing)
def test_c101_c145_who_may_go_on(standing, intent):
    """A row for every state and every intent; what is not written down here fails."""
    expected = standing if standing in STOPPED[intent] else None

    assert refuse(alice(**IN_STATE[standing]), intent) is expected
    assert refuse(alice(is_admin=True, **IN_STATE[standing]), intent) is expected
    assert matters(standing, intent) is (expected is not None)


@pytest.mark.parametrize("intent", Intent)
def test_c190_an_account_that_is_not_there_never_may(intent):
    """Whatever for; and one about which nothing is known to be wrong always may."""
    assert refuse(None, intent) is Standing.DEACTIVATED
    assert refuse(alice(), intent) is None
    assert refuse(alice(is_admin=True), intent) is None
    assert refuse(alice(is_shadow_banned=True), intent) is None


def test_c145_what_cannot_be_looked_at_later_is_asked_of_the_database():
    """Another process may have changed the account a moment ago."""
    assert {each for each in Intent if is_asked_afresh(each)} == {
        Intent.COLLECT,
        Intent.KEEP,
        Intent.SET_PASSWORD,
    }


@pytest.mark.parametrize(
    ("fields", "standing"),
    [
        ({}, None),
        ({"is_admin": True}, None),
        ({"is_deactivated": True}, Standing.DEACTIVATED),
        ({"is_locked": True}, Standing.LOCKED),
        ({"is_guest": True}, Standing.GUEST),
        ({"is_appservice": True}, Standing.APPSERVICE),
        ({"is_approved": False}, Standing.APPROVAL_PENDING),
        ({"is_expired": True}, Standing.EXPIRED),
        ({"exceeds_limit": True}, Standing.SERVER_LIMIT),
        ({"is_deactivated": True, "is_locked": True}, Standing.DEACTIVATED),
        ({"is_locked": True, "exceeds_limit": True}, Standing.LOCKED),
        ({"is_locked": True, "is_admin": True}, Standing.LOCKED),
    ],
)
def test_who_may_sign_in(fields, standing):
    """What lasts is told before what passes."""
    assert refuse(alice(**fields), Intent.SIGN_IN) is standing


@pytest.mark.parametrize(
    ("is_admin", "asked", "why"),
    [
        (False, Asked(), None),
        (True, Asked(admin=True), None),
        (False, Asked(admin=True), Unfit.ADMIN),
        (True, Asked(device_is_taken=True), Unfit.DEVICE),
        (False, Asked(has_room=False), Unfit.ROOM),
        (False, Asked(admin=True, device_is_taken=True, has_room=False), Unfit.ADMIN),
        (True, Asked(admin=True, device_is_taken=True, has_room=False), Unfit.DEVICE),
        (True, Asked(admin=True, has_room=False), Unfit.ROOM),
    ],
)
def test_c310_c311_c314_who_may_let_an_application_in(is_admin, asked, why):
    """The power over the server, and a device, are only whose they are."""
    account = alice(is_admin=is_admin)

    assert refuse(account, Intent.CONSENT, asked) is why


@pytest.mark.parametrize("standing", Standing)
def test_what_is_asked_for_matters_only_to_whoever_may_go_on_at_all(standing):
    """A locked account is told that, and not that a device is not its own."""
    asked = Asked(admin=True, device_is_taken=True, has_room=False)

    assert refuse(alice(**IN_STATE[standing]), Intent.CONSENT, asked) is standing


def test_nobody_gets_an_account_without_the_verdict():
    """Two calls find an account in Synapse: only what passes the verdict on it makes them."""
    finding = {
        (str(file.relative_to(PACKAGE)), node.attr)
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if (
            isinstance(node, ast.Attribute)
            and node.attr in {"get_user_by_id", "get_userinfo_by_id"}
        )
        or _is_lookup(node)
    }

    assert finding == {
        ("homeserver/api.py", "get_user_by_id"),
        ("homeserver/api.py", "user_now"),
        # What is remembered of one whose verdict was nothing but good, and its name.
        ("homeserver/auth/joined.py", "get_user_by_id"),
        ("homeserver/auth/joined.py", "user"),
        # What asks for many at once in the place of Synapse's own method.
        ("homeserver/database/lookups.py", "get_user_by_id"),
        ("homeserver/people/accounts.py", "user"),
        ("homeserver/people/accounts.py", "user_now"),
        # Only whether the account of the doctor is open, or there.
        ("homeserver/people/trials.py", "user_now"),
        # Only whether somebody is an administrator, which lets nobody in.
        ("homeserver/people/second_factors.py", "user"),
    }


def _is_lookup(node):
    """Say whether this is `homeserver.user` or `user_now`, whatever is before it."""
    if not isinstance(node, ast.Attribute) or node.attr not in {"user", "user_now"}:
        return False
    owner = node.value
    return getattr(owner, "attr", getattr(owner, "id", "")).lstrip("_") in {"homeserver", "self"}
