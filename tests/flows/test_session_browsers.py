"""A website that signs its people in again and again leaves one session for each browser behind."""

from functools import partial

import pytest

from support.records import (
    ALICE,
    BOB,
    NOW,
    REDIRECT_URI,
    VERIFIER,
    a_device_grant,
    a_device_opening,
    a_grant,
    a_place,
    a_session,
    a_sign_in,
    an_opening,
)
from synapse_nextgen_auth.flows import begin_session, device, end_session, redeem_code, sign_in
from synapse_nextgen_auth.oauth.sessions import End
from synapse_nextgen_auth.store import device_grants, grants, sessions
from synapse_nextgen_auth.store.device_grants import Codes

OPENID = "openid profile"


def signed_in(tables, browser):
    """Sign Alice and Bob in to a browser."""
    for user_id in (ALICE, BOB):
        new = a_sign_in(f"{browser} {user_id}", user_id=user_id, sign_in_id=f"{browser} {user_id}")
        tables.run(sign_in.sign_in, new, a_place(browser))
    return browser


def code(tables, n, browser, *, user_id=ALICE, client_id="app", scope=OPENID, words=None):
    """Let a client in; return the flow that redeems its code."""
    asks = {"client_id": client_id, "scope": scope, "resource_scope": words}
    tables.run(grants.add, a_grant(grant_id=f"grant {n}", browser=browser, **asks))
    by = a_sign_in(user_id=user_id, sign_in_id=f"{browser} {user_id}")
    agreed = {"by": by, "acr": "acr", "proven_at": None, "code_digest": f"code {n}"}
    ends = {"code_expires_at": NOW + 120, "expires_at": NOW + 1800}
    tables.run(grants.approve, f"grant {n}", **agreed, **ends, now=NOW)
    presented = redeem_code.Presented(
        f"code {n}", client_id, REDIRECT_URI, VERIFIER, an_opening(f"{n:032}")
    )
    return partial(redeem_code.redeem, presented=presented, now=NOW)


def living(tables):
    """Return the numbers of the sessions that live."""
    found = tables.query(
        "SELECT session_id FROM nextgen_sessions WHERE ended_at IS NULL ORDER BY session_id"
    )
    return [int(session_id) for (session_id,) in found]


def test_the_same_browser_again_replaces(tables, transact):
    """The former session ends, and every process hears of it."""
    browser = signed_in(tables, "cookie")
    transact(code(tables, 1, browser))

    outcome = transact(code(tables, 2, browser))

    assert outcome.ended == (f"{1:032}",)
    assert living(tables) == [2]
    assert tables.run(sessions.get, f"{1:032}").end_reason == End.REPLACED


CALENDAR = "https://calendar.example.com/#"


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (f"{CALENDAR}read {CALENDAR}write", f"{CALENDAR}write {CALENDAR}read", True),
        (f"{CALENDAR}read", "urn:example:wiki#wiki", False),
        (f"{CALENDAR}read", f"{CALENDAR}read {CALENDAR}write", False),
        (f"{CALENDAR}read", None, False),
        (None, f"{CALENDAR}read", False),
    ],
)
def test_one_service_after_the_other_keeps_both(tables, transact, one, other, is_same):
    """That is how clients ask for them (RFC 8707); the same again replaces."""
    browser = signed_in(tables, "cookie")
    transact(code(tables, 1, browser, words=one))
    transact(code(tables, 2, browser, words=other))

    assert living(tables) == ([2] if is_same else [1, 2])


def test_another_browser_keeps_both(tables, transact):
    """A website may know the same person in two places."""
    for n, cookie in enumerate(("one", "two"), start=1):
        assert transact(code(tables, n, signed_in(tables, cookie))).ended == ()

    assert living(tables) == [1, 2]


@pytest.mark.parametrize("other", [{"user_id": BOB}, {"client_id": "another"}])
def test_another_account_or_client_replaces_nothing(tables, transact, other):
    """In one browser, one after the other."""
    browser = signed_in(tables, "cookie")
    transact(code(tables, 1, browser))

    assert transact(code(tables, 2, browser, **other)).ended == ()
    assert living(tables) == [1, 2]


def test_it_is_the_same_browser_when_somebody_signs_in_again(tables, transact):
    """After a sign-out, too."""
    browser = signed_in(tables, "browser")
    transact(code(tables, 1, browser))
    former = a_sign_in(f"browser {ALICE}").digest
    tables.run(sign_in.sign_out, (former,), now=NOW, address=None)
    again = a_sign_in("again", sign_in_id=f"{browser} {ALICE}")
    tables.run(sign_in.sign_in, again, a_place(browser))

    assert transact(code(tables, 2, browser)).ended == (f"{1:032}",)


def test_a_matrix_session_is_none_of_its_business(tables, transact):
    """A device is replaced by whoever takes its id, and by nothing else."""
    browser = signed_in(tables, "cookie")
    transact(code(tables, 1, browser, scope=a_grant().scope))

    assert transact(code(tables, 2, browser)).ended == ()
    assert tables.count("nextgen_session_browsers") == 1


def test_devices_without_a_browser_do_not_replace_each_other(tables, transact):
    """One person may approve several in one browser."""
    browser = signed_in(tables, "cookie")
    for n in (1, 2):
        grant = a_device_grant(grant_id=f"d{n}", scope="openid", browser=browser)
        by = a_sign_in(sign_in_id=f"{browser} {ALICE}")
        tables.run(device_grants.add, grant, Codes(f"device {n}", f"user {n}", f"half {n}"))
        tables.run(device_grants.approve, f"d{n}", by=by, acr="acr", now=NOW)
        redeem = partial(device.redeem, opening=a_device_opening(f"{n:032}"), now=NOW)
        assert transact(partial(redeem, device_code=f"device {n}")).ended == ()

    assert living(tables) == [1, 2]


def test_c346_what_is_undone_can_be_done_again(tables, transact):
    """The row of a session that is over is gone, so that nothing is left to stumble over."""
    browser = signed_in(tables, "cookie")
    redeem = code(tables, 1, browser)
    session = transact(redeem).value.session
    transact(begin_session.undo, session, now=NOW)

    assert tables.count("nextgen_session_browsers") == 0
    again = redeem_code.Presented("code 1", "app", REDIRECT_URI, VERIFIER, an_opening("ab" * 16))
    assert transact(redeem_code.redeem, again, now=NOW).value.session.session_id == "ab" * 16


def test_sign_ins_at_once_in_one_browser_leave_one_session_or_all_their_own(tables):
    """Two tabs that come back together: whoever is later replaces whoever is earlier."""
    browser = signed_in(tables, "cookie")
    flows = [code(tables, n, browser) for n in range(1, 6)]
    tables.race(flows)

    tables.run(code(tables, 9, browser))

    assert living(tables) == [9]


def test_c301_an_owner_ends_only_their_own(tables, transact):
    """By the account page; somebody else's session is as good as none."""
    tables.run(sessions.add, a_session(session_id=f"{1:032}", device_id=None, scope=OPENID))
    end = partial(end_session.end_own, session_id=f"{1:032}", now=NOW, address=None)

    assert transact(partial(end, user_id=BOB)).value is None
    assert living(tables) == [1]
    assert transact(partial(end, user_id=ALICE)).ended == (f"{1:032}",)
    assert transact(partial(end, user_id=ALICE)).value is None
    assert living(tables) == []
