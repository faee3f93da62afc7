"""A provider's answer waits for the browser that asked, and counts there once (C187, C261, C278)."""

from functools import partial

import attrs
import pytest

from support.records import ALICE, BOB, NOW, a_grant, a_place, a_sign_in
from synapse_nextgen_auth.accounts.attempts.arrivals import LIFETIME, Arrival, Trouble
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Purpose
from synapse_nextgen_auth.accounts.attempts.newcomers import Newcomer
from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.attempts.stages import Policy, Stage
from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.accounts.people import Account
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.flows import arrive, attempts, authorize
from synapse_nextgen_auth.flows.arrive import NEWCOMER, Expected, Hint, Made
from synapse_nextgen_auth.flows.attempts import Ending, Lost
from synapse_nextgen_auth.oauth.legacy_sign_ins import LegacySignIn
from synapse_nextgen_auth.store import legacy_logins, sign_ins

ATTEMPT = Attempt("a" * 32, "browser", Purpose.SIGN_IN, Kind.HOME, None, NOW, NOW + 3600)
ARRIVAL = Arrival(
    digest="given",
    attempt_id=ATTEMPT.attempt_id,
    provider="oidc-works",
    arrived_at=NOW,
    user_id=ALICE,
    provider_session="there-1",
    amr="pwd otp",
    acr="urn:x:2",
    auth_time=NOW - 5,
)
START = Start(ATTEMPT.attempt_id, "oidc-works")


def account(user_id=ALICE, **fields):
    return Account(user_id=user_id, **fields)


def ending(user_id=ALICE, **fields):
    return Ending(
        digest="secret",
        sign_in_id="s1",
        account=account(user_id),
        policy=Policy(providers=frozenset({"oidc-works"})),
        place=a_place(),
        **fields,
    )


@pytest.fixture
def arrived(tables):
    """Return a function that keeps an attempt and an answer to it."""

    def keep(arrival=ARRIVAL, **fields):
        attempt = attrs.evolve(ATTEMPT, **fields)
        tables.run(attempts.begin, attempt)
        tables.run(arrive.arrive, arrival)
        return attempt

    return keep


def find(tables, *, browser="browser", digests=("given",), now=NOW):
    return tables.run(arrive.find, ATTEMPT.attempt_id, digests, browser=browser, now=now)


def take(tables, attempt, arrival=ARRIVAL, *, user_id=ALICE, renews=None, now=NOW):
    ends = attrs.evolve(ending(user_id), place=a_place(renews=renews))
    return tables.run(arrive.take, attempt, arrival, ends, now=now)


def test_the_browser_that_asked_is_signed_in(tables, arrived):
    """With what the provider said: how, when, and what it calls its own sign-in."""
    attempt = arrived()
    assert find(tables) == (attempt, ARRIVAL)
    signed_in = take(tables, attempt)

    assert isinstance(signed_in, SignIn)
    assert signed_in == tables.run(sign_ins.get, "secret")
    assert (signed_in.user_id, signed_in.provider) == (ALICE, "oidc-works")
    assert (signed_in.amr, signed_in.acr) == ("pwd otp", "urn:x:2")
    assert (signed_in.auth_time, signed_in.provider_session) == (NOW - 5, "there-1")


@pytest.mark.parametrize(
    ("asked", "trouble"),
    [
        pytest.param({"browser": "another"}, Trouble.OTHER_BROWSER, id="another browser's attempt"),
        pytest.param({"browser": None}, Trouble.OTHER_BROWSER, id="a new browser"),
        pytest.param({"digests": ()}, Trouble.OVER, id="no answer's cookie"),
        pytest.param({"digests": ("guessed",)}, Trouble.OVER, id="another value"),
        pytest.param({"now": NOW + LIFETIME}, Trouble.OVER, id="too late"),
        pytest.param({"now": NOW + 3600}, Trouble.OVER, id="an attempt that ran out"),
    ],
)
def test_c278_both_cookies_are_needed(tables, arrived, asked, trouble):
    """Whoever chose the attempt's id has no answer, and whoever has the answer not the attempt."""
    arrived()

    assert find(tables, **asked) is trouble


def test_c261_an_answer_counts_once(tables, arrived):
    """A reload, the back button or a second tab finds nothing any more."""
    attempt = arrived()
    take(tables, attempt)

    assert find(tables) is Trouble.OVER
    assert take(tables, attempt) is Lost.ENDED


def test_c261_an_answer_is_for_one_attempt(tables, arrived):
    """The browser's other attempt, in a second tab, gains nothing by it."""
    arrived()
    other = attrs.evolve(ATTEMPT, attempt_id="b" * 32)
    tables.run(attempts.begin, other)

    found = tables.run(arrive.find, other.attempt_id, ("given",), browser="browser", now=NOW)
    assert found is Trouble.OVER
    assert take(tables, other) is Lost.UNKNOWN
    assert tables.run(sign_ins.get, "secret") is None


def test_c183_another_accounts_answer_is_no_proof(tables, arrived):
    """Where one account must prove itself again, or the application asks for one."""
    attempt = arrived(user_id=BOB, purpose=Purpose.PROVE_AGAIN)

    assert take(tables, attempt, user_id=BOB) is Lost.OTHER_ACCOUNT
    assert tables.run(sign_ins.get, "secret") is None


@pytest.mark.parametrize(
    ("auth_time", "is_enough"), [(NOW, True), (NOW - 61, False), (None, False)]
)
def test_only_a_fresh_sign_in_there_proves_it_again(tables, arrived, auth_time, is_enough):
    """A provider that remembered its person asked nobody."""
    arrival = attrs.evolve(ARRIVAL, auth_time=auth_time)
    attempt = arrived(arrival, user_id=ALICE, purpose=Purpose.PROVE_AGAIN)
    here = a_sign_in("here", user_id=ALICE)
    tables.run(sign_ins.add, here)
    ended = take(tables, attempt, arrival, renews=here)

    assert isinstance(ended, SignIn) if is_enough else ended is Stage.IDENTIFY


def test_c271_who_was_locked_meanwhile_is_not_signed_in(tables, arrived):
    attempt = arrived()
    locked = attrs.evolve(ending(), account=account(is_locked=True))
    ended = tables.run(arrive.take, attempt, ARRIVAL, locked, now=NOW)

    assert not isinstance(ended, SignIn)
    assert tables.run(sign_ins.get, "secret") is None


def test_what_is_known_of_a_newcomer_waits_with_the_attempt(tables, arrived):
    """It proves nothing until there is an account, and is no use to an attempt that has one."""
    arrival = attrs.evolve(ARRIVAL, user_id=None, newcomer="sealed")
    attempt = arrived(arrival)
    assert take(tables, attempt, arrival) is Lost.UNKNOWN
    met = tables.run(arrive.meet, attempt, arrival, now=NOW)

    assert met.answered == {NEWCOMER: "sealed"}
    assert met.proven == ()
    assert tables.run(attempts.find, met.attempt_id, browser="browser", now=NOW) == met
    assert tables.run(arrive.meet, met, arrival, now=NOW) is Lost.ENDED


@pytest.mark.parametrize(
    "fields", [{"user_id": ALICE}, {"user_id": ALICE, "purpose": Purpose.PROVE_AGAIN}]
)
def test_nobody_becomes_somebody_elses_newcomer(tables, arrived, fields):
    arrival = attrs.evolve(ARRIVAL, user_id=None, newcomer="sealed")
    attempt = arrived(arrival, **fields)

    assert tables.run(arrive.meet, attempt, arrival, now=NOW) is Lost.OTHER_ACCOUNT


def test_whoever_got_an_account_is_signed_in_to_it(tables, arrived):
    """With what the provider said when they came; and only after they came."""
    attempt = arrived(attrs.evolve(ARRIVAL, user_id=None, newcomer="sealed"))
    newcomer = Newcomer("oidc-works", "17", statement=ARRIVAL.statement)
    settle = partial(tables.run, arrive.settle)
    assert settle(attempt, newcomer, Made(ALICE), ending(), now=NOW) is Lost.UNKNOWN
    met = tables.run(
        arrive.meet, attempt, attrs.evolve(ARRIVAL, user_id=None, newcomer="x"), now=NOW
    )
    signed_in = settle(met, newcomer, Made(ALICE), ending(), now=NOW)

    assert (signed_in.user_id, signed_in.provider_session) == (ALICE, "there-1")
    assert settle(met, newcomer, Made(ALICE), ending(), now=NOW) is Lost.CHANGED


def test_what_an_attempt_waits_for(tables, arrived):
    """The callback asks before anybody is made an account: an attempt that is over brings none."""
    expected = arrive.expected
    assert tables.run(expected, START, now=NOW) is Trouble.OVER
    arrived(user_id=ALICE, purpose=Purpose.PROVE_AGAIN)

    assert tables.run(expected, START, now=NOW) == Expected(NOW, proves_again=True, user_id=ALICE)
    assert tables.run(expected, START, now=NOW + 3600) is Trouble.OVER


def test_the_hint_goes_along_in_the_browser_that_began(tables):
    """What an application said of the person is no business of whoever has the id of the attempt."""
    tables.run(authorize.request, a_grant(grant_id="g1", browser="browser", login_hint="alice"))
    tables.run(attempts.begin, attrs.evolve(ATTEMPT, onward=Kind.GRANT, onward_id="g1"))
    ask = {"browser": "browser", "now": NOW}

    assert tables.run(arrive.ask, ATTEMPT.attempt_id, **ask) == Hint("alice")
    ask["browser"] = "another"
    assert tables.run(arrive.ask, ATTEMPT.attempt_id, **ask) is Trouble.OTHER_BROWSER


def test_what_is_said_beside_goes_to_the_client_that_it_came_with(tables):
    """An answer without anything forgets what the one before it said."""
    login = LegacySignIn("l1", "browser", "https://a.example/", None, None, None, NOW, NOW + 900)
    other = attrs.evolve(login, login_id="l2")
    for each in (login, other):
        tables.run(legacy_logins.add, each)

    for number, extras in enumerate(("sealed", None)):
        name = str(number) * 32
        attempt = attrs.evolve(ATTEMPT, attempt_id=name, onward=Kind.LEGACY, onward_id="l1")
        arrival = attrs.evolve(ARRIVAL, digest=name, attempt_id=name, extras=extras)
        tables.run(attempts.begin, attempt)
        tables.run(arrive.arrive, arrival)
        tables.run(arrive.take, attempt, arrival, attrs.evolve(ending(), digest=name), now=NOW)
        assert tables.run(legacy_logins.get, "l1").extras == extras
        assert tables.run(legacy_logins.get, "l2").extras is None
