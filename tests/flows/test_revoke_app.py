"""Taking from an application what it was allowed: sessions, what is remembered, what is under way."""

from support.records import ADDRESS, ALICE, BOB, NOW, a_session
from synapse_nextgen_auth.flows import revoke_app
from synapse_nextgen_auth.store import consents, sessions


def revoke(tables, user_id=ALICE, client_id="app"):
    return tables.transact(revoke_app.revoke, user_id, client_id, now=NOW, address=ADDRESS)


def remember(tables, user_id=ALICE, client_id="app"):
    tables.run(consents.remember, user_id=user_id, client_id=client_id, scope="openid", now=NOW)


def test_its_sessions_end_and_what_was_agreed_is_forgotten(tables):
    """And the owner finds it among the events."""
    tables.run(sessions.add, a_session(client_id="app"))
    remember(tables)
    outcome = revoke(tables)

    assert [session.session_id for session in outcome.value] == [a_session().session_id]
    assert tables.run(sessions.list_living, ALICE) == []
    assert tables.run(consents.list_of, ALICE) == []
    kinds = [row[0] for row in tables.query("SELECT kind FROM nextgen_events")]
    assert kinds.count("app_revoked") == 1


def test_c301_nothing_of_another_account_or_application_is_touched(tables):
    tables.run(sessions.add, a_session(session_id="1", client_id="app", user_id=BOB))
    tables.run(sessions.add, a_session(session_id="2", client_id="other"))
    remember(tables, BOB)
    remember(tables, ALICE, "other")
    revoke(tables)

    assert len(tables.run(sessions.list_living, BOB)) == 1
    assert len(tables.run(sessions.list_living, ALICE)) == 1
    assert len(tables.run(consents.list_of, BOB)) == 1
    assert len(tables.run(consents.list_of, ALICE)) == 1


def test_what_was_never_let_in_is_no_event(tables):
    """Whoever tries ids that are not there fills no table."""
    revoke(tables, client_id="nobody")

    assert tables.count("nextgen_events") == 0
