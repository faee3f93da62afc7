"""A code is redeemed once and only once, by the client it was made for."""

from functools import partial

import attrs
import psycopg2.errors
import pytest

from support.oauth import ADMIN, API
from support.records import (
    ADDRESS,
    ALICE,
    BOB,
    MATRIX,
    NOW,
    PHONE,
    REDIRECT_URI,
    VERIFIER,
    a_client,
    a_grant,
    a_place,
    a_session,
    a_sign_in,
    an_opening,
)
from support.tables import Tables
from synapse_nextgen_auth.flows import (
    authorize,
    begin_session,
    end_session,
    redeem_code,
    sign_in,
)
from synapse_nextgen_auth.flows.authorize import Decision
from synapse_nextgen_auth.flows.redeem_code import Presented, Redeemed
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.sessions import Began, End
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import clients, grants, sessions, sign_ins

CODE = digest("the code")


def issue(tables: Tables, *, code=CODE, user_id=ALICE, lifetime=120, **fields):
    """Take a grant to the point where the client has its code."""
    grant = a_grant(**fields)
    if tables.run(sign_ins.get, grant.browser) is None:
        tables.run(sign_ins.add, a_sign_in(digest=grant.browser, user_id=user_id))
    by = a_sign_in(digest=grant.browser, user_id=user_id, signed_in_at=NOW - 60, amr="pwd", acr="1")
    decision = Decision(by, code, NOW + lifetime, ADDRESS)
    tables.run(authorize.request, grant)
    assert tables.run(authorize.approve, grant, decision, now=NOW)
    return grant


def presented(session_id="aa" * 16, **fields):
    """Return what the right client shows."""
    return Presented(
        **{
            "code_digest": CODE,
            "client_id": "app",
            "redirect_uri": REDIRECT_URI,
            "verifier": VERIFIER,
            "opening": an_opening(session_id),
            **fields,
        }
    )


def refused(outcome):
    """Return why a redemption was refused, in our own words."""
    assert isinstance(outcome.value, OAuthError), outcome
    assert (outcome.value.code, outcome.value.status) == ("invalid_grant", 400)
    return outcome.value.detail


def test_c069_a_code_begins_a_session(tables, transact):
    """The session has what the grant had; client and audit log take note."""
    issue(tables)
    tables.run(clients.add, a_client(created_at=NOW - 10_000), digest=None)

    outcome = transact(redeem_code.redeem, presented(), now=NOW + 5)

    expected = a_session(
        session_id="aa" * 16,
        rotated_at=NOW + 5,
        created_at=NOW + 5,
        last_active_at=NOW + 5,
        auth_time=NOW - 60,
        sign_in_id="browser",
        amr="pwd",
        acr="1",
        began_by=Began.CODE,
        level=1,
        proven_at=NOW - 60,
    )
    assert outcome.value == Redeemed(expected, "nonce")
    assert outcome.ended == ()
    assert tables.run(sessions.get, "aa" * 16) == expected
    grant = tables.run(grants.find_by_code, CODE)
    assert (grant.redeemed_at, grant.session_id) == (NOW + 5, "aa" * 16)
    assert tables.events() == ["consented", "session_begun"]
    assert tables.query("SELECT last_used_at FROM nextgen_clients") == [(NOW + 5,)]


# What a session gets later, if ever.
LATER = {"expires_at", "ended_at", "end_reason", "owner_id"}
# What a client asks for of other services alone.
ELSEWHERE = {"resource_scope"}
# What it has where another one went before.
FORMER = {f"former_{name}" for name in ("level", "proven_at", "auth_time", "amr", "acr")}


def test_a_session_begins_with_all_that_it_keeps(tables, transact):
    """A column that nothing fills would stay empty for ever, and nobody would notice."""
    issue(tables)
    transact(redeem_code.redeem, presented(), now=NOW)
    begun = attrs.asdict(tables.run(sessions.get, "aa" * 16))

    assert {name for name, value in begun.items() if value is None} == LATER | FORMER | ELSEWHERE


@pytest.mark.parametrize("scope", [MATRIX, ""])
def test_what_was_granted_elsewhere_goes_into_the_session(tables, transact, scope):
    """Beside what is of Matrix, or alone: then the session has no device."""
    issue(tables, scope=scope, resource_scope="calendar.read wiki")
    session = transact(redeem_code.redeem, presented(), now=NOW).value.session

    assert (session.scope, session.resource_scope) == (scope, "calendar.read wiki")
    assert session.device_id == (PHONE if scope else None)
    assert tables.run(sessions.get, session.session_id) == session
    remembered = tables.query("SELECT scope FROM nextgen_consents")
    assert remembered == [(f"{API} calendar.read wiki" if scope else "calendar.read wiki",)]


def test_a_scope_without_the_matrix_api_has_no_device(tables, transact):
    """And so replaces nobody."""
    tables.run(sessions.add, a_session(device_id=None, scope="openid"))
    issue(tables, scope="openid profile")

    outcome = transact(redeem_code.redeem, presented(), now=NOW)

    assert outcome.value.session.device_id is None
    assert outcome.ended == ()


def test_power_over_the_server_is_written_down(tables, transact):
    """Whoever reads the log finds who got it, when and from where."""
    issue(tables, scope=f"{MATRIX} {ADMIN}")

    transact(redeem_code.redeem, presented(), now=NOW)

    granted = "SELECT user_id, client_id, session_id, address FROM nextgen_events WHERE kind = ?"
    assert tables.query(granted, "admin_granted") == [(ALICE, "app", "aa" * 16, ADDRESS)]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"client_id": "other"}, id="c073-client"),
        pytest.param({"redirect_uri": None}, id="c074-no-redirect-uri"),
        pytest.param({"redirect_uri": REDIRECT_URI + "/"}, id="c074-redirect-uri"),
        pytest.param({"redirect_uri": REDIRECT_URI.replace("c", "%63")}, id="c074-encoding"),
        pytest.param({"verifier": None}, id="c063-no-verifier"),
        pytest.param({"verifier": "v" * 43}, id="c065-verifier"),
        pytest.param({"verifier": "v" * 42}, id="c065-short"),
        pytest.param({"code_digest": digest("another")}, id="c078-code"),
    ],
)
def test_what_does_not_fit_is_refused_and_burns_nothing(tables, transact, wrong):
    """A stranger who tries a code must not be able to keep its owner out."""
    issue(tables)

    assert refused(transact(redeem_code.redeem, presented(**wrong), now=NOW))
    assert tables.count("nextgen_sessions") == 0
    assert isinstance(tables.run(redeem_code.redeem, presented(), now=NOW).value, Redeemed)


def test_c067_verifiers_of_two_codes_cannot_be_swapped(tables, transact):
    """Same client, same person, same moment."""
    other = "other-verifier-that-is-long-enough-for-rfc-7636"
    issue(tables)
    issue(
        tables,
        code=digest("code B"),
        grant_id="B",
        code_challenge="DGt_-_i1Gp8R4K6ibJQdqUDN6mV-kSDcAiPbMnd-4dI",
    )

    swapped = transact(redeem_code.redeem, presented(code_digest=digest("code B")), now=NOW)
    back = transact(redeem_code.redeem, presented(verifier=other), now=NOW)
    right = presented(code_digest=digest("code B"), verifier=other)

    assert refused(swapped) == "code_verifier does not fit"
    assert refused(back) == "code_verifier does not fit"
    assert isinstance(transact(redeem_code.redeem, right, now=NOW).value, Redeemed)


@pytest.mark.parametrize(("elapsed", "good"), [(119, True), (120, False), (121, False)])
def test_c075_a_code_has_its_time(tables, transact, elapsed, good):
    """A second before its end it works, from its end on it does not."""
    issue(tables, lifetime=120)

    outcome = transact(redeem_code.redeem, presented(), now=NOW + elapsed)

    assert isinstance(outcome.value, Redeemed) == good


@pytest.mark.parametrize(
    ("changes", "elapsed", "ends"),
    [
        pytest.param({}, 0, False, id="same-second"),
        pytest.param({}, 20, False, id="20s"),
        pytest.param({}, 21, True, id="21s"),
        pytest.param({}, 86_000, True, id="a-day"),
        pytest.param({"client_id": "other"}, 1, True, id="other-client"),
        pytest.param({"verifier": "v" * 43}, 1, True, id="wrong-verifier"),
        pytest.param({"verifier": None}, 1, True, id="no-verifier"),
        pytest.param({"redirect_uri": "https://evil.example/"}, 1, True, id="other-redirect"),
    ],
)
def test_c070_a_second_use_is_refused_and_may_end_the_session(
    tables, transact, changes, elapsed, ends
):
    """A lost answer is forgiven to the same client for 20 seconds, a copied code never."""
    issue(tables)
    tables.run(redeem_code.redeem, presented(), now=NOW)

    again = presented(session_id="bb" * 16, **changes)
    outcome = transact(redeem_code.redeem, again, now=NOW + elapsed)

    session = tables.run(sessions.get, "aa" * 16)
    assert refused(outcome)
    assert outcome.ended == (("aa" * 16,) if ends else ())
    assert (session.ended_at, session.end_reason) == (
        (NOW + elapsed, End.REUSE) if ends else (None, None)
    )
    assert ("code_reused" in tables.events()) == ends
    assert tables.run(sessions.get, "bb" * 16) is None


def test_c070_a_second_use_after_a_refresh_ends_the_session(tables, transact):
    """Who refreshed has the first answer; so the code is in a second pair of hands."""
    issue(tables)
    tables.run(redeem_code.redeem, presented(), now=NOW)
    rotate = partial(sessions.rotate, client_id="app", generation=1, idle_since=-1, now=NOW + 1)
    tables.run(rotate, "aa" * 16)

    outcome = transact(redeem_code.redeem, presented(session_id="bb" * 16), now=NOW + 2)

    assert outcome.ended == ("aa" * 16,)


def test_c070_a_repeat_is_forgiven_although_the_code_has_expired_meanwhile(tables, transact):
    """The age of the first use decides, not that of the code."""
    issue(tables, lifetime=5)
    tables.run(redeem_code.redeem, presented(), now=NOW + 4)

    again = presented(session_id="bb" * 16)
    assert transact(redeem_code.redeem, again, now=NOW + 10).ended == ()
    assert transact(redeem_code.redeem, again, now=NOW + 25).ended == ("aa" * 16,)


def test_a_second_use_of_a_code_whose_session_was_swept_is_refused(tables, transact):
    """There is nothing left to end."""
    issue(tables)
    tables.run(redeem_code.redeem, presented(), now=NOW)
    tables.run(lambda txn: txn.execute("DELETE FROM nextgen_sessions"))

    outcome = transact(redeem_code.redeem, presented(session_id="bb" * 16), now=NOW + 60)

    assert refused(outcome) == "the code was redeemed before"
    assert outcome.ended == ()


def test_c349_the_same_request_again_goes_on_where_it_was(tables, transact):
    """The connection broke while it was committed: nobody knew that it had been written."""
    issue(tables)
    first = tables.run(redeem_code.redeem, presented(), now=NOW)

    again = transact(redeem_code.redeem, presented(), now=NOW)

    assert again == first
    assert len(tables.run(sessions.list_living, ALICE)) == 1


def test_c349_a_session_that_ended_meanwhile_does_not_go_on(tables, transact):
    issue(tables)
    tables.run(redeem_code.redeem, presented(), now=NOW)
    tables.run(sessions.end, "aa" * 16, why=End.LOGOUT, now=NOW)

    assert refused(transact(redeem_code.redeem, presented(), now=NOW))
    assert tables.run(sessions.list_living, ALICE) == []


def test_c346_what_is_undone_can_be_done_again(tables, transact):
    """The device could not be made: the session ends, and the code is good as it was."""
    issue(tables)
    redeemed = tables.run(redeem_code.redeem, presented(), now=NOW).value

    undone = transact(begin_session.undo, redeemed.session, now=NOW)
    again = transact(redeem_code.redeem, presented(session_id="bb" * 16), now=NOW + 1)

    assert undone.changed == ("aa" * 16,)
    assert again.value.session.session_id == "bb" * 16
    assert [s.session_id for s in tables.run(sessions.list_living, ALICE)] == ["bb" * 16]


@pytest.mark.parametrize("was_written", [True, False])
def test_c349_what_nobody_heard_of_is_undone(tables, transact, was_written):
    """Whether the commit that got lost had happened or not: the code is good as it was."""
    issue(tables)
    if was_written:
        tables.run(redeem_code.redeem, presented(), now=NOW)

    undone = transact(begin_session.undo_unheard, "aa" * 16, now=NOW)
    again = transact(redeem_code.redeem, presented(session_id="bb" * 16), now=NOW + 1)

    assert undone.changed == (("aa" * 16,) if was_written else ())
    assert [s.session_id for s in tables.run(sessions.list_living, ALICE)] == ["bb" * 16]
    assert again.value.session.session_id == "bb" * 16


def test_what_somebody_ended_is_not_undone(tables, transact):
    """A logout between the redemption and its failure is meant; the code does not come back."""
    issue(tables)
    redeemed = tables.run(redeem_code.redeem, presented(), now=NOW).value
    tables.run(sessions.end, "aa" * 16, why=End.LOGOUT, now=NOW)

    assert transact(begin_session.undo, redeemed.session, now=NOW).changed == ()
    assert refused(transact(redeem_code.redeem, presented(session_id="bb" * 16), now=NOW + 1))


def test_c071_of_many_at_once_one_gets_the_session(tables):
    """One session, no second pair, and the race itself is no theft."""
    issue(tables)
    ids = [f"{n:02}" * 16 for n in range(12)]

    outcomes = tables.race(
        [partial(redeem_code.redeem, presented=presented(session_id=name), now=NOW) for name in ids]
    )

    redeemed = [o.value for o in outcomes if isinstance(o.value, Redeemed)]
    assert len(redeemed) == 1
    assert len([refused(o) for o in outcomes if o.value is not redeemed[0]]) == 11
    assert [o.ended for o in outcomes] == [()] * 12
    assert tables.run(sessions.get, redeemed[0].session.session_id).ended_at is None
    assert tables.count("nextgen_sessions") == 1


def test_c071_who_read_before_the_winner_wrote_cannot_write_too(postgres_tables):
    """The loser's own snapshot still has an unspent code; the database tells it to start over."""
    tables = postgres_tables
    issue(tables)

    with tables.begin() as late:
        assert grants.find_by_code(late, CODE).redeemed_at is None
        tables.run(redeem_code.redeem, presented(), now=NOW)
        with pytest.raises(psycopg2.errors.SerializationFailure):
            redeem_code.redeem(late, presented(session_id="bb" * 16), now=NOW)

    again = tables.transact(redeem_code.redeem, presented(session_id="bb" * 16), now=NOW)
    assert refused(again) == "the code was redeemed a moment ago"
    assert tables.count("nextgen_sessions") == 1


def test_a_later_session_takes_over_the_device(tables, transact):
    """At most one session per device: the former one ends, and the device stays where it is."""
    tables.run(sessions.add, a_session(session_id="01" * 16, client_id="former"))
    issue(tables)

    outcome = transact(redeem_code.redeem, presented(), now=NOW)

    former = tables.run(sessions.get, "01" * 16)
    assert outcome.ended == ("01" * 16,)
    assert (former.ended_at, former.end_reason) == (NOW, End.REPLACED)
    assert tables.run(sessions.find_by_device, ALICE, PHONE) == outcome.value.session


@pytest.mark.parametrize(("client_id", "comes_in"), [("former", False), (None, True)])
def test_c310_who_came_after_the_yes_is_signed_out_by_its_own_client_alone(
    tables, transact, client_id, comes_in
):
    """The page that the person agreed on could not say that this code signs another client out."""
    grant = issue(tables)
    later = a_session(
        session_id="01" * 16, client_id=client_id or grant.client_id, created_at=NOW + 1
    )
    tables.run(sessions.add, later)

    outcome = transact(redeem_code.redeem, presented(), now=NOW + 2)

    living = tables.run(sessions.find_by_device, ALICE, PHONE)
    if comes_in:
        assert living == outcome.value.session
    else:
        assert refused(outcome) == "another client took the device since"
        assert living == later


@pytest.mark.parametrize(
    "neighbour",
    [
        pytest.param({"user_id": BOB}, id="other-account"),
        pytest.param({"device_id": "TABLET_DEVICE"}, id="other-device"),
        pytest.param({"device_id": PHONE.lower()}, id="other-case"),
        pytest.param({"ended_at": NOW - 9, "end_reason": "revoked"}, id="over-already"),
    ],
)
def test_c309_nobody_else_is_replaced(tables, transact, neighbour):
    """A device id means something within one account only."""
    other = a_session(session_id="01" * 16, **neighbour)
    tables.run(sessions.add, other)
    issue(tables)

    outcome = transact(redeem_code.redeem, presented(), now=NOW)

    assert outcome.ended == ()
    assert tables.run(sessions.get, "01" * 16) == other


def test_two_codes_for_one_device_at_once_leave_one_session(tables):
    """Whoever comes second replaces the first, and neither meets an error."""
    names = [f"{n:02}" * 16 for n in range(4)]
    for name in names:
        issue(tables, grant_id=name, code=digest(name))

    outcomes = tables.race(
        [
            partial(
                redeem_code.redeem,
                presented=presented(code_digest=digest(name), session_id=name),
                now=NOW,
            )
            for name in names
        ]
    )

    living = tables.query("SELECT session_id FROM nextgen_sessions WHERE ended_at IS NULL")
    assert all(isinstance(outcome.value, Redeemed) for outcome in outcomes)
    assert len(living) == 1
    assert sorted(e for o in outcomes for e in o.ended) == sorted(set(names) - {living[0][0]})


def test_the_owner_of_a_code_is_known_before_it_is_spent(tables, transact):
    """So that the state of the account can be checked first."""
    issue(tables, scope=MATRIX)

    assert transact(grants.find_by_code, CODE).user_id == ALICE
    assert transact(grants.find_by_code, digest("another")) is None


@pytest.mark.parametrize("code", ["", "x", "\ufeff", "é" * 5000])
def test_c078_an_unknown_code_is_refused(tables, transact, code):
    """Nothing is written for it."""
    issue(tables)

    outcome = transact(redeem_code.redeem, presented(code_digest=digest(code)), now=NOW)

    assert refused(outcome) == "unknown code"
    assert tables.events() == ["consented"]


def test_a_grant_without_a_decision_has_no_code(tables, transact):
    """Neither an open grant nor a refused one can be redeemed."""
    tables.run(authorize.request, a_grant())
    refused_one = a_grant(grant_id="refused")
    tables.run(authorize.request, refused_one)
    tables.run(grants.refuse, refused_one.grant_id, now=NOW)

    assert refused(transact(redeem_code.redeem, presented(), now=NOW)) == "unknown code"


BROWSER = a_sign_in(digest="browser")


@pytest.mark.parametrize(
    "what",
    [
        partial(sign_in.sign_out, secrets=("browser",), now=NOW, address=None),
        partial(end_session.sign_out_everywhere, user_id=ALICE, now=NOW),
        partial(end_session.withdraw, user_id=ALICE, now=NOW),
    ],
    ids=["sign-out", "sign-out-everywhere", "password-or-lock"],
)
def test_a_code_ends_with_what_approved_it(tables, transact, what):
    """Between approval and redemption; signing in again later does not bring it back."""
    issue(tables)
    tables.run(what)

    refused(transact(redeem_code.redeem, presented(), now=NOW + 1))
    again = a_sign_in("again", signed_in_at=NOW + 1)
    tables.run(sign_in.sign_in, again, a_place(renews=BROWSER))
    refused(transact(redeem_code.redeem, presented(), now=NOW + 2))
    assert tables.count("nextgen_sessions") == 0


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("DELETE FROM nextgen_browsers", ()),
        ("UPDATE nextgen_browsers SET user_id = ?", (BOB,)),
        ("UPDATE nextgen_browsers SET ended_at = ?", (NOW,)),
    ],
    ids=["gone", "another-account", "ended"],
)
def test_redemption_looks_at_the_browser_itself(tables, transact, sql, values):
    """Whatever wrote the approval a moment too late: the browser decides."""
    issue(tables)
    tables.run(lambda txn: txn.execute(sql, values))

    refused(transact(redeem_code.redeem, presented(), now=NOW + 1))
    assert tables.count("nextgen_sessions") == 0


def test_signing_out_ends_the_codes_of_this_browser_only(tables, transact):
    """Another browser of the same account, another client."""
    issue(tables)
    issue(tables, code="other", grant_id="other", browser="other")
    tables.run(sign_in.sign_out, ("browser",), now=NOW, address=None)

    refused(transact(redeem_code.redeem, presented(), now=NOW + 1))
    other = presented(code_digest="other", session_id="bb" * 16)
    assert isinstance(transact(redeem_code.redeem, other, now=NOW + 1).value, Redeemed)


def test_another_account_of_the_browser_changes_nothing(tables, transact):
    """It signs in and out, and the code of the first one is good all the time."""
    issue(tables)
    bob = a_sign_in("bob", user_id=BOB)
    tables.run(sign_in.sign_in, bob, a_place())
    tables.run(sign_in.sign_out, (bob.digest,), now=NOW, address=None)

    assert isinstance(transact(redeem_code.redeem, presented(), now=NOW + 1).value, Redeemed)


def test_a_code_names_the_sign_in_that_gave_it_out(tables, transact):
    """The session that begins with it knows which one, and how its person had proved it."""
    alice = a_sign_in("alice", sign_in_id="first", amr="pwd", acr="high", auth_time=NOW - 300)
    tables.run(sign_ins.add, alice)
    tables.run(sign_ins.add, a_sign_in("bob", user_id=BOB, sign_in_id="second"))
    tables.run(authorize.request, a_grant())
    tables.run(authorize.approve, a_grant(), Decision(alice, CODE, NOW + 60, None), now=NOW)
    tables.run(sign_in.sign_out, (digest("bob"),), now=NOW, address=None)

    session = transact(redeem_code.redeem, presented(), now=NOW).value.session

    assert (session.sign_in_id, session.amr, session.acr) == ("first", "pwd", "high")
    assert session.auth_time == NOW - 300


def test_a_code_outlives_signing_in_again_as_the_same_person(tables, transact):
    """In another tab, for another client: the first one still collects, until that signs out."""
    issue(tables)
    issue(tables, code="slow", grant_id="slow")
    again = a_sign_in("again", signed_in_at=NOW + 1)
    tables.run(sign_in.sign_in, again, a_place(renews=BROWSER))

    assert isinstance(transact(redeem_code.redeem, presented(), now=NOW + 2).value, Redeemed)
    tables.run(sign_in.sign_out, (again.digest,), now=NOW + 3, address=None)
    slow = presented(code_digest="slow", session_id="bb" * 16)
    refused(transact(redeem_code.redeem, slow, now=NOW + 4))


def test_signing_out_and_redeeming_at_once_leave_one_of_both(tables):
    """Either the session began before, or the code is over: nothing of it is good afterwards."""
    for n in range(8):
        browser, code = f"browser {n}", f"code {n}"
        issue(tables, code=code, grant_id=code, browser=browser, scope="openid")
        show = presented(code_digest=code, session_id=f"{n:032x}")
        outcome, _ = tables.race(
            [
                partial(redeem_code.redeem, presented=show, now=NOW + 1),
                partial(sign_in.sign_out, secrets=(browser,), now=NOW + 1, address=None),
            ]
        )
        began = tables.run(sessions.get, show.opening.session_id) is not None
        later = presented(code_digest=code, session_id=f"{n + 8:032x}")

        assert began == isinstance(outcome.value, Redeemed)
        refused(tables.run(redeem_code.redeem, later, now=NOW + 2))
