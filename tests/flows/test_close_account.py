"""What goes with an account that is closed."""

import attrs
import pytest

from support.records import (
    ADDRESS,
    ALICE,
    BOB,
    NOW,
    a_proof,
    a_session,
    a_sign_in,
    an_attempt,
)
from synapse_nextgen_auth.accounts.approvals import Approval, Operation, Request
from synapse_nextgen_auth.accounts.attempts.attempt import Purpose
from synapse_nextgen_auth.accounts.codes import Code
from synapse_nextgen_auth.accounts.invitations import Invitation
from synapse_nextgen_auth.accounts.outbox import LEASE
from synapse_nextgen_auth.accounts.works import FinishClosing, JoinRoom
from synapse_nextgen_auth.flows import approve_operation, close_account, invitations
from synapse_nextgen_auth.flows import attempts as flows
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.store import (
    approvals,
    attempts,
    codes,
    consents,
    outbox,
    sessions,
    sign_ins,
)
from synapse_nextgen_auth.store import invitations as rows


def test_c302_what_its_person_agreed_to_goes_with_it(tables):
    """And nothing of another account."""
    with tables.begin() as txn:
        for user_id in (ALICE, BOB):
            consents.remember(txn, user_id=user_id, client_id="app", scope="openid", now=NOW)

    tables.run(close_account.clear, ALICE, now=NOW)

    assert tables.query("SELECT user_id FROM nextgen_consents") == [(BOB,)]


WORK = FinishClosing(ALICE, 1, ADDRESS, "sealed")


def mark(tables):
    with tables.begin() as txn:
        txn.execute("UPDATE users SET deactivated = 1 WHERE name = ?", (ALICE,))


def written(tables):
    return tables.query("SELECT kind, user_id, address FROM nextgen_events")


@pytest.fixture
def people(tables):
    with tables.begin() as txn:
        txn.execute("DELETE FROM users")
        txn.execute("INSERT INTO users (name, deactivated) VALUES (?, 0)", (ALICE,))
        consents.remember(txn, user_id=ALICE, client_id="app", scope="openid", now=NOW)


@pytest.mark.usefixtures("people")
def test_c317_whoever_comes_first_finishes_what_was_begun(tables):
    """Who closed it, or the main process later: once, with what its person hears of it."""
    tables.run(close_account.expect, WORK, now=NOW)
    [(due,)] = tables.query("SELECT due_at FROM nextgen_outbox WHERE kind = 'finish_closing'")
    mark(tables)
    for later in (1, 2):
        tables.run(close_account.finish, WORK, now=NOW + later)

    assert due == NOW + LEASE
    assert written(tables) == [("account_deactivated", ALICE, ADDRESS)]
    assert tables.query("SELECT user_id FROM nextgen_consents") == []
    assert tables.query("SELECT 1 FROM nextgen_outbox WHERE kind = 'finish_closing'") == []


@pytest.mark.usefixtures("people")
def test_of_what_came_to_nothing_nothing_is_left(tables):
    """The mark failed: the account is as it was, and nobody hears of it."""
    tables.run(close_account.expect, WORK, now=NOW)
    tables.run(close_account.finish, WORK, now=NOW + LEASE)

    assert written(tables) == []
    assert tables.query("SELECT user_id FROM nextgen_consents") == [(ALICE,)]
    assert tables.query("SELECT 1 FROM nextgen_outbox WHERE kind = 'finish_closing'") == []


@pytest.mark.usefixtures("people")
def test_of_a_closing_by_an_administrator_its_person_hears_nothing(tables):
    work = FinishClosing(ALICE, 0, "", "")
    tables.run(close_account.expect, work, now=NOW)
    mark(tables)
    tables.run(close_account.finish, work, now=NOW)

    assert written(tables) == []
    assert tables.query("SELECT user_id FROM nextgen_consents") == []


@pytest.mark.parametrize("closed", [ALICE, BOB])
def test_c317_whatever_was_under_way_ends_with_the_account(tables, transact, closed):
    """Attempts, proven or not, codes, and what waits for an approval: not only refused, but over."""
    goes_on = closed != ALICE
    begun = an_attempt(attempt_id="begun", purpose=Purpose.PROVE_AGAIN, user_id=ALICE)
    proven = an_attempt(attempt_id="proven").having(a_proof())
    code = Code("begun", "mac", "sealed", "mail", NOW, NOW + 600, 0)
    request = Request(ALICE, "5e" * 16, "PHONE", Operation.DEACTIVATE, "POST", "/x", "digest")
    legacy = attrs.evolve(request, session_id=ALICE)
    asked = [
        Approval.asked(name, each, ui_session=name, details="x", address=ADDRESS, now=NOW)
        for name, each in (("ours", request), ("legacy", legacy))
    ]
    by = a_sign_in()
    with tables.begin() as txn:
        sessions.add(txn, a_session(session_id=request.session_id))
        sign_ins.add(txn, by)
        codes.put(txn, code)
        for attempt in (begun, proven):
            attempts.add(txn, attempt)
        for approval in asked:
            approvals.add(txn, approval)

    tables.run(close_account.clear, closed, now=NOW)

    browser = begun.browser
    for attempt in (begun, proven):
        found = transact(flows.find, attempt.attempt_id, browser=browser, now=NOW + 1)
        assert found == (attempt if goes_on else Lost.ENDED)
    assert transact(codes.get, "begun") == (code if goes_on else None)
    assert [
        transact(approve_operation.approve, each, by=by, now=NOW + 1, address=None)
        for each in asked
    ] == [goes_on] * 2


def test_a_closed_account_is_to_join_no_room_any_more(tables):
    """Its invitation named some, and their servers were away until then."""
    with tables.begin() as txn:
        for user_id in (ALICE, BOB):
            outbox.put(txn, JoinRoom(user_id=user_id, room="!a:b", invited_by=""), now=NOW)

    tables.run(close_account.clear, ALICE, now=NOW + 1)

    assert tables.query("SELECT kind, subject FROM nextgen_outbox") == [("join_room", BOB)]


def test_whoever_was_invited_by_a_closed_account_comes_in_no_more(tables):
    """What was used, and what others made, stays as it is."""
    for token, member in (("mine", ALICE), ("used", ALICE), ("theirs", BOB)):
        slot = {"mine": 0, "used": 1, "theirs": 0}[token]
        made = Invitation(
            token=token, made_at=NOW, expires_at=NOW + 60, invited_by=member, slot=slot
        )
        tables.run(invitations.make, made, uses=1, by="member", now=NOW)
    with tables.begin() as txn:
        txn.execute("UPDATE registration_tokens SET completed = 1 WHERE token = 'used'")
    tables.run(close_account.clear, ALICE, now=NOW + 1)

    assert sorted(tables.query("SELECT token, expires_at FROM nextgen_invitations")) == [
        ("mine", NOW + 1),
        ("theirs", NOW + 60),
        ("used", NOW + 60),
    ]
    assert not tables.run(rows.hold, "mine", now=NOW + 2)
    assert tables.run(rows.hold, "theirs", now=NOW + 2)
    assert tables.query(
        "SELECT user_id, detail FROM nextgen_events WHERE kind = 'invitation_ended'"
    ) == [(ALICE, "closed")]
