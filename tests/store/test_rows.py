"""Rows come back as they went in, and the database itself keeps what must be unique."""

import sqlite3

import attrs
import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.records import ALICE, BOB, NOW, a_client, a_grant, a_session, a_sign_in
from synapse_nextgen_auth.accounts.approvals import Approval, Operation
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.grants.authorization import Grant, ResponseMode
from synapse_nextgen_auth.oauth.sessions import Began, End, Session
from synapse_nextgen_auth.store import (
    approvals,
    assertions,
    clients,
    events,
    grants,
    sessions,
    sign_ins,
)

INTEGRITY = (sqlite3.IntegrityError, psycopg2.IntegrityError)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
times = st.integers(0, 2**62)
ANY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def anything(of, **fixed):
    """Return a strategy for records whose every field is used."""
    chosen = {"int": times, "str": texts, "int | None": times, "str | None": texts}
    named = {
        field.name: chosen.get(str(getattr(field.type, "__name__", field.type)), texts)
        for field in attrs.fields(of)
    }
    return st.builds(of, **named | fixed)


@ANY
@given(
    anything(
        Session,
        device_id=st.none() | texts,
        ended_at=times,
        began_by=st.none() | st.sampled_from(Began),
    )
)
def test_a_session_comes_back_as_it_was(tables, session):
    """Every column in its place."""
    with tables.begin() as txn:
        txn.execute("DELETE FROM nextgen_sessions")
        sessions.add(txn, session)
        assert sessions.get(txn, session.session_id) == session


@ANY
@given(
    anything(
        Grant, response_mode=st.sampled_from(ResponseMode), scope=st.just("openid"), state=texts
    )
)
def test_a_grant_comes_back_as_it_was(tables, grant):
    """Every column in its place, the state octet for octet."""
    with tables.begin() as txn:
        txn.execute("DELETE FROM nextgen_grants")
        grants.add(txn, grant)
        assert grants.get(txn, grant.grant_id) == grant


@ANY
@given(anything(Approval, operation=st.sampled_from(Operation)))
def test_an_approval_comes_back_as_it_was(tables, approval):
    """Every column in its place."""
    with tables.begin() as txn:
        txn.execute("DELETE FROM nextgen_approvals")
        approvals.add(txn, approval)
        assert approvals.get(txn, approval.approval_id) == approval


@ANY
@given(st.builds(Event, st.sampled_from(EventKind), times, texts, texts, texts, texts, texts))
def test_an_event_comes_back_as_it_was(tables, event):
    """Every column in its place; one with an id of its own is added once."""
    event = attrs.evolve(event, event_id="id")
    with tables.begin() as txn:
        txn.execute("DELETE FROM nextgen_events")
        events.add(txn, event)
        events.add(txn, event)
        txn.execute(
            "SELECT kind, happened_at, user_id, client_id, session_id, address, detail, event_id"
            " FROM nextgen_events"
        )
        assert [Event(EventKind(kind), *rest) for kind, *rest in txn.fetchall()] == [event]


def test_the_same_thing_twice_is_two_events(tables):
    """Also within a second; only an attempt that is repeated adds nothing (C347)."""
    event = Event(EventKind.SIGNED_OUT, NOW, ALICE, address="192.0.2.1")
    later = attrs.evolve(event, happened_at=NOW + 1)
    places: dict[str, int] = {}
    with tables.begin("seed", places) as txn:
        events.add(txn, event)
        events.add(txn, event)
    with tables.begin(
        "seed", places
    ) as txn:  # the commit was not heard of, and there is more to say
        for each in (later, event, event):
            events.add(txn, each)

    assert tables.query("SELECT happened_at FROM nextgen_events ORDER BY happened_at") == [
        (NOW,),
        (NOW,),
        (NOW + 1,),
    ]
    tables.run(events.add, event)
    assert tables.count("nextgen_events") == 4


def test_c351_a_device_has_one_living_session(tables):
    """The database says so, whatever the code thinks; ended ones and device-less ones do not count."""
    ended = {"ended_at": NOW, "end_reason": End.REPLACED.value}
    for n, fields in enumerate([{}, ended, ended, {"user_id": BOB}, *[{"device_id": None}] * 2]):
        tables.run(sessions.add, a_session(session_id=f"{n}", **fields))

    with pytest.raises(INTEGRITY):
        tables.run(sessions.add, a_session(session_id="another"))
    assert tables.count("nextgen_sessions") == 6


def test_c351_a_code_opens_one_grant(tables):
    """Two grants can never share one."""
    for name in ("one", "two"):
        tables.run(grants.add, a_grant(grant_id=name))
    wish = {
        "by": a_sign_in(),
        "acr": "acr",
        "proven_at": None,
        "code_expires_at": NOW + 1,
        "now": NOW,
    }
    wish["expires_at"] = NOW + 2
    assert tables.run(grants.approve, "one", code_digest="code", **wish)

    with pytest.raises(INTEGRITY):
        tables.run(grants.approve, "two", code_digest="code", **wish)


@pytest.mark.parametrize(
    "add",
    [
        lambda txn: sessions.add(txn, a_session(device_id=None)),
        lambda txn: grants.add(txn, a_grant()),
        lambda txn: sign_ins.add(txn, a_sign_in()),
    ],
    ids=["session", "grant", "browser"],
)
def test_c351_an_id_is_there_once(tables, add):
    """Random ids never meet; should one be sent in twice, the second is refused."""
    tables.run(add)

    with pytest.raises(INTEGRITY):
        tables.run(add)


def test_a_client_without_a_digest_shares_with_nobody(tables):
    """Several may have none."""
    assert tables.run(clients.add, a_client(client_id="one"), digest=None)
    assert tables.run(clients.add, a_client(client_id="two"), digest=None)
    assert not tables.run(clients.add, a_client(client_id="two"), digest="d")
    assert tables.run(clients.add, a_client(client_id="three"), digest="d")
    assert not tables.run(clients.add, a_client(client_id="four"), digest="d")


def test_an_assertion_is_good_once_for_each_client(tables, transact):
    """The same `jti` of another client is another assertion."""
    wish = {"jti": "j", "expires_at": NOW}

    assert transact(assertions.spend, client_id="app", **wish) is True
    assert transact(assertions.spend, client_id="app", **wish) is False
    assert transact(assertions.spend, client_id="other", **wish) is True


def test_an_assertion_spent_at_once_is_good_once(tables):
    """Whichever process sees it first."""

    def spend(txn):
        return assertions.spend(txn, client_id="app", jti="j", expires_at=NOW)

    assert sorted(tables.race([spend] * 8)) == [False] * 7 + [True]


def test_living_sessions_are_listed_the_oldest_first(tables, transact):
    """Of one account."""
    for n, fields in enumerate(
        [{"created_at": NOW + 5}, {"ended_at": NOW}, {"user_id": BOB}, {"created_at": NOW - 5}]
    ):
        tables.run(sessions.add, a_session(session_id=f"{n}", device_id=None, **fields))

    assert [s.session_id for s in transact(sessions.list_living, ALICE)] == ["3", "0"]
