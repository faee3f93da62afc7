"""A grant from the request to the decision: in its own browser, in time, and decided once."""

from functools import partial

import attrs
import pytest

from support.oauth import ADMIN, API, DEVICE
from support.records import (
    ADDRESS,
    ALICE,
    BOB,
    MATRIX,
    NOW,
    PHONE,
    a_client,
    a_grant,
    a_session,
    a_sign_in,
)
from synapse_nextgen_auth.accounts.factors.levels import ONE_FACTOR
from synapse_nextgen_auth.flows import authorize
from synapse_nextgen_auth.flows.authorize import Decision, Known, Refused, Step
from synapse_nextgen_auth.store import clients, grants, sessions, sweep

OLD = "urn:matrix:org.matrix.msc2967.client:"


def decision(code="code", **fields):
    """Return Alice's yes."""
    return Decision(
        **{
            "by": a_sign_in(),
            "code_digest": code,
            "code_expires_at": NOW + 120,
            "address": ADDRESS,
            **fields,
        }
    )


def agree(tables, *, now=NOW, **fields):
    """Let Alice agree to a grant of this kind."""
    grant = a_grant(**fields)
    tables.run(authorize.request, grant)
    assert tables.run(authorize.approve, grant, decision(grant.grant_id), now=now)


def test_a_request_is_written_down_and_its_client_was_used(tables, transact):
    """What was asked stands in the row, octet for octet."""
    tables.run(clients.add, a_client(created_at=NOW - 7200), digest=None)
    grant = a_grant(
        state="a b+c%2B&=\"'\u2603\U0001f600",
        prompt="consent login",
        login_hint="mxid:@alice:example.com",
        ui_locales="fr de",
        login_after=NOW + 1,
    )

    transact(authorize.request, grant)

    assert tables.run(grants.get, "grant") == grant
    assert tables.query("SELECT last_used_at FROM nextgen_clients") == [(NOW,)]


@pytest.mark.parametrize(
    ("grant_id", "browser", "at", "answer"),
    [
        pytest.param("grant", "browser", 0, None, id="open"),
        pytest.param("grant", "browser", 1799, None, id="open-to-the-last-second"),
        pytest.param("grant", "browser", 1800, Refused.EXPIRED, id="c039-expired"),
        pytest.param("grant", "another", 0, Refused.OTHER_BROWSER, id="c034-other-browser"),
        pytest.param("grant", None, 0, Refused.OTHER_BROWSER, id="c034-no-cookie"),
        pytest.param("grant", "", 0, Refused.OTHER_BROWSER, id="c034-empty"),
        pytest.param("grant", "another", 1800, Refused.OTHER_BROWSER, id="c034-expired-too"),
        pytest.param("GRANT", "browser", 0, Refused.UNKNOWN, id="other-case"),
        pytest.param("", "browser", 0, Refused.UNKNOWN, id="none"),
        pytest.param("gran%", "browser", 0, Refused.UNKNOWN, id="c223-wildcard"),
    ],
)
def test_a_grant_goes_on_in_its_own_browser_and_in_time(
    tables, transact, grant_id, browser, at, answer
):
    """Somebody else's link leads nowhere."""
    grant = a_grant()
    tables.run(authorize.request, grant)

    found = transact(authorize.find, grant_id, browser=browser, now=NOW + at)

    assert found == (answer or grant)


@pytest.mark.parametrize("decide", ["approve", "refuse"])
@pytest.mark.parametrize("at", [0, 5000])
def test_c037_a_decided_grant_is_not_found_again(tables, transact, decide, at):
    """Going back with the browser's button finds the decision, however late."""
    grant = a_grant()
    tables.run(authorize.request, grant)
    if decide == "approve":
        transact(authorize.approve, grant, decision(), now=NOW)
    else:
        transact(grants.refuse, grant.grant_id, now=NOW)

    found = transact(authorize.find, "grant", browser="browser", now=NOW + at)
    stranger = transact(authorize.find, "grant", browser="another", now=NOW + at)

    assert found is Refused.DECIDED
    assert stranger is Refused.OTHER_BROWSER


def test_c037_approving_twice_gives_one_code(tables, transact):
    """The second click changes neither code nor account, and is no second event."""
    grant = a_grant()
    tables.run(authorize.request, grant)

    first = transact(authorize.approve, grant, decision("one"), now=NOW)
    second = transact(
        authorize.approve, grant, decision("two", by=a_sign_in(user_id=BOB)), now=NOW + 1
    )

    assert (first, second) == (True, False)
    assert tables.run(grants.find_by_code, "one") == attrs.evolve(
        grant,
        user_id=ALICE,
        auth_time=NOW,
        approved_at=NOW,
        code_expires_at=NOW + 120,
        expires_at=NOW + 120 + 86400,
        sign_in_id=a_sign_in().name,
        acr=ONE_FACTOR,
        level=1,
        proven_at=NOW,
    )
    assert tables.run(grants.find_by_code, "two") is None
    assert tables.query("SELECT kind, user_id, client_id, address, detail FROM nextgen_events") == [
        ("consented", ALICE, "app", ADDRESS, MATRIX)
    ]


def test_a_grant_nobody_goes_on_with_is_gone_within_the_hour(tables):
    """One that gave out a code stays for a day behind it, so that a second use is noticed."""
    hour, day = 3600, 24 * 3600
    for name in ("left", "refused", "approved"):
        tables.run(authorize.request, a_grant(grant_id=name))
    tables.run(grants.refuse, "refused", now=NOW + 1799)
    tables.run(authorize.approve, a_grant(grant_id="approved"), decision(), now=NOW)

    def left(at):
        # The sweep comes every ten minutes.
        tables.run(sweep.stale, kind="expired grants", now=NOW + at - 600)
        return sorted(name for (name,) in tables.query("SELECT grant_id FROM nextgen_grants"))

    assert left(1800 + 600) == ["approved", "left", "refused"]
    assert left(hour) == ["approved"]
    assert left(day) == ["approved"]
    assert left(day + hour) == []


def test_c037_clicks_at_once_give_one_code(tables):
    """A double click, or two tabs."""
    grant = a_grant()
    tables.run(authorize.request, grant)
    codes = [f"code {n}" for n in range(8)]

    approved = tables.race(
        [
            partial(authorize.approve, grant=grant, decision=decision(code), now=NOW)
            for code in codes
        ]
    )

    assert sorted(approved) == [False] * 7 + [True]
    assert tables.run(grants.find_by_code, codes[approved.index(True)]) is not None
    assert tables.events() == ["consented"]


@pytest.mark.parametrize("first", ["approve", "refuse"])
def test_c037_a_decision_is_final(tables, transact, first):
    """Yes after no, or no after yes, changes nothing."""
    grant = a_grant()
    tables.run(authorize.request, grant)
    approve = partial(authorize.approve, grant=grant, decision=decision(), now=NOW)
    refuse = partial(grants.refuse, grant_id=grant.grant_id, now=NOW)
    early, late = (approve, refuse) if first == "approve" else (refuse, approve)

    assert transact(early) is True
    decided = tables.run(grants.get, "grant")
    assert transact(late) is False
    assert tables.run(grants.get, "grant") == decided
    assert (tables.run(grants.find_by_code, "code") is None) == (first == "refuse")


@pytest.mark.parametrize(
    ("login_after", "found", "step"),
    [
        pytest.param(None, Step.SIGN_IN, Step.SIGN_IN, id="nobody"),
        pytest.param(NOW, Step.CHOOSE, Step.CHOOSE, id="somebody-else"),
        pytest.param(None, a_sign_in(), Step.CONSENT, id="somebody"),
        pytest.param(NOW, a_sign_in(), Step.CONSENT, id="just-in-time"),
        pytest.param(NOW + 1, a_sign_in(), Step.SIGN_IN, id="too-long-ago"),
        pytest.param(NOW, a_sign_in(signed_in_at=NOW - 1), Step.SIGN_IN, id="a-second-too-long"),
        pytest.param(NOW, a_sign_in(auth_time=NOW - 1), Step.SIGN_IN, id="a-provider-asked-before"),
    ],
)
def test_the_next_step(login_after, found, step):
    """Sign in when nobody did, or not lately enough; consent is always next."""
    assert authorize.next_step(a_grant(login_after=login_after), found) is step


ALICES, BOBS = a_sign_in("a", sign_in_id="alice"), a_sign_in("b", user_id=BOB, sign_in_id="bob")
OLD_ALICES = a_sign_in("a")


@pytest.mark.parametrize(
    ("grant", "sign_ins", "found"),
    [
        pytest.param({}, (), Step.SIGN_IN, id="nobody"),
        pytest.param({}, (BOBS, ALICES), BOBS, id="the-present-one"),
        pytest.param({"sign_in_id": "alice"}, (BOBS, ALICES), ALICES, id="the-chosen-one"),
        pytest.param({"sign_in_id": OLD_ALICES.digest}, (OLD_ALICES,), OLD_ALICES, id="an-old-one"),
        pytest.param({"sign_in_id": "alice"}, (BOBS,), Step.CHOOSE, id="the-chosen-one-is-over"),
        pytest.param({"user_id": ALICE}, (BOBS, ALICES), ALICES, id="the-one-asked-for"),
        pytest.param({"user_id": ALICE}, (BOBS,), Step.CHOOSE, id="only-the-one-asked-for"),
        pytest.param(
            {"user_id": ALICE, "sign_in_id": "bob"},
            (BOBS, ALICES),
            Step.CHOOSE,
            id="chosen-but-not-asked-for",
        ),
    ],
)
def test_whom_a_grant_is_for(grant, sign_ins, found):
    """Nobody takes the place of one that was chosen."""
    known = Known(sign_ins, sign_ins[0] if sign_ins else None)

    assert authorize.find_sign_in(authorize.wanted_by(a_grant(**grant)), known) == found


CHOOSE_ONE = {"prompt": "consent select_account"}


@pytest.mark.parametrize(
    ("grant", "known", "found"),
    [
        pytest.param({}, Known((BOBS,)), Step.CHOOSE, id="the-present-one-is-over"),
        pytest.param({}, Known((BOBS, ALICES), BOBS, ALICES), ALICES, id="the-hinted-one"),
        pytest.param({}, Known((BOBS,), BOBS, None, True), Step.CHOOSE, id="hinted-but-not-here"),
        pytest.param({}, Known((), None, None, True), Step.SIGN_IN, id="hinted-and-nobody-here"),
        pytest.param(
            {"sign_in_id": "bob"},
            Known((BOBS,), BOBS, None, True),
            BOBS,
            id="chosen-whatever-the-hint",
        ),
        pytest.param(CHOOSE_ONE, Known((BOBS,), BOBS), Step.CHOOSE, id="to-be-chosen"),
        pytest.param(CHOOSE_ONE, Known(), Step.SIGN_IN, id="nobody-to-be-chosen"),
        pytest.param(
            {**CHOOSE_ONE, "sign_in_id": "bob"},
            Known((ALICES, BOBS), ALICES),
            BOBS,
            id="and-chosen",
        ),
        pytest.param(
            {**CHOOSE_ONE, "user_id": ALICE},
            Known((BOBS, ALICES), BOBS),
            ALICES,
            id="only-one-to-choose",
        ),
        pytest.param(
            {"user_id": ALICE}, Known((BOBS,), BOBS, BOBS), Step.CHOOSE, id="asked-for-beats-hinted"
        ),
    ],
)
def test_when_somebody_has_to_choose(grant, known, found):
    """Because the client wants it, names somebody else, or there is no account that is meant."""
    assert authorize.find_sign_in(authorize.wanted_by(a_grant(**grant)), known) == found


def test_nobody_but_the_one_asked_for_gets_a_code(tables, transact):
    """Whatever a page believed: the row decides."""
    grant = a_grant(user_id=ALICE)
    tables.run(authorize.request, grant)

    assert (
        transact(authorize.approve, grant, decision("bob's", by=a_sign_in(user_id=BOB)), now=NOW)
        is False
    )
    assert tables.run(grants.find_by_code, "bob's") is None
    assert tables.events() == []
    assert transact(authorize.approve, grant, decision(), now=NOW) is True
    assert tables.run(grants.find_by_code, "code").user_id == ALICE


@pytest.mark.parametrize(
    ("scope", "remembered"),
    [
        (MATRIX, API),
        (f"{OLD}api:* {OLD}device:{PHONE}", API),
        (f"openid {MATRIX} {ADMIN}", f"openid {API} {ADMIN}"),
        (f"profile email openid {MATRIX}", f"email openid profile {API}"),
        ("openid", "openid"),
    ],
)
def test_a_consent_covers_what_a_client_may_do(scope, remembered):
    """In any spelling and order, whatever the device is called."""
    assert authorize.what_is_remembered(scope) == remembered


REMEMBERED = {
    "user_id": ALICE,
    "client_id": "app",
    "scope": MATRIX,
    "now": NOW,
    "agreed_since": NOW - 100,
}


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        pytest.param({}, True, id="same"),
        pytest.param({"agreed_since": NOW}, True, id="just-so-long-ago"),
        pytest.param({"agreed_since": NOW + 1}, False, id="too-long-ago"),
        pytest.param({"user_id": BOB}, False, id="other-account"),
        pytest.param({"client_id": "other"}, False, id="other-client"),
        pytest.param({"scope": f"{MATRIX} openid"}, False, id="more"),
        pytest.param({"scope": "openid"}, False, id="less-is-something-else"),
        pytest.param({"scope": f"{OLD}api:* {OLD}device:{PHONE}"}, True, id="old-spelling"),
        pytest.param({"scope": f"{API} {DEVICE}OTHER_DEVICE"}, False, id="new-device"),
    ],
)
def test_a_consent_is_remembered_for_the_same_and_nothing_else(tables, transact, changes, answer):
    """The session of the device belongs to this client, so no new device is involved."""
    tables.run(sessions.add, a_session())
    agree(tables)

    assert transact(authorize.is_remembered, **REMEMBERED | changes) is answer


@pytest.mark.parametrize(
    "session",
    [
        pytest.param({"client_id": "other"}, id="of-another-client"),
        pytest.param({"ended_at": NOW, "end_reason": "revoked"}, id="over"),
        pytest.param({"user_id": BOB}, id="of-another-account"),
    ],
)
def test_a_device_that_is_not_this_clients_own_asks_again(tables, transact, session):
    """However often the person agreed to the same."""
    tables.run(sessions.add, a_session(**session))
    agree(tables)

    assert transact(authorize.is_remembered, **REMEMBERED) is False


def test_a_consent_without_a_device_needs_no_session(tables, transact):
    """As for single sign-on with `openid`."""
    agree(tables, scope="openid profile")

    wish = REMEMBERED | {"scope": "profile openid"}
    assert transact(authorize.is_remembered, **wish) is True


@pytest.mark.parametrize(
    ("words", "held", "answer"),
    [
        ("calendar.read wiki", "wiki calendar.read", True),
        ("calendar.read wiki", "wiki", False),
        ("calendar.read wiki", None, False),
        ("calendar.read", "calendar.read wiki", False),
        (None, None, True),
    ],
)
def test_what_was_agreed_for_other_services_counts_while_there_is_a_session(
    tables, transact, words, held, answer
):
    """What was signed out does not come back by itself; and no word more is taken for agreed."""
    if held is not None:
        session = a_session(device_id=None, scope="openid", resource_scope=held)
        tables.run(sessions.add, session)
    agree(tables, scope="openid", resource_scope="wiki calendar.read" if words else None)
    wish = REMEMBERED | {"scope": "openid", "words": words}

    assert transact(authorize.is_remembered, **wish) is answer


def test_what_was_agreed_for_one_service_is_nothing_for_another(tables, transact):
    """Though it has the same word now, because the operator moved it."""
    calendar, lamp = (f"https://{each}.example.com/#write" for each in ("calendar", "lamp"))
    for n, words in enumerate((calendar, lamp)):
        held = {"session_id": f"{n:032}", "device_id": None, "scope": "openid"}
        tables.run(sessions.add, a_session(**held, resource_scope=words))
    agree(tables, scope="openid", resource_scope=calendar)
    wish = REMEMBERED | {"scope": "openid"}

    assert transact(authorize.is_remembered, **wish, words=calendar) is True
    assert transact(authorize.is_remembered, **wish, words=lamp) is False


def test_as_much_as_a_session_may_have_of_services_is_remembered(tables, transact):
    """It goes into an index, which takes 2700 bytes of a row and no more."""
    words = " ".join(f"https://calendar.example.com/{'x' * 500}#{n}{'y' * 98}" for n in range(24))
    held = {"device_id": None, "scope": "openid", "resource_scope": words}
    tables.run(sessions.add, a_session(**held))
    agree(tables, scope="openid", resource_scope=words)
    wish = REMEMBERED | {"scope": "openid"}

    assert transact(authorize.is_remembered, **wish, words=words) is True
    assert transact(authorize.is_remembered, **wish, words=words[:-101]) is False


@pytest.mark.parametrize(("ahead", "answer"), [(60, True), (61, False), (10**7, False)])
def test_c379_a_consent_from_the_future_is_none(tables, transact, ahead, answer):
    """It would be remembered for as long as the clock ran ahead; a minute is normal."""
    agree(tables, scope="openid", now=NOW + ahead)

    assert transact(authorize.is_remembered, **REMEMBERED | {"scope": "openid"}) is answer


def test_agreeing_again_begins_the_time_anew(tables, transact):
    """And leaves one row."""
    agree(tables, grant_id="first", scope="openid")
    agree(tables, grant_id="second", scope="openid", now=NOW + 1000)

    wish = REMEMBERED | {"scope": "openid", "agreed_since": NOW + 1000, "now": NOW + 1000}
    assert transact(authorize.is_remembered, **wish) is True
    assert tables.count("nextgen_consents") == 1


def test_a_silent_approval_prolongs_nothing(tables, transact):
    """Only an answered page is remembered and written down: else a client could ask for ever."""
    agree(tables, grant_id="first", scope="openid")
    events = tables.events()
    silent = a_grant(grant_id="silent", scope="openid", prompt="none")
    tables.run(authorize.request, silent)
    later = decision("later", answered=False)

    assert transact(authorize.approve, silent, later, now=NOW + 1000) is True

    assert tables.run(grants.find_by_code, "later").user_id == ALICE
    assert tables.events() == events
    wish = REMEMBERED | {"scope": "openid"}
    assert transact(authorize.is_remembered, **wish | {"agreed_since": NOW}) is True
    assert transact(authorize.is_remembered, **wish | {"agreed_since": NOW + 1}) is False


def test_a_refusal_is_not_remembered(tables, transact):
    """Nor is an open question."""
    grant = a_grant(scope="openid")
    tables.run(authorize.request, grant)
    tables.run(grants.refuse, grant.grant_id, now=NOW)

    assert transact(authorize.is_remembered, **REMEMBERED | {"scope": "openid"}) is False
