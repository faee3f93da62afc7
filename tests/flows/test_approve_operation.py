"""A person lets one session do one dangerous thing, once, within minutes."""

from functools import partial

import pytest

from support.records import ADDRESS, ALICE, BOB, NOW, a_place, a_session, a_sign_in
from synapse_nextgen_auth.accounts.approvals import WINDOW, Approval, Operation
from synapse_nextgen_auth.flows import approve_operation, end_session, sign_in
from synapse_nextgen_auth.store import approvals, sessions, sign_ins

RESET = Operation.CROSS_SIGNING_RESET
SESSION = "5e" * 16


def an_approval(**fields):
    """Return what a session asks for."""
    return Approval(
        **{
            "approval_id": "a1",
            "user_id": ALICE,
            "session_id": SESSION,
            "operation": RESET,
            "requested_at": NOW,
            **fields,
        }
    )


def asked_and_approved(tables, *, at=0, **fields):
    """Take an approval to where the client may use it."""
    approval = an_approval(**fields)
    tables.run(approve_operation.ask, approval)
    assert tables.run(approve_operation.approve, approval, now=NOW + at, address=ADDRESS)
    return approval


def use(*, at=0, user_id=ALICE, session_id=SESSION):
    """Return the flow that uses it up."""
    return partial(
        approve_operation.use,
        user_id=user_id,
        session_id=session_id,
        operation=RESET,
        now=NOW + at,
    )


def test_c299_an_approval_works_once(tables, transact):
    """And is written down."""
    asked_and_approved(tables)

    assert transact(use(at=1)) is True
    assert transact(use(at=2)) is False
    assert tables.query(
        "SELECT kind, user_id, session_id, address, detail FROM nextgen_events"
    ) == [("operation_approved", ALICE, SESSION, ADDRESS, RESET.value)]


def test_c299_used_at_once_it_works_once(tables):
    """Two requests of the same client, or of a thief beside it."""
    asked_and_approved(tables)

    assert sorted(tables.race([use(at=1)] * 6)) == [False] * 5 + [True]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"user_id": BOB}, id="other-account"),
        pytest.param({"session_id": "5f" * 16}, id="other-session"),
    ],
)
def test_c299_nobody_else_can_use_it(tables, transact, other):
    """A second device's stolen token gains nothing, and takes nothing away."""
    asked_and_approved(tables)

    assert transact(use(at=1, **other)) is False
    assert transact(use(at=1)) is True


@pytest.mark.parametrize(
    ("at", "works"), [(WINDOW, True), (WINDOW + 1, False), (-60, True), (-62, False)]
)
def test_c299_it_works_for_ten_minutes(tables, transact, at, works):
    """Counted from the approval; one that a clock gave that ran ahead is no good."""
    asked_and_approved(tables)

    assert WINDOW == 600
    assert transact(use(at=at)) is works


def test_without_approval_there_is_nothing_to_use(tables, transact):
    """Asking is not enough."""
    tables.run(approve_operation.ask, an_approval())

    assert transact(use(at=1)) is False


def test_asking_again_is_the_same_question(tables, transact):
    """A client asks on every try; the person has one page to decide on."""
    first = transact(approve_operation.ask, an_approval())
    again = transact(
        approve_operation.ask, an_approval(approval_id="a2", requested_at=NOW + WINDOW // 2)
    )

    assert again == first
    assert transact(approvals.get, "a2") is None


@pytest.mark.parametrize(
    "later",
    [
        pytest.param({"requested_at": NOW + WINDOW // 2 + 1}, id="later"),
        pytest.param({"requested_at": NOW - 3600}, id="c379-asked-by-a-clock-that-ran-ahead"),
        pytest.param({"session_id": "5f" * 16}, id="other-session"),
    ],
)
def test_a_new_question_gets_a_new_page(tables, transact, later):
    """So that a person never decides on what is about to run out."""
    transact(approve_operation.ask, an_approval())

    asked = transact(approve_operation.ask, an_approval(approval_id="a2", **later))

    assert asked.approval_id == "a2"
    assert transact(approvals.get, "a2") == asked


def test_after_its_use_the_next_question_is_new(tables, transact):
    """One approval, one reset."""
    asked_and_approved(tables)
    transact(use(at=1))

    asked = transact(approve_operation.ask, an_approval(approval_id="a2", requested_at=NOW + 2))

    assert asked.approval_id == "a2"


def test_approving_twice_counts_once(tables, transact):
    """Nor can a used one be approved again."""
    approval = asked_and_approved(tables)

    assert transact(approve_operation.approve, approval, now=NOW + 1, address=None) is False
    transact(use(at=2))
    assert transact(approve_operation.approve, approval, now=NOW + 3, address=None) is False
    assert transact(use(at=4)) is False


@pytest.mark.parametrize("who", [ALICE, BOB])
@pytest.mark.parametrize("how", ["sign out", "everywhere", "password or lock"])
def test_c299_whoever_signs_out_takes_the_approval_back(tables, transact, how, who):
    """As with a code that no client redeemed; somebody else's sign-out changes nothing."""
    tables.run(sessions.add, a_session(session_id=SESSION))
    browser = a_sign_in(user_id=who)
    tables.run(sign_ins.add, browser)
    asked_and_approved(tables)
    if how == "sign out":
        tables.run(sign_in.sign_out, (browser.digest,), now=NOW, address=None)
    elif how == "everywhere":
        tables.run(end_session.sign_out_everywhere, who, now=NOW, keep_device=a_session().device_id)
    else:
        tables.run(end_session.withdraw, who, now=NOW)

    assert transact(use(at=1)) is (who == BOB)


def test_a_question_that_waits_outlives_a_sign_out(tables, transact):
    """Its person may have to sign in again before they can answer it."""
    tables.run(sessions.add, a_session(session_id=SESSION))
    browser = a_sign_in()
    tables.run(sign_ins.add, browser)
    approval = an_approval()
    tables.run(approve_operation.ask, approval)
    tables.run(sign_in.sign_out, (browser.digest,), now=NOW, address=None)

    assert transact(approve_operation.approve, approval, now=NOW + 1, address=ADDRESS)
    assert transact(use(at=2)) is True


def test_c299_signing_in_again_takes_no_approval_back(tables, transact):
    """The same person, in the same browser."""
    tables.run(sessions.add, a_session(session_id=SESSION))
    tables.run(sign_ins.add, a_sign_in())
    asked_and_approved(tables)
    again = a_sign_in("again", signed_in_at=NOW + 1)
    tables.run(sign_in.sign_in, again, a_place(renews=a_sign_in()))

    assert transact(use(at=2)) is True
