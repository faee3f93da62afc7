"""A person lets one session send one dangerous request, once, within minutes."""

from functools import partial

import attrs
import pytest

from support.records import ADDRESS, ALICE, BOB, NOW, a_place, a_session, a_sign_in
from synapse_nextgen_auth.accounts.approvals import (
    MOST_AT_ONCE,
    WINDOW,
    Answer,
    Approval,
    Operation,
    Request,
)
from synapse_nextgen_auth.flows import approve_operation, end_session, sign_in
from synapse_nextgen_auth.oauth.sessions import End
from synapse_nextgen_auth.store import approvals, sessions, sign_ins

RESET = Operation.CROSS_SIGNING_RESET
SESSION = "5e" * 16
UPLOAD = Request(ALICE, SESSION, "PHONE", RESET, "POST", "/keys/device_signing/upload", "digest")


def an_approval(approval_id="a1", *, at=0, **fields):
    """Return what a session asks for; the fields are those of its request."""
    request = attrs.evolve(UPLOAD, **fields)
    return Approval.asked(
        approval_id, request, ui_session=approval_id, details="x", address=ADDRESS, now=NOW + at
    )


def as_asked(approval):
    """Return the flow that asks, under the id that the question has."""
    now = approval.requested_at
    return partial(
        approve_operation.ask,
        approval=attrs.evolve(approval, approval_id=UPLOAD.question(now)),
        otherwise=approval.approval_id,
        now=now,
    )


def ask(tables, approval):
    """Return what a session waits for that asks for this."""
    now = approval.requested_at
    return tables.run(approve_operation.ask, approval, otherwise="other", now=now)


BY = a_sign_in("approves")


def signed_in(tables, sign_in=BY):
    """Return a sign-in that is there."""
    if not tables.run(sign_ins.get, sign_in.digest):
        tables.run(sign_ins.add, sign_in)
    return sign_in


def asked_and_approved(tables, *, by=BY, **fields):
    """Take an approval to where the client may use it."""
    approval = an_approval(**fields)
    ask(tables, approval)
    by = signed_in(tables, by)
    assert tables.run(approve_operation.approve, approval, by=by, now=NOW, address=ADDRESS)
    return attrs.evolve(approval, approved_at=NOW, decided_by=by.name)


def use(approval, *, at=0):
    """Return the flow that uses it up."""
    return partial(approve_operation.use, approval=approval, now=NOW + at)


def look(transact, at=0, *, ui_session=None, **fields):
    """Return what becomes of a request, and by which approval."""
    request = attrs.evolve(UPLOAD, **fields)
    answer, approval = transact(
        approve_operation.look, request, ui_session=ui_session, now=NOW + at
    )
    return answer, approval.approval_id if approval else None


WHAT = f"{RESET.value} device PHONE"


def events(tables):
    """Return what was written down."""
    return tables.query("SELECT kind, user_id, session_id, address, detail FROM nextgen_events")


def test_c299_an_approval_works_once(tables, transact):
    """And is written down."""
    approval = asked_and_approved(tables)

    assert look(transact, at=1) == (Answer.PASS, "a1")
    assert transact(use(approval, at=1)) is True
    assert transact(use(approval, at=2)) is False
    assert look(transact, at=2) == (Answer.WAIT, None)
    assert events(tables) == [("operation_approved", ALICE, SESSION, ADDRESS, WHAT)]


def test_what_is_approved_or_refused_is_written_down_with_the_application_that_asked(tables):
    """That of the session; the one of a legacy token is not known."""
    tables.run(sessions.add, a_session(session_id=SESSION))
    asked_and_approved(tables)
    legacy = attrs.evolve(an_approval(), approval_id="legacy", session_id=ALICE)
    ask(tables, legacy)
    by = signed_in(tables, BY)
    assert tables.run(approve_operation.refuse, legacy, by=by, now=NOW + 1, address=ADDRESS)

    assert sorted(tables.query("SELECT kind, client_id, detail FROM nextgen_events")) == [
        ("operation_approved", a_session().client_id, WHAT),
        ("operation_refused", None, WHAT),
    ]


def test_c299_used_at_once_it_works_once(tables):
    """Two requests of the same client, or of a thief beside it."""
    approval = asked_and_approved(tables)

    assert sorted(tables.race([use(approval, at=1)] * 6)) == [False] * 5 + [True]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"user_id": BOB}, id="other-account"),
        pytest.param({"session_id": "5f" * 16}, id="other-session"),
        pytest.param({"device_id": "OTHER"}, id="other-device"),
        pytest.param({"body": "another"}, id="other-body"),
        pytest.param({"operation": Operation.DEACTIVATE}, id="other-operation"),
    ],
)
def test_c299_nobody_else_can_use_it(tables, transact, other):
    """A second device's stolen token gains nothing, nor does another request of the same."""
    asked_and_approved(tables)

    assert look(transact, at=1, **other) == (Answer.WAIT, None)
    assert look(transact, at=1) == (Answer.PASS, "a1")


@pytest.mark.parametrize(
    ("at", "works"), [(WINDOW, True), (WINDOW + 1, False), (-60, True), (-62, False)]
)
def test_c299_it_works_for_ten_minutes(tables, transact, at, works):
    """Counted from the approval; one that a clock gave that ran ahead is no good."""
    approval = asked_and_approved(tables)

    assert WINDOW == 600
    assert transact(use(approval, at=at)) is works


def test_without_approval_there_is_nothing_to_use(tables, transact):
    """Asking is not enough."""
    approval = an_approval()
    ask(tables, approval)

    assert look(transact, at=1) == (Answer.WAIT, "a1")
    assert transact(use(approval, at=1)) is False


def test_asking_again_is_the_same_question(tables, transact):
    """A client asks on every try; the person has one page to decide on."""
    ask(tables, an_approval())

    assert {look(transact, at=at) for at in range(0, WINDOW // 2 + 1, 10)} == {(Answer.WAIT, "a1")}


def test_asked_at_once_it_is_one_question(tables):
    """Whoever comes second is told the page of the first."""
    asking = [as_asked(an_approval(f"a{number}")) for number in range(6)]

    assert len({each.approval_id for each in tables.race(asking)}) == 1
    assert len(tables.query("SELECT approval_id FROM nextgen_approvals")) == 1


@pytest.mark.parametrize(
    "later",
    [
        pytest.param({"at": WINDOW // 2 + 1}, id="later"),
        pytest.param({"at": -3600}, id="c379-asked-by-a-clock-that-ran-ahead"),
        pytest.param({"session_id": "5f" * 16}, id="other-session"),
        pytest.param({"body": "another"}, id="other-body"),
    ],
)
def test_a_new_question_gets_a_new_page(tables, transact, later):
    """So that a person never decides on what is about to run out."""
    ask(tables, an_approval())

    asked = ask(tables, an_approval("a2", **later))

    assert asked.approval_id == "a2"
    assert transact(approvals.get, "a2") == asked


@pytest.mark.parametrize("how", ["used", "refused", "withdrawn"])
def test_after_its_use_the_next_question_is_new(tables, transact, how):
    """One approval, one reset; and after a refusal one may ask again, once that was heard."""
    if how == "refused":
        approval = an_approval()
        ask(tables, approval)
        transact(approve_operation.refuse, approval, by=signed_in(tables), now=NOW, address=None)
        transact(approve_operation.hear, approval, now=NOW)
    else:
        tables.run(sessions.add, a_session(session_id=SESSION))
        approval = asked_and_approved(tables)
        withdraw = partial(end_session.withdraw, user_id=ALICE, now=NOW)
        transact(use(approval) if how == "used" else withdraw)

    assert look(transact, at=2) == (Answer.WAIT, None)
    assert ask(tables, an_approval(at=2)).approval_id == "other"


def test_c154_nobody_makes_pages_without_end(tables):
    """Each is a row. Other sessions go on, and so does this one, once its questions are too old."""
    for number in range(MOST_AT_ONCE):
        assert ask(tables, an_approval(f"a{number}", body=str(number)))

    assert ask(tables, an_approval("more", body="more")) is None
    assert ask(tables, an_approval("other", session_id="other"))
    assert ask(tables, an_approval("later", body="later", at=WINDOW))


def test_approving_twice_counts_once(tables, transact):
    """Nor can a used one be approved again, or refused."""
    approval = asked_and_approved(tables)

    assert transact(approve_operation.approve, approval, by=BY, now=NOW + 1, address=None) is False
    assert transact(approve_operation.refuse, approval, by=BY, now=NOW + 1, address=None) is False
    transact(use(approval, at=2))
    assert transact(approve_operation.approve, approval, by=BY, now=NOW + 3, address=None) is False
    assert transact(use(approval, at=4)) is False


def asked_twice(tables):
    """Return the two challenges of one request: the second came when the first was too old to repeat."""
    first, second = an_approval("a1"), an_approval("a2", at=301)
    assert tables.run(as_asked(first)).approval_id != tables.run(as_asked(second)).approval_id
    return tuple(
        attrs.evolve(each, approval_id=UPLOAD.question(each.requested_at))
        for each in (first, second)
    )


def test_c299_two_challenges_for_one_request_are_one_pass(tables, transact):
    """Whichever is approved, by whichever name its client knows it; the other is open no more."""
    first, second = asked_twice(tables)
    decided = {"by": signed_in(tables), "now": NOW + 302, "address": ADDRESS}

    assert transact(approve_operation.approve, first, **decided) is True
    assert transact(approve_operation.approve, second, **decided) is False
    passes = (Answer.PASS, first.approval_id)
    assert look(transact, 303) == look(transact, 303, ui_session=second.ui_session) == passes
    assert look(transact, 303, ui_session="another") == (Answer.WAIT, first.approval_id)
    assert transact(use(first, at=303)) is True
    assert transact(use(second, at=303)) is False
    assert look(transact, 304) == (Answer.WAIT, None)
    assert len(events(tables)) == 1


def test_c299_two_challenges_approved_at_once_are_one_pass(tables, transact):
    """In two tabs: however they meet, one request passes."""
    asked = asked_twice(tables)
    by = signed_in(tables)
    tables.race(
        [
            partial(approve_operation.approve, approval=each, by=by, now=NOW + 302, address=None)
            for each in asked
        ]
    )

    assert sorted(transact(use(each, at=303)) for each in asked) == [False, True]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"body": "another"}, id="body"),
        pytest.param({"path": "/another"}, id="path"),
        pytest.param({"method": "PUT"}, id="method"),
        pytest.param({"device_id": None}, id="device"),
        pytest.param({"session_id": "5f" * 16}, id="session"),
    ],
)
def test_c299_a_decision_ends_no_other_request(tables, transact, other):
    """Only what waits for the very same one."""
    ask(tables, an_approval("b1", **other))
    asked_and_approved(tables)

    assert look(transact, 1, **other) == (Answer.WAIT, "b1")


def test_a_refusal_ends_what_else_waits_for_it(tables, transact):
    """Nobody is asked a second time for what they refused, by a page that was open before."""
    first, second = asked_twice(tables)
    decided = {"by": signed_in(tables), "now": NOW + 302, "address": ADDRESS}

    assert transact(approve_operation.refuse, second, **decided) is True
    assert transact(approve_operation.approve, first, **decided) is False
    assert look(transact, 303, ui_session=first.ui_session) == (Answer.REFUSE, second.approval_id)


def test_a_refusal_is_heard_once_and_cannot_be_approved(tables, transact):
    """Two tabs: whoever decides first has decided."""
    approval = an_approval()
    ask(tables, approval)

    decided = {"by": signed_in(tables), "now": NOW, "address": ADDRESS}
    assert transact(approve_operation.refuse, approval, **decided) is True
    assert transact(approve_operation.approve, approval, **decided) is False
    assert look(transact, at=1) == (Answer.REFUSE, "a1")
    assert sorted(
        tables.race([partial(approve_operation.hear, approval=approval, now=NOW + 1)] * 4)
    ) == [False] * 3 + [True]
    assert events(tables) == [("operation_refused", ALICE, SESSION, ADDRESS, WHAT)]


def begin_reset(by, at=0, otherwise="anew"):
    """Return the flow that allows a reset that its person begins on our page."""
    allowed = Approval.of_reset(
        user_id=ALICE, session_id=SESSION, device_id="PHONE", address=ADDRESS, now=NOW + at
    )
    return partial(approve_operation.allow_reset, allowed=allowed, by=by, otherwise=otherwise)


def passing(transact, **request):
    """Return the approval that lets this request pass."""
    answer, its_id = look(transact, **request)
    assert answer is Answer.PASS
    return attrs.evolve(an_approval(), approval_id=its_id)


def test_c299_a_reset_begun_on_our_page_lets_one_upload_pass(tables, transact):
    """Whatever its keys are, and of the session that was named alone, within ten minutes."""
    tables.run(sessions.add, a_session(session_id=SESSION))

    assert transact(begin_reset(signed_in(tables))) is None

    assert look(transact, session_id="5f" * 16) == (Answer.WAIT, None)
    assert look(transact, user_id=BOB) == (Answer.WAIT, None)
    assert look(transact, at=WINDOW + 1, body="any") == (Answer.WAIT, None)
    allowed = passing(transact, body="any", ui_session="whatever")
    assert transact(use(allowed)) is True
    assert look(transact) == (Answer.WAIT, None)
    assert events(tables) == [("operation_approved", ALICE, SESSION, ADDRESS, WHAT)]


@pytest.mark.parametrize("operation", [each for each in Operation if each is not RESET])
def test_c299_a_reset_begun_on_our_page_lets_nothing_else_pass(tables, transact, operation):
    tables.run(sessions.add, a_session(session_id=SESSION))
    transact(begin_reset(signed_in(tables)))

    assert look(transact, operation=operation) == (Answer.WAIT, None)


def test_c299_whoever_presses_several_times_has_allowed_one_reset(tables, transact):
    """At once and one after the other; used up, it can be allowed anew."""
    tables.run(sessions.add, a_session(session_id=SESSION))
    tables.race([begin_reset(signed_in(tables), otherwise=f"anew{n}") for n in range(4)])
    transact(begin_reset(signed_in(tables), at=1))

    assert len(events(tables)) == 1
    assert transact(use(passing(transact), at=1)) is True
    assert look(transact, at=1) == (Answer.WAIT, None)
    assert transact(begin_reset(signed_in(tables), at=2)) is None
    assert transact(use(passing(transact, at=2), at=2)) is True
    assert look(transact, at=2) == (Answer.WAIT, None)
    assert len(events(tables)) == 2


def test_c299_where_the_session_asked_already_its_request_is_the_one_to_answer(tables, transact):
    """Nothing beside it is allowed; what another session asked for is no matter."""
    tables.run(sessions.add, a_session(session_id=SESSION))
    tables.run(sessions.add, a_session(session_id="5f" * 16, device_id="OTHER"))
    ask(tables, an_approval("a2", session_id="5f" * 16))
    ask(tables, an_approval("a1"))

    waiting = transact(begin_reset(signed_in(tables), at=1))

    assert waiting.approval_id == "a1"
    assert look(transact, at=1, body="any") == (Answer.WAIT, None)
    assert look(transact, at=1) == (Answer.WAIT, "a1")
    assert events(tables) == []


@pytest.mark.parametrize("who", [ALICE, BOB])
@pytest.mark.parametrize("how", ["sign out", "everywhere", "password or lock"])
def test_c299_whoever_signs_out_takes_the_approval_back(tables, transact, how, who):
    """As with a code that no client redeemed; somebody else's sign-out changes nothing."""
    tables.run(sessions.add, a_session(session_id=SESSION))
    browser = a_sign_in(user_id=who)
    tables.run(sign_ins.add, browser)
    approval = asked_and_approved(tables)
    if how == "sign out":
        tables.run(sign_in.sign_out, (browser.digest,), now=NOW, address=None)
    elif how == "everywhere":
        tables.run(end_session.sign_out_everywhere, who, now=NOW, keep_device=a_session().device_id)
    else:
        tables.run(end_session.withdraw, who, now=NOW)

    assert transact(use(approval, at=1)) is (who == BOB)


def test_a_question_that_waits_outlives_a_sign_out(tables, transact):
    """Its person may have to sign in again before they can answer it."""
    tables.run(sessions.add, a_session(session_id=SESSION))
    browser = a_sign_in()
    tables.run(sign_ins.add, browser)
    approval = an_approval()
    ask(tables, approval)
    tables.run(sign_in.sign_out, (browser.digest,), now=NOW, address=None)

    by = signed_in(tables)
    assert transact(approve_operation.approve, approval, by=by, now=NOW + 1, address=ADDRESS)
    assert transact(use(approval, at=2)) is True


@pytest.mark.parametrize("decide", ["approve", "refuse"])
def test_c145_who_signed_out_meanwhile_decides_nothing(tables, transact, decide):
    """The press and the sign-out may meet; whoever signs in again decides."""
    approval = an_approval()
    ask(tables, approval)
    by = signed_in(tables)
    tables.run(sign_in.sign_out, (by.digest,), now=NOW, address=None)
    flow = getattr(approve_operation, decide)

    assert transact(flow, approval, by=by, now=NOW + 1, address=None) is False
    assert look(transact, at=2) == (Answer.WAIT, "a1")
    assert transact(flow, approval, by=a_sign_in("nobody"), now=NOW + 1, address=None) is False


def test_c145_who_signed_out_meanwhile_allows_no_reset(tables, transact):
    """On our own page as on that of a client."""
    tables.run(sessions.add, a_session(session_id=SESSION))
    by = signed_in(tables)
    tables.run(sign_in.sign_out, (by.digest,), now=NOW, address=None)

    with pytest.raises(approve_operation.SignedOut):
        transact(begin_reset(by, at=1))
    assert look(transact, at=1, body="any") == (Answer.WAIT, None)
    assert events(tables) == [("signed_out", ALICE, None, None, None)]


def test_c145_an_approval_and_a_sign_out_at_once_leave_nothing(tables):
    """Whichever is first: the second sees it."""
    for number in range(6):
        approval = an_approval(f"a{number}", body=str(number))
        ask(tables, approval)
        by = signed_in(tables, a_sign_in(f"b{number}"))
        tables.run(sessions.add, a_session(session_id=SESSION)) if number == 0 else None
        say = {"now": NOW, "address": None}
        tables.race(
            [
                partial(approve_operation.approve, approval=approval, by=by, **say),
                partial(sign_in.sign_out, secrets=(by.digest,), **say),
            ]
        )

        assert tables.run(approve_operation.use, approval, now=NOW + 1) is False


TOKEN = {"operation": Operation.LOGIN_TOKEN}


def login_token(tables, *, session="0a" * 16, by=BY, name="token"):
    """Return what a session got after an approval, and whether it is good."""
    if not tables.run(sessions.get, session):
        tables.run(sessions.add, a_session(session_id=session, device_id=session))
    approval = asked_and_approved(tables, approval_id=name, session_id=session, by=by, **TOKEN)
    with tables.begin() as txn:
        txn.execute(
            "INSERT INTO login_tokens (token, user_id, expiry_ts) VALUES (?, ?, ?)",
            (name, ALICE, NOW * 1000 + 300_000),
        )
    given = partial(approve_operation.give_login_token, approval=approval, token=name, now=NOW)
    good = "SELECT 1 FROM login_tokens WHERE token = ? AND used_ts IS NULL"
    return given, lambda: bool(tables.query(good, name))


@pytest.mark.parametrize("why", list(End))
def test_c334_a_login_token_ends_with_the_session_that_asked(tables, transact, why):
    """However that ends: by a logout, with its device, when a refresh token was used twice."""
    give, is_good = login_token(tables)
    give_other, is_other_good = login_token(tables, session="0b" * 16, name="other")
    assert transact(give)
    assert transact(give_other)
    transact(partial(end_session.end_by_id, session_id="0a" * 16, why=why, now=NOW))

    assert not is_good()
    assert is_other_good()


@pytest.mark.parametrize("how", ["sign out", "everywhere", "password or lock"])
def test_c334_a_login_token_ends_with_what_takes_an_approval_back(tables, transact, how):
    give, is_good = login_token(tables)
    give_other, is_other_good = login_token(tables, by=a_sign_in("elsewhere"), name="other")
    assert transact(give)
    assert transact(give_other)
    if how == "sign out":
        tables.run(sign_in.sign_out, (BY.digest,), now=NOW, address=None)
    elif how == "everywhere":
        tables.run(end_session.sign_out_everywhere, ALICE, now=NOW)
    else:
        tables.run(end_session.withdraw, ALICE, now=NOW)

    assert not is_good()
    assert is_other_good() is (how == "sign out")


@pytest.mark.parametrize("over", ["session", "sign-in"])
def test_c334_a_login_token_that_comes_too_late_is_good_for_nothing(tables, transact, over):
    """Between the approval and the token, its session or who approved it is gone."""
    give, is_good = login_token(tables)
    if over == "session":
        tables.run(end_session.end_by_id, "0a" * 16, why=End.LOGOUT, now=NOW)
    else:
        tables.run(sign_in.sign_out, (BY.digest,), now=NOW, address=None)

    assert transact(give) is False
    assert not is_good()


def test_c299_signing_in_again_takes_no_approval_back(tables, transact):
    """The same person, in the same browser."""
    tables.run(sessions.add, a_session(session_id=SESSION))
    tables.run(sign_ins.add, a_sign_in())
    approval = asked_and_approved(tables)
    again = a_sign_in("again", signed_in_at=NOW + 1)
    tables.run(sign_in.sign_in, again, a_place(renews=a_sign_in()))

    assert transact(use(approval, at=2)) is True
