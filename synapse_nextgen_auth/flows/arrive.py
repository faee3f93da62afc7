"""A provider's answer: what an attempt expects, the answer that waits, the browser that takes it.

Nobody is signed in by an answer alone. The page that takes it has the browser's cookie and the value
that came with the answer; one conditional write makes a proof of it (C187, C261, C278).
"""

from collections.abc import Sequence

import attrs

from synapse_nextgen_auth.accounts.attempts.arrivals import Arrival, Statement, Trouble
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Proof, ProofKind, Purpose
from synapse_nextgen_auth.accounts.attempts.newcomers import Newcomer
from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.flows import attempts as flows
from synapse_nextgen_auth.flows.attempts import Ended, Ending, Lost
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import arrivals, attempts, grants, legacy_logins, provider_logouts
from synapse_nextgen_auth.store.txn import Txn

# Under which name an attempt keeps what is known of somebody who has no account yet.
NEWCOMER = "newcomer"

_TROUBLES = {
    Lost.UNKNOWN: Trouble.OTHER_BROWSER,
    Lost.EXPIRED: Trouble.OVER,
    Lost.ENDED: Trouble.OVER,
    Lost.OTHER_ACCOUNT: Trouble.OTHER_ACCOUNT,
    Lost.CHANGED: Trouble.OVER,
    Lost.SIGNED_OUT: Trouble.OVER,
}


def trouble_of(lost: Lost) -> Trouble:
    """Return what a lost attempt means to somebody who comes from a provider."""
    return _TROUBLES[lost]


@frozen
class Expected:
    """What an attempt waits for: anybody, or one account that proves itself again.

    `since` is when it began, in seconds. One that `connects` waits for whom the provider lets in,
    without a look at whose account that opens.
    """

    since: int
    proves_again: bool = False
    user_id: str | None = None
    connects: bool = False


def expected(txn: Txn, start: Start, *, now: int) -> Expected | Trouble:
    """Return what the attempt of an answer waits for; whose browser it is nobody knows here."""
    attempt = attempts.get(txn, start.attempt_id)
    if attempt is None or not attempt.is_open(now):
        return Trouble.OVER
    if attempt.purpose is Purpose.ADD_ADDRESS:
        return Trouble.OVER  # it goes to no provider
    return Expected(
        attempt.created_at,
        attempt.purpose is Purpose.PROVE_AGAIN,
        attempt.user_id,
        attempt.purpose is Purpose.CONNECT,
    )


@frozen
class Hint:
    """What the application said of the person (`login_hint`), if it did."""

    text: str | None = None


def ask(txn: Txn, attempt_id: str, *, browser: str | None, now: int) -> Hint | Trouble:
    """Return what helps a provider to know whom it is asked about, in that browser alone."""
    attempt = flows.find(txn, attempt_id, browser=browser, now=now)
    if isinstance(attempt, Lost):
        return trouble_of(attempt)
    grant_id = attempt.goes_on.grant_id
    grant = grants.get(txn, grant_id) if grant_id is not None else None
    return Hint(grant.login_hint if grant else None)


def arrive(txn: Txn, arrival: Arrival) -> None:
    """Let an answer wait for the browser that asked."""
    arrivals.add(txn, arrival)


def find(
    txn: Txn, attempt_id: str, digests: Sequence[str], *, browser: str | None, now: int
) -> tuple[Attempt, Arrival] | Trouble:
    """Return the attempt of this browser and the answer to it that this browser holds."""
    attempt = flows.find(txn, attempt_id, browser=browser, now=now)
    if isinstance(attempt, Lost):
        return trouble_of(attempt)
    for arrival in arrivals.find(txn, attempt_id, digests):
        if arrival.waits(now):
            return attempt, arrival
    return Trouble.OVER


def proof_of(provider: str, statement: Statement, user_id: str, *, now: int) -> Proof:
    """Return what a provider's word proves about an account."""
    return Proof(
        ProofKind.PROVIDER,
        now,
        user_id=user_id,
        provider=provider,
        provider_session=statement.session,
        auth_time=statement.auth_time,
        amr=(statement.amr or "").split(),  # type: ignore[arg-type]  # attrs converts it
        acr=statement.acr,
    )


def _is_over(
    txn: Txn, provider: str, statement: Statement, user_id: str | None, *, now: int
) -> bool:
    """Say whether the provider has ended the sign-in that it speaks of."""
    return provider_logouts.has_ended(txn, provider, statement.session, user_id=user_id, now=now)


def _hand_on(txn: Txn, attempt: Attempt, extras: str | None) -> None:
    """Keep what is said beside for the client that its person is signing in to, if it is for one."""
    onward = attempt.goes_on
    if onward.kind is Kind.LEGACY and onward.id is not None:
        legacy_logins.keep_extras(txn, onward.id, extras)


def take(txn: Txn, attempt: Attempt, arrival: Arrival, ending: Ending, *, now: int) -> Ended:
    """Make a proof of an answer, once, and end the attempt if that is all."""
    if arrival.user_id is None or arrival.attempt_id != attempt.attempt_id:
        return Lost.UNKNOWN
    if not arrivals.take(txn, arrival.digest, now=now):
        return Lost.ENDED
    if _is_over(txn, arrival.provider, arrival.statement, arrival.user_id, now=now):
        return Lost.EXPIRED
    _hand_on(txn, attempt, arrival.extras)
    proof = proof_of(arrival.provider, arrival.statement, arrival.user_id, now=now)
    return flows.prove_and_end(txn, attempt, proof, ending, now=now)


def meet(txn: Txn, attempt: Attempt, arrival: Arrival, *, now: int) -> Attempt | Lost:
    """Keep what an answer says of somebody who has no account yet, with the attempt."""
    if arrival.newcomer is None or arrival.attempt_id != attempt.attempt_id:
        return Lost.UNKNOWN
    if attempt.user_id is not None or attempt.purpose is not Purpose.SIGN_IN:
        return Lost.OTHER_ACCOUNT
    if not arrivals.take(txn, arrival.digest, now=now):
        return Lost.ENDED
    if _is_over(txn, arrival.provider, arrival.statement, None, now=now):
        return Lost.EXPIRED
    met = attempt.answering(NEWCOMER, arrival.newcomer)
    return met if attempts.change(txn, attempt, met) else Lost.CHANGED


@frozen
class Made:
    """The account that somebody new has got, and what their mapping says beside, sealed."""

    user_id: str
    extras: str | None = attrs.field(default=None, repr=False)


def settle(
    txn: Txn,
    attempt: Attempt,
    newcomer: Newcomer,
    made: Made,
    ending: Ending,
    *,
    now: int,
) -> Ended:
    """Let what was known of somebody prove the account that they have got, and end the attempt."""
    if NEWCOMER not in attempt.answered:
        return Lost.UNKNOWN
    # It may have ended it while the account was made.
    if _is_over(txn, newcomer.provider, newcomer.statement, None, now=now):
        return Lost.EXPIRED
    _hand_on(txn, attempt, made.extras)
    proof = proof_of(newcomer.provider, newcomer.statement, made.user_id, now=now)
    return flows.prove_and_end(txn, attempt, proof, ending, now=now)
