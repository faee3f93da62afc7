"""Since when an account owes a second factor, and the browsers that are not asked for it."""

from functools import partial

import attrs
import pytest

from support.records import ALICE, BOB, NOW, a_proof, an_attempt
from synapse_nextgen_auth.accounts.attempts.attempt import Proof, ProofKind, Purpose
from synapse_nextgen_auth.accounts.factors.apps import App
from synapse_nextgen_auth.accounts.factors.demands import Strong
from synapse_nextgen_auth.accounts.factors.policy import Remembered
from synapse_nextgen_auth.flows import close_account, end_session, factor_demands
from synapse_nextgen_auth.flows.factor_demands import Remembering
from synapse_nextgen_auth.store import attempts, factor_owed, factors, remembered

PASSWORD = a_proof()
TOTP = Proof(ProofKind.TOTP, NOW, ALICE, provider="app")
PROVEN = an_attempt().having(PASSWORD).having(TOTP)
BROWSER = Remembered("one", "digest", ALICE, NOW, NOW + 600, "x/1")


def an_app(**fields):
    return App(
        **{
            "app_id": "app",
            "user_id": ALICE,
            "secret": "sealed",
            "name": "phone",
            "made_at": NOW,
            "confirmed_at": NOW,
            **fields,
        }
    )


def remember(former=None, **fields):
    asked = Remembering("attempt", "browser", former, fields.pop("strong", ()))
    return partial(factor_demands.remember, asked=asked, new=attrs.evolve(BROWSER, **fields))


def test_the_first_demand_is_written_down_once(tables, transact):
    """However often it is repeated: the time that somebody has does not begin anew."""
    assert transact(factor_demands.owe, ALICE, now=NOW) == NOW
    assert transact(factor_demands.owe, ALICE, now=NOW + 600) == NOW
    assert tables.run(factor_owed.since, ALICE) == NOW
    assert tables.run(factor_owed.since, BOB) is None


def test_c379_a_clock_that_ran_ahead_gives_nobody_more_time(tables, transact):
    """It begins now, and was not there a minute ago."""
    tables.run(factor_owed.note, ALICE, now=NOW + 3600)

    assert transact(factor_demands.owe, ALICE, now=NOW) == NOW
    assert transact(factor_demands.owe, ALICE, now=NOW - 30) == NOW


def test_whoever_has_a_factor_owes_none(tables, transact):
    """An app that was never confirmed is none."""
    tables.run(factors.APPS.insert, an_app(confirmed_at=None))
    assert transact(factor_demands.owe, ALICE, now=NOW) == NOW

    tables.run(factors.APPS.insert, an_app(app_id="other", user_id=BOB))
    assert transact(factor_demands.owe, BOB, now=NOW) is None
    assert tables.run(factor_owed.since, BOB) is None


def test_a_browser_is_remembered_for_one_account_and_a_while(tables, transact):
    """Not for another one that is signed in there, and not a second longer."""
    tables.run(attempts.add, PROVEN)

    assert transact(remember())
    assert tables.run(remembered.holds, ALICE, "digest", since=0, now=NOW + 599)
    assert not tables.run(remembered.holds, ALICE, "digest", since=0, now=NOW + 600)
    assert not tables.run(remembered.holds, BOB, "digest", since=0, now=NOW)
    # Where the operator made the time shorter since, the shorter one holds.
    assert tables.run(remembered.holds, ALICE, "digest", since=NOW - 1, now=NOW + 60)
    assert not tables.run(remembered.holds, ALICE, "digest", since=NOW, now=NOW + 60)
    assert not tables.run(remembered.holds, ALICE, "other", since=0, now=NOW)
    assert tables.run(remembered.list_for, ALICE, now=NOW) == [BROWSER]
    assert tables.run(remembered.list_for, ALICE, now=NOW + 600) == []


@pytest.mark.parametrize(
    "attempt",
    [
        an_attempt().having(PASSWORD),
        an_attempt().having(TOTP),
        attrs.evolve(PROVEN, browser="another"),
        an_attempt().having(a_proof(BOB)).having(attrs.evolve(TOTP, user_id=BOB)),
        attrs.evolve(PROVEN, purpose=Purpose.RECOVER),
        attrs.evolve(PROVEN, purpose=Purpose.PROVE_AGAIN),
        attrs.evolve(PROVEN, attempt_id="another"),
    ],
)
def test_c293_no_browser_is_remembered_without_two_factors(tables, transact, attempt):
    """Proven in a sign-in of this browser, for this account."""
    tables.run(attempts.add, attempt)

    assert not transact(remember())
    assert tables.query("SELECT * FROM nextgen_remembered") == []


def test_a_provider_that_counts_as_two_is_enough(tables, transact):
    """By what it said, as the operator has it."""
    proof = a_proof(provider="oidc-a", amr=("mfa",))
    tables.run(attempts.add, an_attempt().having(proof))

    assert not transact(remember(strong={Strong("oidc-b", "mfa")}))
    assert transact(remember(strong={Strong("oidc-a", "mfa")}))


def test_the_cookie_has_another_value_after_each_account(tables, transact):
    """Whoever put the former one into the browser has nothing of what is remembered there."""
    tables.run(remembered.add, attrs.evolve(BROWSER, remembered_id="bobs", user_id=BOB))
    tables.run(remembered.add, attrs.evolve(BROWSER, remembered_id="former"))
    tables.run(attempts.add, PROVEN)

    assert transact(remember(former="digest", digest="fresh"))
    assert tables.run(remembered.holds, ALICE, "fresh", since=0, now=NOW)
    assert tables.run(remembered.holds, BOB, "fresh", since=0, now=NOW)
    assert tables.query("SELECT COUNT(*) FROM nextgen_remembered WHERE digest = 'digest'") == [(0,)]
    assert tables.query("SELECT COUNT(*) FROM nextgen_remembered") == [(2,)]


def test_c301_somebody_forgets_only_their_own(tables, transact):
    """By its id alone it cannot be forgotten."""
    tables.run(remembered.add, BROWSER)

    assert not transact(remembered.forget, BOB, "one")
    assert tables.run(remembered.list_for, ALICE, now=NOW) == [BROWSER]
    assert transact(remembered.forget, ALICE, "one")
    assert tables.run(remembered.list_for, ALICE, now=NOW) == []


@pytest.mark.parametrize(
    "ends",
    [
        partial(end_session.withdraw, user_id=ALICE, now=NOW),  # another password, a lock
        partial(end_session.sign_out_everywhere, user_id=ALICE, now=NOW),
        partial(close_account.clear, user_id=ALICE, now=NOW),
    ],
    ids=["password", "signed out", "closed"],
)
def test_what_ends_remembered_browsers(tables, transact, ends):
    """And leaves those of others alone."""
    tables.run(remembered.add, BROWSER)
    tables.run(remembered.add, attrs.evolve(BROWSER, remembered_id="bobs", user_id=BOB))

    transact(ends)

    assert tables.query("SELECT remembered_id FROM nextgen_remembered") == [("bobs",)]


def test_a_closed_account_owes_nothing(tables, transact):
    """Whoever opens it again later is given the time again."""
    transact(factor_demands.owe, ALICE, now=NOW)

    transact(close_account.clear, ALICE, now=NOW)

    assert tables.run(factor_owed.since, ALICE) is None
