"""An event and the notice of it are one write, and nobody gets ten notices for one thing."""

from contextlib import contextmanager
from functools import partial
from itertools import pairwise

import pytest

from support.records import ADDRESS, ALICE, BOB, NOW, a_device_grant, a_session, a_sign_in
from synapse_nextgen_auth.accounts.approvals import Approval, Operation, Request
from synapse_nextgen_auth.accounts.notice_times import LONGEST_QUESTION, MARGIN, WINDOW
from synapse_nextgen_auth.accounts.notices import (
    Notice,
    Question,
    told,
)
from synapse_nextgen_auth.accounts.outbox import FURTHEST
from synapse_nextgen_auth.accounts.works import EndQuestion, ShowQuestion, Tell
from synapse_nextgen_auth.flows import approve_operation, device, end_session
from synapse_nextgen_auth.flows import notices as flow
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.sessions import End
from synapse_nextgen_auth.store import approvals, events, outbox, sessions, sign_ins
from synapse_nextgen_auth.store.device_grants import Codes


@contextmanager
def telling(tables, notices=tuple(Notice)):
    with tables.begin() as txn:
        txn.told = told(notices)
        yield txn


def happens(tables, kind, at=NOW, *, whose=ALICE, also_to="", notices=tuple(Notice), **said):
    with telling(tables, notices) as txn:
        events.add(txn, Event(kind, at, whose, **said), also_to=also_to)


def waiting(tables):
    """Return what waits: when it is due from now, and of what it tells."""
    found = tables.query(
        "SELECT due_at, subject FROM nextgen_outbox WHERE kind = 'tell' ORDER BY due_at, position"
    )
    return [(due - NOW, subject) for due, subject in found]


PASSWORD = f"password {ALICE}"


def test_the_first_is_told_at_once(tables):
    happens(tables, EventKind.PASSWORD_CHANGED)

    assert waiting(tables) == [(0, PASSWORD)]
    [entry] = tables.run(outbox.list_due, Tell.kind, now=NOW, limit=9)
    assert entry.work == Tell(ALICE, "password", NOW, "")


def test_what_follows_within_ten_minutes_is_told_together_at_their_end(tables):
    """Nine changes, and one mail after the first."""
    for n in range(10):
        happens(tables, EventKind.PASSWORD_CHANGED, NOW + 50 * n)

    assert waiting(tables) == [(0, PASSWORD), (WINDOW, PASSWORD)]
    found = tables.run(events.list_since, ALICE, ["password_changed"], since=NOW + 50, limit=99)
    assert len(found) == 9


def test_something_that_never_stops_is_told_once_in_ten_minutes(tables):
    """However steadily it goes on; none of it is told late."""
    for n in range(61):
        happens(tables, EventKind.PASSWORD_CHANGED, NOW + 60 * n)

    found = [due for due, _ in waiting(tables)]
    assert len(found) <= 3600 // WINDOW + 2
    assert all(later - due >= WINDOW for due, later in pairwise(found))


def test_a_device_that_signs_in_twice_in_one_second_is_told_once(tables):
    """From elsewhere it is another one, and so is another device at that moment."""
    old, new = EventKind.LEGACY_SESSION_BEGUN, f"new_device {ALICE}"
    happens(tables, old, detail="device OLD", address="192.0.2.1")
    happens(tables, old, detail="device OLD", address="192.0.2.1")
    assert waiting(tables) == [(0, new)]

    happens(tables, old, detail="device OLD", address="192.0.2.2")
    assert waiting(tables) == [(0, new), (WINDOW, new)]


def test_what_comes_when_a_notice_is_about_to_leave_is_not_added_to_it(tables):
    """The main process may have read already what there is to tell."""
    happens(tables, EventKind.PASSWORD_CHANGED)
    happens(tables, EventKind.PASSWORD_CHANGED, NOW + 1)
    happens(tables, EventKind.PASSWORD_CHANGED, NOW + WINDOW - MARGIN)

    assert waiting(tables) == [(0, PASSWORD), (WINDOW, PASSWORD), (2 * WINDOW, PASSWORD)]
    assert 2 * WINDOW - (WINDOW - MARGIN) <= FURTHEST


def test_after_a_quiet_time_the_next_is_told_at_once(tables):
    happens(tables, EventKind.PASSWORD_CHANGED)
    happens(tables, EventKind.PASSWORD_CHANGED, NOW + WINDOW + 1)

    assert waiting(tables) == [(0, PASSWORD), (WINDOW + 1, PASSWORD)]


def test_another_account_and_another_kind_wait_for_none_of_it(tables):
    """So nobody hides one thing behind another."""
    happens(tables, EventKind.PASSWORD_CHANGED)
    happens(tables, EventKind.PASSWORD_CHANGED, whose=BOB)
    happens(tables, EventKind.ADDRESS_REMOVED)

    assert {subject for _, subject in waiting(tables)} == {
        PASSWORD,
        f"password {BOB}",
        f"addresses {ALICE}",
    }


def test_an_address_that_was_removed_is_told_in_any_case(tables):
    """It waits for nothing, and is not in the one for the addresses that are left (C249)."""
    happens(tables, EventKind.ADDRESS_ADDED)
    happens(tables, EventKind.ADDRESS_REMOVED, NOW + 5, also_to="sealed")
    happens(tables, EventKind.ADDRESS_REMOVED, NOW + 6, also_to="sealed too")

    addresses = f"addresses {ALICE}"
    assert waiting(tables) == [
        *((0, addresses), (5, addresses), (6, addresses)),
        (WINDOW, addresses),
    ]


def done_with(tables, *, at, told_nobody=False):
    """Do the first notice that waits, as the main process does it."""
    [first, *_] = tables.run(outbox.list_due, Tell.kind, now=NOW + at, limit=9)
    taken = tables.run(outbox.claim, first, now=NOW + at)
    if told_nobody:
        tables.run(flow.told_nobody, taken.work, now=NOW + at)
    tables.run(outbox.done, taken.entry_id)


def test_what_told_nobody_holds_nothing_up(tables):
    """Whoever signs in on their own device does not delay the notice of a thief's."""
    happens(tables, EventKind.PASSWORD_CHANGED)
    done_with(tables, at=1, told_nobody=True)
    happens(tables, EventKind.PASSWORD_CHANGED, NOW + 100)

    assert waiting(tables) == [(100, PASSWORD)]


def test_what_waited_for_a_notice_that_told_nobody_is_told_now(tables):
    """And it is the first of its own ten minutes."""
    happens(tables, EventKind.PASSWORD_CHANGED)
    happens(tables, EventKind.PASSWORD_CHANGED, NOW + 1)
    done_with(tables, at=2, told_nobody=True)

    assert waiting(tables) == [(2, PASSWORD)]
    happens(tables, EventKind.PASSWORD_CHANGED, NOW + 3)
    assert waiting(tables) == [(2, PASSWORD), (2 + WINDOW, PASSWORD)]


def test_the_main_process_hears_of_what_is_to_be_told_now(tables):
    happens(tables, EventKind.PASSWORD_CHANGED)
    [first] = tables.run(outbox.list_due, Tell.kind, now=NOW, limit=9)
    happens(tables, EventKind.PASSWORD_CHANGED, NOW + 1)
    with tables.begin() as txn:
        flow.told_nobody(txn, first.work, now=NOW + 2)

        assert txn.posted == [Tell.kind]


def test_what_told_nobody_takes_nothing_from_another_kind_or_account(tables):
    happens(tables, EventKind.PASSWORD_CHANGED, NOW - 1)
    for _ in range(2):
        happens(tables, EventKind.PASSWORD_CHANGED, whose=BOB)
        happens(tables, EventKind.ADDRESS_ADDED)
    done_with(tables, at=1, told_nobody=True)

    late = [(WINDOW, f"addresses {ALICE}"), (WINDOW, f"password {BOB}")]
    assert sorted(waiting(tables)[-2:]) == sorted(late)
    happens(tables, EventKind.PASSWORD_CHANGED, NOW + 2)
    assert (2, PASSWORD) in waiting(tables)


def test_an_address_that_went_opens_and_closes_no_window(tables):
    """What is told to it alone is nothing that its account was told."""
    happens(tables, EventKind.ADDRESS_ADDED)
    done_with(tables, at=1)
    gone = Tell(ALICE, "addresses", NOW + 2, "sealed")
    tables.run(flow.told_nobody, gone, now=NOW + 2)
    happens(tables, EventKind.ADDRESS_ADDED, NOW + 3)

    assert waiting(tables) == [(WINDOW, f"addresses {ALICE}")]


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        (EventKind.SIGNED_IN, None),
        (EventKind.SESSION_BEGUN, None),
        (EventKind.KEY_ROTATED, None),
    ],
)
def test_nobody_is_told_of_everyday_things(tables, kind, detail):
    happens(tables, kind, detail=detail)

    assert waiting(tables) == []


def test_what_is_switched_off_is_not_even_written_down(tables):
    happens(tables, EventKind.PASSWORD_CHANGED, notices=[Notice.NEW_DEVICE])

    assert waiting(tables) == []
    assert tables.count("nextgen_notices") == 0


def test_an_event_that_was_written_before_is_told_once(tables):
    """As a batch that is written again, because nobody heard that it was."""
    for _ in range(2):
        with telling(tables) as txn:
            events.add(txn, Event(EventKind.PASSWORD_CHANGED, NOW, ALICE, event_id="one"))

    assert waiting(tables) == [(0, PASSWORD)]


def test_which_devices_were_there_before(tables):
    """By network address: whoever has a password can name the id of any device."""
    for at, detail in ((NOW - 9, "device A"), (NOW, "device B")):
        happens(tables, EventKind.SESSION_BEGUN, at, detail=detail, address=ADDRESS)
    asked = (ALICE, ["session_begun", "legacy_session_begun"], ["device A", "device B"])

    assert tables.run(events.list_of_details, *asked, before=NOW) == {("device A", ADDRESS)}


def asking(tables, function, *args, about=tuple(Question), **fields):
    """Run a flow where accounts are shown these questions."""
    with tables.begin() as txn:
        txn.told = frozenset(each.value for each in about)
        return function(txn, *args, **fields)


def asked(tables):
    return sorted(tables.query("SELECT subject FROM nextgen_outbox WHERE kind = 'ask'"))


HINTS = {"login_hint": "mxid:@nobody:localhost"}, {"asked_for": ALICE}


@pytest.mark.parametrize("hint", HINTS)
def test_a_device_that_says_whose_it_is_is_looked_at_later(tables, hint):
    """Whoever that is: what asks is answered before anybody looks whether there is such an account."""
    grant = a_device_grant(**hint)

    assert asking(tables, device.request, grant, Codes("device", "code", "half"))

    assert asked(tables) == [(f"device_questions {grant.grant_id}",)]


@pytest.mark.parametrize(
    ("fields", "about"), [({}, tuple(Question)), (HINTS[0], [Question.APPROVAL])]
)
def test_a_device_is_shown_to_nobody(tables, fields, about):
    """That names nobody, or where it is switched off."""
    grant, codes = a_device_grant(**fields), Codes("device", "code", "half")

    assert asking(tables, device.request, grant, codes, about=about)

    assert asked(tables) == []


def test_an_approval_is_shown_once_however_often_the_client_repeats_itself(tables):
    request = Request(ALICE, "5e" * 16, "PHONE", Operation.DEACTIVATE, "POST", "/x", "digest")
    for n in range(5):
        approval = Approval.asked(
            "asked", request, ui_session="asked", details="x", address=None, now=NOW + n
        )
        asking(tables, approve_operation.ask, approval, otherwise="other", now=NOW + n)

    assert asked(tables) == [("approval_questions asked",)]


def showing(name, *, until, at=0, whose=ALICE, question=Question.DEVICE):
    """Return the flow that shows an account something."""
    notice = ShowQuestion(whose, question.value, name, NOW + until)
    return partial(flow.show, notice=notice, now=NOW + at)


def shown(tables):
    found = tables.query("SELECT subject FROM nextgen_outbox WHERE kind = 'show_question'")
    return sorted(name.split(" ")[1] for (name,) in found)


def test_one_question_is_open_at_a_time(tables, transact):
    """Until it is over, whoever asks; of another account it is another matter."""
    assert transact(showing("first", until=600)) is True
    assert transact(showing("second", until=900, at=599)) is False
    assert transact(showing("another", until=900, at=599, whose=BOB)) is True
    assert transact(showing("third", until=1200, at=600)) is True

    assert shown(tables) == ["another", "first", "third"]


def test_what_the_account_is_to_approve_is_hidden_by_no_stranger(tables, transact):
    """Anybody may name an account all day; one of each kind is open at a time."""
    own = Question.APPROVAL
    assert transact(showing("strange", until=1200)) is True
    assert transact(showing("own", until=600, question=own)) is True
    assert transact(showing("again", until=900, at=1, question=own)) is False
    assert transact(showing("stranger", until=900, at=1)) is False

    assert shown(tables) == ["own", "strange"]


def ending(name="first", *, until=600, question=Question.DEVICE):
    return EndQuestion(ALICE, question.value, name, "!room", "$event", NOW + until)


def ends(tables):
    found = tables.query(
        "SELECT due_at, subject FROM nextgen_outbox WHERE kind = 'end_question' ORDER BY due_at"
    )
    return [(due - NOW, subject) for due, subject in found]


def test_what_was_shown_is_said_to_be_over_at_its_end_or_once_it_is_answered(tables, transact):
    transact(partial(flow.shown, ending=ending(), now=NOW + 1))
    transact(partial(flow.shown, ending=ending("other", until=900), now=NOW + 1))
    first, other = (f"device_questions {name} {ALICE}" for name in ("first", "other"))
    assert ends(tables) == [(601, first), (901, other)]
    asking(tables, flow.answered, Question.DEVICE, "first", by=ALICE, now=NOW + 9)

    assert ends(tables) == [(9, first), (901, other)]


def test_what_is_over_makes_room_for_the_next_and_for_nothing_else(tables, transact):
    """Not for one that was shown after it."""
    transact(showing("first", until=600))
    tables.run(flow.ended, ending(), now=NOW + 5)
    assert transact(showing("second", until=900, at=5)) is True
    tables.run(flow.ended, ending(), now=NOW + 6)

    assert transact(showing("third", until=900, at=7)) is False


ANSWERS = {
    "approve": lambda by: partial(device.approve, by=a_sign_in(user_id=by), address="127.0.0.1"),
    "refuse": lambda by: partial(device.refuse, by=by),
}


def answered(tables, answer, hint):
    """Return when the message that asked Alice says what became of it."""
    grant = a_device_grant(**hint)
    tables.run(device.request, grant, Codes("device", "code", "half"))
    tables.run(flow.shown, ending(grant.grant_id), now=NOW)
    assert asking(tables, answer, grant, now=NOW + 2)
    [(due, subject)] = ends(tables)
    assert subject == f"device_questions {grant.grant_id} {ALICE}"
    return due


@pytest.mark.parametrize("decide", ANSWERS)
def test_whoever_answers_lets_the_message_say_so(tables, decide):
    """In the transaction of the answer; what is switched off costs nothing."""
    assert answered(tables, ANSWERS[decide](ALICE), HINTS[1]) == 2


@pytest.mark.parametrize("decide", ANSWERS)
def test_a_stranger_who_answers_ends_nothing_before_its_time(tables, decide):
    """They named the account, and would free its place for their next one as often as they like."""
    assert answered(tables, ANSWERS[decide](BOB), HINTS[0]) == 601


def test_whoever_refuses_without_an_account_ends_nothing_before_its_time(tables):
    """Who began a device has its code, and needs no account to turn it away."""
    assert answered(tables, ANSWERS["refuse"](None), HINTS[1]) == 601


def shown_and_asked(tables, *, at=0, session_id="5e" * 16):
    """Let Alice be shown what her phone asks for; return it."""
    request = Request(ALICE, session_id, "PHONE", Operation.DEACTIVATE, "POST", "/x", "digest")
    name = f"asked {at}"
    approval = Approval.asked(
        name, request, ui_session=name, details="x", address=None, now=NOW + at
    )
    tables.run(approvals.add, approval)
    tables.run(flow.shown, ending(name, question=Question.APPROVAL), now=NOW + at)
    return approval


def test_what_ends_with_a_decision_says_so(tables):
    """Two challenges of one request: the decision about one ends the other, and its message says so."""
    by = a_sign_in(user_id=ALICE)
    tables.run(sign_ins.add, by)
    shown_and_asked(tables)
    second = shown_and_asked(tables, at=301)
    assert asking(
        tables, approve_operation.refuse, second, by=by, now=NOW + 302, address="127.0.0.1"
    )

    assert [due for due, _ in ends(tables)] == [302, 302]


@pytest.mark.parametrize("_turn", range(5))
def test_an_answer_while_the_message_is_sent_is_said_at_once(tables, _turn):
    """However the two meet: neither misses the other."""
    grant = a_device_grant(**HINTS[1])
    tables.run(device.request, grant, Codes("device", "code", "half"))

    def answers(txn):
        txn.told = frozenset(each.value for each in Question)
        return ANSWERS["approve"](ALICE)(txn, grant, now=NOW)

    tables.race([answers, partial(flow.shown, ending=ending(grant.grant_id), now=NOW)])

    assert [due for due, _ in ends(tables)] == [0]


@pytest.mark.parametrize(("by", "due"), [(ALICE, 2), (BOB, 601)])
def test_an_answer_before_the_message_was_sent_is_said_at_once(tables, by, due):
    """Of a stranger it is none."""
    grant = a_device_grant(**HINTS[0])
    tables.run(device.request, grant, Codes("device", "code", "half"))
    asking(tables, ANSWERS["approve"](by), grant, now=NOW + 1)
    tables.run(flow.shown, ending(grant.grant_id), now=NOW + 2)

    assert [at for at, _ in ends(tables)] == [due]


def test_what_a_session_asked_for_is_over_with_it(tables):
    session = a_session(user_id=ALICE, device_id="PHONE")
    tables.run(sessions.add, session)
    shown_and_asked(tables, session_id=session.session_id)
    other = shown_and_asked(tables, at=1)
    asking(tables, end_session.end, session, why=End.LOGOUT, now=NOW + 9)

    assert ends(tables) == [
        (9, f"approval_questions asked 0 {ALICE}"),
        (601, f"approval_questions {other.approval_id} {ALICE}"),
    ]


def test_what_a_legacy_device_asked_for_is_over_with_it(tables):
    shown_and_asked(tables, session_id=ALICE)
    asking(tables, end_session.end_for_devices, ALICE, ("TABLET",), why=End.LOGOUT, now=NOW + 8)
    assert [due for due, _ in ends(tables)] == [601]
    asking(tables, end_session.end_for_devices, ALICE, ("PHONE",), why=End.LOGOUT, now=NOW + 9)

    assert [due for due, _ in ends(tables)] == [9]


def test_of_many_at_once_one_is_shown(tables):
    """A thousand devices that name one account are one message."""
    found = tables.race([showing(f"n{n}", until=600) for n in range(6)])

    assert sorted(found) == [False] * 5 + [True]
    assert len(shown(tables)) == 1


def test_a_clock_that_ran_ahead_hides_no_question(tables, transact):
    """What it showed would be open for ever (C379)."""
    transact(showing("ahead", at=10 * LONGEST_QUESTION, until=11 * LONGEST_QUESTION))

    assert transact(showing("right", until=600)) is True
    assert transact(showing("next", until=900, at=599)) is False
