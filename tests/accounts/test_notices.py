"""Which events somebody is told of: the rule, and that it knows every kind there is."""

import pytest

from support.records import ALICE, BOB
from synapse_nextgen_auth.accounts.notices import (
    HAVE_A_MAIL_OF_THEIR_OWN,
    NOTICES,
    Notice,
    Outcome,
    about,
    device_of,
    kinds_of,
    operation_of,
    outcome,
    seal_addresses,
    told,
    unseal_addresses,
)
from synapse_nextgen_auth.config import Notices as Options
from synapse_nextgen_auth.oauth.events import EventKind
from synapse_nextgen_auth.secret import Keyring

KEYS = Keyring.of(b"a master secret that is long enough")

# What its owner did a moment ago, sees anyway, or can do nothing about.
SILENT = {
    EventKind.SIGNED_IN,
    EventKind.SIGN_IN_FAILED,
    EventKind.SIGNED_OUT,
    EventKind.CONSENTED,
    EventKind.SESSION_ENDED,
    EventKind.REFRESHED_ELSEWHERE,
    EventKind.ADMIN_GRANTED,
    EventKind.ADMIN_USED,
    EventKind.REVOKED_BY_ANOTHER,
    EventKind.LEGACY_LOGIN_ALLOWED,
    EventKind.PASSWORD_LINK_MADE,
    EventKind.ALL_SIGNED_OUT,
    EventKind.APP_REVOKED,
    # Several of them are told.
    EventKind.FACTOR_REFUSED,
    # What somebody asks for has notices of its own, which no option switches off.
    EventKind.FACTOR_REMOVAL_ASKED,
    EventKind.OPERATION_REFUSED,
    EventKind.PERSONAL_TOKEN_ENDED,
    EventKind.INVITATION_MADE,
    EventKind.INVITATION_ENDED,
    EventKind.KEY_ROTATED,
    EventKind.ADMIN_CHANGED,
    EventKind.GIVEN_UP,
}


def test_of_every_kind_of_event_it_was_decided_whether_somebody_is_told():
    """A new kind is in one of the two, and in no other place."""
    assert {kind.value for kind in EventKind} == set(NOTICES) | {kind.value for kind in SILENT}
    assert set(NOTICES).isdisjoint(kind.value for kind in SILENT)
    assert set(NOTICES) >= HAVE_A_MAIL_OF_THEIR_OWN


@pytest.mark.parametrize("notice", Notice)
def test_each_notice_is_one_option(notice):
    """Switched off, no event of it is told."""
    assert getattr(Options(), notice.value) is True
    assert kinds_of(notice)
    assert told([notice]) == set(kinds_of(notice))


@pytest.mark.parametrize(
    ("kind", "detail", "notice"),
    [
        ("session_begun", "device ABC", Notice.NEW_DEVICE),
        ("legacy_session_begun", "device ABC", Notice.NEW_DEVICE),
        ("session_begun", None, None),  # a website that knows who somebody is
        ("password_changed", None, Notice.PASSWORD),
        ("address_removed", "anything", Notice.ADDRESSES),
        ("signed_in", None, None),
        ("of a later release", None, None),
    ],
)
def test_a_session_without_a_device_is_no_new_device(kind, detail, notice):
    assert about(kind, detail) is notice


@pytest.mark.parametrize(
    ("detail", "device"), [(None, None), ("", None), ("scope", None), ("device A B", "A B")]
)
def test_the_device_of_an_event_is_what_its_detail_names(detail, device):
    assert device_of(detail) == device


def test_c234_addresses_that_are_gone_are_sealed():
    """Whoever reads the database reads none."""
    sealed = seal_addresses(KEYS, ["anna@example.com", "a@b.example"])

    assert "anna" not in sealed
    assert unseal_addresses(KEYS, sealed) == ("anna@example.com", "a@b.example")
    assert unseal_addresses(Keyring.of(b"another" * 8), sealed) is None


@pytest.mark.parametrize(
    ("detail", "operation", "device"),
    [
        ("delete_devices", "delete_devices", None),
        ("delete_devices device A B", "delete_devices", "A B"),
        ("device delete_devices", None, "delete_devices"),
        ("command: for device A", None, None),
        (None, None, None),
    ],
)
def test_what_was_approved_and_which_device_asked_is_read_back(detail, operation, device):
    """A reason that an operator wrote names neither."""
    assert operation_of(detail) == operation
    assert device_of(detail) == device


@pytest.mark.parametrize(
    ("answered_by", "times", "became"),
    [
        (ALICE, (1, None), Outcome.APPROVED),
        (ALICE, (1, 2), Outcome.APPROVED),
        (ALICE, (None, 2), Outcome.REFUSED),
        (ALICE, (None, None), Outcome.OVER),
        (BOB, (1, None), Outcome.OVER),
        (BOB, (None, 2), Outcome.OVER),
        (None, (None, 2), Outcome.OVER),
        (None, (None, None), Outcome.OVER),
    ],
)
def test_nobody_is_told_of_an_answer_that_they_did_not_give(answered_by, times, became):
    """Who named the account may have given it; what was taken back later was allowed all the same."""
    approved_at, refused_at = times
    found = outcome(
        approved_at=approved_at, refused_at=refused_at, answered_by=answered_by, user_id=ALICE
    )

    assert found is became
