"""An identity provider ends a sign-in of its own (OpenID Connect Back-Channel Logout 1.0)."""

import attrs
import pytest

from support.records import ALICE, BOB, NOW, a_place, a_session, a_sign_in, an_attempt
from synapse_nextgen_auth.accounts.attempts.arrivals import Arrival, Statement
from synapse_nextgen_auth.accounts.attempts.attempt import Proof, ProofKind
from synapse_nextgen_auth.accounts.attempts.newcomers import Newcomer
from synapse_nextgen_auth.accounts.attempts.stages import Policy
from synapse_nextgen_auth.accounts.people import Account
from synapse_nextgen_auth.flows import arrive, attempts, provider_logout, sign_in
from synapse_nextgen_auth.flows.attempts import Ending, Lost
from synapse_nextgen_auth.flows.provider_logout import Ended
from synapse_nextgen_auth.oauth.sessions import SOFT_ENDS, End
from synapse_nextgen_auth.store import arrivals, provider_logouts, sessions, sign_ins, sweep
from synapse_nextgen_auth.store import attempts as rows

THERE = {"provider": "oidc-works", "provider_session": "there-1"}
ENDED = Ended("oidc-works", "there-1")


@pytest.fixture
def begun(tables):
    """Keep a sign-in through the provider, a session that began in it, and others of that account."""
    tables.run(sign_ins.add, a_sign_in("laptop", sign_in_id="s1", **THERE))
    tables.run(sign_ins.add, a_sign_in("phone", sign_in_id="s2"))
    for number, sign_in_id in enumerate(("s1", "s2", None)):
        fields = {"session_id": f"{number:02}" * 16, "device_id": f"D{number}"}
        tables.run(sessions.add, a_session(sign_in_id=sign_in_id, **fields))


def living(tables):
    """Return which sign-ins each session that lives began in."""
    return sorted(str(each.sign_in_id) for each in tables.run(sessions.list_living, ALICE))


def is_signed_in(tables, secret):
    return tables.run(sign_ins.get, a_sign_in(secret).digest).ended_at is None


@pytest.mark.usefixtures("begun")
def test_the_browser_is_signed_out_and_what_began_there_is_over(tables):
    """Other browsers of the same person, and what began in them, are none of the provider's business."""
    over = tables.run(provider_logout.end, ENDED, why=End.PROVIDER, now=NOW).value

    assert [session.device_id for session in over] == ["D0"]
    assert not is_signed_in(tables, "laptop")
    assert is_signed_in(tables, "phone")
    assert living(tables) == ["None", "s2"]
    assert End.PROVIDER in SOFT_ENDS, "people keep device and keys, and sign in again"


@pytest.mark.usefixtures("begun")
def test_sessions_may_go_on(tables):
    """Where the operator wants that, only the browser is signed out."""
    assert tables.run(provider_logout.end, ENDED, why=None, now=NOW).value == []
    assert not is_signed_in(tables, "laptop")
    assert len(living(tables)) == 3


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize(
    "ended",
    [
        Ended("oidc-other", "there-1"),
        Ended("oidc-works", "there-2"),
        Ended("oidc-works", "there-1", user_id=BOB),
    ],
)
def test_nothing_else_ends(tables, ended):
    """Not of another provider that gives the same id, and not of another person than it says."""
    assert tables.run(provider_logout.end, ended, why=End.PROVIDER, now=NOW).value == []
    assert is_signed_in(tables, "laptop")
    assert len(living(tables)) == 3


@pytest.mark.usefixtures("begun")
def test_once_is_enough(tables):
    """A provider that says it again changes nothing."""
    tables.run(provider_logout.end, ENDED, why=End.PROVIDER, now=NOW)

    assert tables.run(provider_logout.end, ENDED, why=End.PROVIDER, now=NOW + 5).value == []


def there_and(**now):
    """Return a sign-in that began at the provider, and the same as another proof renews it."""
    begun = a_sign_in("first", sign_in_id="s1", **THERE)
    return begun, a_sign_in("renewed", sign_in_id="other", **now)


@pytest.mark.parametrize(
    "since",
    [
        pytest.param({}, id="by password"),
        pytest.param({"provider": "saml"}, id="at another provider"),
        pytest.param({**THERE, "provider_session": "there-2"}, id="at the same one anew"),
        pytest.param(THERE, id="the same again"),
    ],
)
def test_another_proof_since_does_not_hide_where_it_began(tables, since):
    """A sign-in goes on by whatever proves it again, and ends with each that it ever came from."""
    begun, renewed = there_and(**since)
    tables.run(sign_in.sign_in, begun, a_place())
    tables.run(sessions.add, a_session(sign_in_id="s1"))
    tables.run(sign_in.sign_in, renewed, a_place(renews=begun))

    over = tables.run(provider_logout.end, ENDED, why=End.PROVIDER, now=NOW + 5).value
    assert len(over) == 1
    assert not is_signed_in(tables, "renewed")
    assert living(tables) == []


def sign_out(txn, begun):
    sign_in.sign_out(txn, [begun.digest], now=NOW + 1, address=None)


def sweep_away(txn, _):
    assert sweep.idle_browsers(txn, idle_since=NOW + 1) == 1


@pytest.mark.parametrize("go", [sign_out, sweep_away])
def test_what_began_in_a_sign_in_that_is_over_ends_as_well(tables, go):
    """Whether its person signed out here, or it was not used until the housekeeping deleted it."""
    begun, _ = there_and()
    tables.run(sign_in.sign_in, begun, a_place())
    tables.run(sessions.add, a_session(sign_in_id="s1"))
    tables.run(go, begun)

    over = tables.run(provider_logout.end, ENDED, why=End.PROVIDER, now=NOW + 5).value
    assert len(over) == 1
    assert living(tables) == []


def an_ending():
    return Ending(
        digest=a_sign_in("new").digest,
        sign_in_id="new",
        account=Account(user_id=ALICE),
        policy=Policy(providers=frozenset({"oidc-works"})),
        place=a_place(),
    )


def an_arrival(**fields):
    return Arrival("given", "attempt", arrived_at=NOW, **THERE, **fields)


@pytest.mark.parametrize("whose", [None, ALICE])
def test_an_answer_that_waits_is_worth_nothing_any_more(tables, whose):
    """Nobody is signed in by it afterwards; the attempt may go on in another way."""
    tables.run(attempts.begin, an_attempt())
    tables.run(arrive.arrive, an_arrival(user_id=ALICE))
    ended = attrs.evolve(ENDED, user_id=whose)
    tables.run(provider_logout.end, ended, why=End.PROVIDER, now=NOW)

    (arrival,) = tables.run(arrivals.find, "attempt", ["given"])
    assert not arrival.waits(NOW)
    assert tables.run(rows.get, "attempt").is_open(NOW)


def test_an_answer_of_somebody_else_waits_on(tables):
    """As sign-ins of somebody else than the provider means are left alone."""
    tables.run(attempts.begin, an_attempt())
    tables.run(arrive.arrive, an_arrival(user_id=ALICE))
    tables.run(provider_logout.end, attrs.evolve(ENDED, user_id=BOB), why=End.PROVIDER, now=NOW)

    (arrival,) = tables.run(arrivals.find, "attempt", ["given"])
    assert arrival.waits(NOW)


def test_who_is_asked_for_a_name_is_not_signed_in_afterwards(tables):
    """Nor made an account; who came in their place since, in the same attempt, is."""
    attempt, arrival = an_attempt(), an_arrival(newcomer="sealed")
    tables.run(attempts.begin, attempt)
    tables.run(arrive.arrive, arrival)
    met = tables.run(arrive.meet, attempt, arrival, now=NOW)
    assert met.answered
    tables.run(provider_logout.end, ENDED, why=None, now=NOW)
    assert tables.run(rows.get, "attempt") == attempt

    later = attempt.answering(arrive.NEWCOMER, "another")
    tables.run(rows.change, attempt, later)
    tables.run(provider_logout.end, ENDED, why=None, now=NOW)
    assert tables.run(rows.get, "attempt") == later


def test_what_it_proved_to_an_attempt_is_no_proof_any_more(tables):
    """Where something else is asked of its person before they are signed in."""
    proof = Proof(ProofKind.PROVIDER, NOW, user_id=ALICE, **THERE)
    tables.run(attempts.begin, an_attempt().having(proof))
    tables.run(arrive.arrive, an_arrival(user_id=ALICE))
    tables.run(provider_logout.end, ENDED, why=None, now=NOW)

    assert tables.run(rows.get, "attempt").proven == ()


@pytest.mark.parametrize(
    ("ended", "at", "is_over"),
    [
        (ENDED, 0, True),
        (attrs.evolve(ENDED, user_id=ALICE), 60, True),
        (attrs.evolve(ENDED, user_id=BOB), 0, False),
        (Ended("oidc-works", "there-2"), 0, False),
        (Ended("oidc-other", "there-1"), 0, False),
        (ENDED, provider_logouts.KEPT, False),
    ],
)
def test_an_answer_that_comes_after_the_logout_signs_nobody_in(tables, ended, at, is_over):
    """It was on its way when the provider ended what it speaks of; others are let in."""
    attempt, arrival = an_attempt(), an_arrival(user_id=ALICE)
    tables.run(attempts.begin, attempt)
    tables.run(provider_logout.end, ended, why=End.PROVIDER, now=NOW - at)
    tables.run(arrive.arrive, arrival)

    taken = tables.run(arrive.take, attempt, arrival, an_ending(), now=NOW)

    assert (taken is Lost.EXPIRED) is is_over
    assert is_over or is_signed_in(tables, "new")


def test_an_answer_of_somebody_new_that_comes_after_it_makes_no_account(tables):
    attempt, arrival = an_attempt(), an_arrival(newcomer="sealed")
    tables.run(attempts.begin, attempt)
    tables.run(provider_logout.end, attrs.evolve(ENDED, user_id=BOB), why=None, now=NOW)
    tables.run(arrive.arrive, arrival)

    assert tables.run(arrive.meet, attempt, arrival, now=NOW) is Lost.EXPIRED


def test_a_logout_while_the_account_is_made_signs_nobody_in(tables):
    """The page found the attempt before, and comes with what it knew then."""
    attempt, arrival = an_attempt(), an_arrival(newcomer="sealed")
    tables.run(attempts.begin, attempt)
    tables.run(arrive.arrive, arrival)
    met = tables.run(arrive.meet, attempt, arrival, now=NOW)
    tables.run(provider_logout.end, ENDED, why=None, now=NOW)
    newcomer = Newcomer("oidc-works", "17", statement=Statement(session="there-1"))

    settled = tables.run(arrive.settle, met, newcomer, arrive.Made(ALICE), an_ending(), now=NOW)

    assert settled is Lost.EXPIRED
    assert tables.count("nextgen_browsers") == 0
