"""Signing a browser in and out."""

from functools import partial

import pytest

from support.records import ADDRESS, ALICE, NOW, a_browser, a_grant
from synapse_nextgen_auth.flows import authorize, sign_in
from synapse_nextgen_auth.flows.authorize import Refused, Step
from synapse_nextgen_auth.flows.sign_in import Failure
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import browsers, grants

FORMER, FRESH = digest("former"), digest("fresh")


def test_a_browser_is_known_by_the_digest_of_its_cookie(tables, transact):
    """The cookie itself is nowhere in the database."""
    transact(sign_in.sign_in, a_browser("cookie"), former=None, address=ADDRESS)

    assert transact(browsers.get, digest("cookie")) == a_browser("cookie")
    assert transact(browsers.get, "cookie") is None
    assert tables.query("SELECT kind, happened_at, user_id, address FROM nextgen_events") == [
        ("signed_in", NOW, ALICE, ADDRESS)
    ]


def test_c182_signing_in_ends_the_former_cookie(tables, transact):
    """Whoever planted it has nothing."""
    transact(sign_in.sign_in, a_browser("former"), former=None, address=None)
    later = a_browser("fresh", signed_in_at=NOW + 60, last_active_at=NOW + 60)

    transact(sign_in.sign_in, later, former=FORMER, address=None)

    assert tables.run(browsers.get, FORMER).ended_at == NOW + 60
    assert tables.run(browsers.get, FRESH).ended_at is None


def test_what_the_browser_had_begun_goes_on(tables, transact):
    """And whatever asked for a fresh sign-in has it now."""
    tables.run(authorize.request, a_grant(browser=FORMER, login_after=NOW + 1))
    browser = a_browser("fresh")

    transact(sign_in.sign_in, browser, former=FORMER, address=None)

    grant = transact(authorize.find, "grant", browser=FRESH, now=NOW)
    assert authorize.next_step(grant, browser) is Step.CONSENT
    assert transact(authorize.find, "grant", browser=FORMER, now=NOW) is Refused.OTHER_BROWSER


@pytest.mark.parametrize(
    "grant",
    [
        pytest.param({"browser": "another"}, id="of-another-browser"),
        pytest.param({"approved_at": NOW}, id="approved"),
        pytest.param({"refused_at": NOW}, id="refused"),
        pytest.param({"expires_at": NOW}, id="expired"),
    ],
)
def test_nothing_else_moves(tables, transact, grant):
    """Neither what belongs to others nor what is decided."""
    stays = a_grant(**{"browser": FORMER, "login_after": NOW + 1} | grant)
    tables.run(grants.add, stays)

    transact(sign_in.sign_in, a_browser("fresh"), former=FORMER, address=None)

    assert tables.run(grants.get, "grant") == stays


def test_every_tab_of_the_browser_goes_on(tables, transact):
    """Each with its own grant (C038)."""
    for name in ("one", "two"):
        tables.run(authorize.request, a_grant(grant_id=name, browser=FORMER, state=name))

    transact(sign_in.sign_in, a_browser("fresh"), former=FORMER, address=None)

    found = [transact(authorize.find, name, browser=FRESH, now=NOW) for name in ("one", "two")]
    assert [grant.state for grant in found] == ["one", "two"]


def test_signing_out_ends_the_browser_once(tables, transact):
    """The session ends in the database, not only in the cookie (C185)."""
    browser = a_browser()
    transact(sign_in.sign_in, browser, former=None, address=None)

    for at in (5, 6):
        transact(sign_in.sign_out, browser, now=NOW + at, address=ADDRESS)

    assert transact(browsers.get, browser.digest).ended_at == NOW + 5
    assert tables.events() == ["signed_in", "signed_out"]


def test_a_visit_is_a_sign_of_life(tables, transact):
    """But brings nobody back who signed out."""
    browser = a_browser()
    transact(sign_in.sign_in, browser, former=None, address=None)

    transact(browsers.touch, browser.digest, now=NOW + 4000)
    assert transact(browsers.get, browser.digest).last_active_at == NOW + 4000
    transact(sign_in.sign_out, browser, now=NOW + 5000, address=None)
    transact(browsers.touch, browser.digest, now=NOW + 6000)
    assert transact(browsers.get, browser.digest).last_active_at == NOW + 4000


def test_failures_are_written_down_for_the_owner(tables, transact):
    """Each of them, however fast somebody guesses."""
    failures = tuple(Failure(ALICE, NOW + at, ADDRESS, f"{n}") for n, at in enumerate((0, 0, 1)))
    transact(sign_in.fail, failures)

    assert tables.events() == ["sign_in_failed"] * 3


def test_failures_that_were_written_though_nobody_heard_are_written_once(tables, transact):
    """The batch comes again, with more behind it."""
    first = tuple(Failure(ALICE, NOW, ADDRESS, f"{n}") for n in range(2))
    transact(sign_in.fail, first)
    transact(sign_in.fail, (*first, Failure(ALICE, NOW, ADDRESS, "2")))

    assert tables.events() == ["sign_in_failed"] * 3


def test_signing_in_twice_at_once_leaves_both_cookies_good(tables):
    """A double click on the sign-in page: each answer has its own cookie, and either works."""
    tables.run(authorize.request, a_grant(browser=FORMER))
    cookies = ["one", "two", "three"]

    tables.race(
        [
            partial(sign_in.sign_in, browser=a_browser(cookie), former=FORMER, address=ADDRESS)
            for cookie in cookies
        ]
    )

    assert all(tables.run(browsers.get, digest(cookie)).ended_at is None for cookie in cookies)
    moved = tables.run(grants.get, "grant").browser
    assert moved in {digest(cookie) for cookie in cookies}
