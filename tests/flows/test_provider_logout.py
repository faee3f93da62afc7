"""An identity provider ends a sign-in of its own (OpenID Connect Back-Channel Logout 1.0)."""

import pytest

from support.records import ALICE, BOB, NOW, a_session, a_sign_in
from synapse_nextgen_auth.flows import provider_logout
from synapse_nextgen_auth.flows.provider_logout import Ended
from synapse_nextgen_auth.oauth.sessions import SOFT_ENDS, End
from synapse_nextgen_auth.store import sessions, sign_ins

THERE = {"provider": "oidc-works", "provider_session": "there-1"}
ENDED = Ended("oidc-works", "there-1")


@pytest.fixture
def begun(tables):
    """Keep a sign-in through the provider, a session that began in it, and others of that account."""
    tables.run(sign_ins.add, a_sign_in("laptop", sign_in_id="s1", **THERE))
    tables.run(sign_ins.add, a_sign_in("phone", sign_in_id="s2"))
    for number, sign_in_id in enumerate(("s1", "s2", None)):
        fields = {"session_id": f"{number:02}" * 16, "device_id": f"D{number}"}
        tables.run(sessions.add, a_session(sign_in_id=sign_in_id, **fields))


def living(tables):
    """Return which sign-ins each session that lives began in."""
    return sorted(str(each.sign_in_id) for each in tables.run(sessions.list_living, ALICE))


def is_signed_in(tables, secret):
    return tables.run(sign_ins.get, a_sign_in(secret).digest).ended_at is None


@pytest.mark.usefixtures("begun")
def test_the_browser_is_signed_out_and_what_began_there_is_over(tables):
    """Other browsers of the same person, and what began in them, are none of the provider's business."""
    over = tables.run(provider_logout.end, ENDED, why=End.PROVIDER, now=NOW).value

    assert [session.device_id for session in over] == ["D0"]
    assert not is_signed_in(tables, "laptop")
    assert is_signed_in(tables, "phone")
    assert living(tables) == ["None", "s2"]
    assert End.PROVIDER in SOFT_ENDS, "people keep device and keys, and sign in again"


@pytest.mark.usefixtures("begun")
def test_sessions_may_go_on(tables):
    """Where the operator wants that, only the browser is signed out."""
    assert tables.run(provider_logout.end, ENDED, why=None, now=NOW).value == []
    assert not is_signed_in(tables, "laptop")
    assert len(living(tables)) == 3


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize(
    "ended",
    [
        Ended("oidc-other", "there-1"),
        Ended("oidc-works", "there-2"),
        Ended("oidc-works", "there-1", user_id=BOB),
    ],
)
def test_nothing_else_ends(tables, ended):
    """Not of another provider that gives the same id, and not of another person than it says."""
    assert tables.run(provider_logout.end, ended, why=End.PROVIDER, now=NOW).value == []
    assert is_signed_in(tables, "laptop")
    assert len(living(tables)) == 3


@pytest.mark.usefixtures("begun")
def test_once_is_enough(tables):
    """A provider that says it again changes nothing."""
    tables.run(provider_logout.end, ENDED, why=End.PROVIDER, now=NOW)

    assert tables.run(provider_logout.end, ENDED, why=End.PROVIDER, now=NOW + 5).value == []
