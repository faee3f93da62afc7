"""A session that begins with a grant type that asks nobody: what its flow cannot give away."""

from functools import partial

import pytest

from support.records import (
    ALICE,
    MATRIX,
    NOW,
    PHONE,
    a_session,
    an_opening,
)
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.flows.begin_session import TAKEN, Beginning, begin
from synapse_nextgen_auth.oauth.grants.grant_types import GrantType
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN
from synapse_nextgen_auth.oauth.sessions import Began, End
from synapse_nextgen_auth.store import sessions

KIND = GrantType(name="made up")
ENDS = NOW + 300


def beginning(scope=MATRIX, session_id="aa" * 16, **fields):
    """Return the flow that begins a session without anybody who agreed."""
    said = {"kind": KIND, "only_new_device": True, "expires_at": ENDS} | fields
    asked = Beginning(
        opening=an_opening(session_id, **said),
        user_id=ALICE,
        client_id="app",
        scope=grammar.parse(scope),
        auth_time=NOW,
        how=Began.CODE,
    )
    return partial(begin, beginning=asked, now=NOW)


@pytest.mark.parametrize("scope", [f"{MATRIX} {ADMIN}", "openid", f"{MATRIX} email"])
def test_c311_a_scope_that_takes_a_person_begins_nothing(tables, transact, scope):
    """No session, and no event that says that somebody got an administrator's power."""
    outcome = transact(beginning(scope))

    assert outcome.value.code == "invalid_scope"
    assert tables.count("nextgen_sessions") == tables.count("nextgen_events") == 0


def test_c310_a_session_of_somebody_else_keeps_its_device(tables, transact):
    """Nothing ends where nobody was told that it would."""
    tables.run(sessions.add, a_session())

    outcome = transact(beginning())

    assert str(outcome.value) == f"access_denied: {TAKEN}"
    assert tables.query("SELECT device_id, ended_at FROM nextgen_sessions") == [(PHONE, None)]


def test_a_session_ends_when_the_token_endpoint_says(tables, transact):
    """Without a refresh token nobody could go on with it."""
    session = transact(beginning()).value

    assert session.expires_at == ENDS
    assert tables.run(sessions.get, session.session_id) == session


def test_a_scope_is_kept_as_it_is_known(transact):
    """What the server does not know is not granted."""
    session = transact(beginning(f"{MATRIX} urn:example:unknown")).value

    assert session.scope == MATRIX


def test_c349_what_was_written_already_is_answered_again(tables, transact):
    """Whichever grant type it is: the same session, and its own device does not stand in its way."""
    first = transact(beginning()).value

    assert transact(beginning()).value == first
    assert (tables.count("nextgen_sessions"), tables.count("nextgen_events")) == (1, 1)


def test_c349_what_ended_meanwhile_does_not_begin_again(tables, transact):
    """Somebody meant it."""
    session = transact(beginning()).value
    transact(end_session.end_by_id, session.session_id, why=End.LOGOUT, now=NOW)

    assert transact(beginning()).value.detail == "the session ended at once"
    assert tables.count("nextgen_sessions") == 1
