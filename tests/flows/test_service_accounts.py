"""A client that is a service account: one session, however often and from how many places it asks."""

import attrs
import pytest

from support.records import ALICE, BOB, NOW, a_device_opening, a_session
from synapse_nextgen_auth.flows import service_accounts
from synapse_nextgen_auth.flows.service_accounts import Written
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.grant_types import BY_NAME
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, API, DEVICE
from synapse_nextgen_auth.oauth.sessions import Began, End, SessionLifetimes
from synapse_nextgen_auth.store import services, sessions

ON_A_DEVICE = grammar.parse(f"{API} {DEVICE}SERVICE001")
MORE = grammar.parse(f"{API} {DEVICE}SERVICE001 {ADMIN}")
WRITTEN = Written("backup", ALICE, ON_A_DEVICE)
FOREVER = SessionLifetimes()


def ask(tables, name="a", *, written=WRITTEN, at=0, lifetimes=FOREVER):
    """Ask for a token as the token endpoint does; return the outcome."""
    opening = a_device_opening(
        name * 32,
        kind=BY_NAME["client_credentials"],
        only_new_device=False,
        expires_at=None,
    )
    return tables.run(
        service_accounts.begin_or_find, written, opening, lifetimes=lifetimes, now=NOW + at
    )


def find(tables, written=WRITTEN, *, at=0, lifetimes=FOREVER):
    return tables.run(service_accounts.find, written, lifetimes=lifetimes, now=NOW + at)


def test_the_first_request_begins_it_and_all_others_find_it(tables):
    """Whichever of two comes first: the other one has its session, and not one of its own."""
    assert find(tables) is None
    session = ask(tables).value

    assert (session.session_id, session.began_by) == ("a" * 32, Began.CLIENT)
    assert (session.user_id, session.client_id, session.scope) == (
        ALICE,
        "backup",
        ON_A_DEVICE.text,
    )
    assert session.expires_at is None
    assert find(tables) == session
    assert ask(tables, "b").value == session
    assert ask(tables, "a").value == session  # the very same request, whose answer got lost
    assert tables.run(sessions.list_living, ALICE) == [session]


@pytest.mark.parametrize(
    "change",
    [
        {"scope": MORE},
        {"user_id": BOB},
        {"words": "calendar.read"},
        {"scope": grammar.parse(f"{API} {DEVICE}SERVICE002")},
    ],
)
def test_another_configuration_is_another_session(tables, change):
    """The one of before is over, on whatever device and account it was."""
    former = ask(tables).value
    changed = attrs.evolve(WRITTEN, **change)
    outcome = ask(tables, "b", written=changed)

    assert find(tables) is None
    assert outcome.ended == (former.session_id,)
    assert tables.run(sessions.get, former.session_id).end_reason == End.REPLACED.value
    assert find(tables, changed) == outcome.value


def test_after_its_time_or_a_revocation_it_begins_anew_on_its_device(tables):
    """What is left of before is the client's own, and no application of somebody else's."""
    idle = SessionLifetimes(idle=600)
    ask(tables)
    second = ask(tables, "b", at=601, lifetimes=idle)
    assert second.value.session_id == "b" * 32
    assert tables.run(sessions.get, "a" * 32).end_reason == End.IDLE.value

    tables.run(sessions.end, second.value.session_id, why=End.REVOKED, now=NOW + 602)
    assert find(tables, at=602) is None
    assert ask(tables, "c", at=603).value.session_id == "c" * 32


def test_c310_a_device_that_somebody_uses_stays_theirs(tables):
    """Of a person's application: the operator is told, and nobody is signed out."""
    tables.run(sessions.add, a_session(session_id="d" * 32, device_id="SERVICE001"))
    outcome = ask(tables)

    assert isinstance(outcome.value, OAuthError)
    assert (outcome.value.code, outcome.ended) == ("access_denied", ())
    assert tables.run(sessions.get, "d" * 32).ended_at is None
    assert tables.run(services.list_all) == []


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ({}, End.REVOKED),
        ({"backup": attrs.evolve(WRITTEN, user_id=BOB)}, End.REVOKED),
        ({"backup": attrs.evolve(WRITTEN, scope=MORE)}, End.REPLACED),
        ({"backup": WRITTEN}, None),
    ],
)
def test_what_leaves_the_configuration_ends(tables, written, why):
    """With its device, unless the same account goes on there; what stays is not touched."""
    session = ask(tables).value
    other = ask(tables, "b", written=Written("other", BOB, ON_A_DEVICE)).value
    present = {"other": Written("other", BOB, ON_A_DEVICE), **written}
    outcome = tables.run(service_accounts.end_departed, present, now=NOW + 5)

    found = tables.run(sessions.get, session.session_id)
    assert found.end_reason == (why.value if why else None)
    assert outcome.value == (1 if why else 0)
    assert outcome.ended == ((session.session_id,) if why else ())
    assert tables.run(sessions.get, other.session_id).ended_at is None
    again = tables.run(service_accounts.end_departed, present, now=NOW + 6)
    assert again.value == 0
    assert ("backup" in {row.client_id for row in tables.run(services.list_all)}) is bool(written)
