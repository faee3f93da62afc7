"""A sign-up: what its person answered, and the one end that makes a sign-in of it."""

import attrs

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Proof
from synapse_nextgen_auth.flows import attempts as flows
from synapse_nextgen_auth.flows.attempts import Ended, Ending
from synapse_nextgen_auth.store import attempts
from synapse_nextgen_auth.store.txn import Txn


def change(txn: Txn, former: Attempt, attempt: Attempt) -> bool:
    """Keep what was answered; False where somebody answered it in another tab just now."""
    return attempts.change(txn, former, attempt)


def settle(txn: Txn, attempt: Attempt, proof: Proof, ending: Ending, *, now: int) -> Ended:
    """Sign its person in to the account that was made for this attempt, and end it."""
    return flows.end_made(txn, attempt, proof, ending, now=now)


def close(txn: Txn, attempt: Attempt, user_id: str | None, *, now: int) -> None:
    """End an attempt without a sign-in: nobody goes on with it, or its account may not yet."""
    attempts.change(txn, attempt, attrs.evolve(attempt, user_id=user_id, ended_at=now))
