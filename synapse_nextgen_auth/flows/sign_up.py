"""A sign-up: what its person answered, and the one end that makes a sign-in of it."""

import enum

import attrs

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Proof
from synapse_nextgen_auth.accounts.attempts.sign_ups import EMAIL, MSISDN
from synapse_nextgen_auth.accounts.attempts.stages import Added
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.accounts.works import Work
from synapse_nextgen_auth.flows import attempts as flows
from synapse_nextgen_auth.flows.attempts import Ended, Ending
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import attempts, codes, outbox, token_holds
from synapse_nextgen_auth.store.token_holds import Hold
from synapse_nextgen_auth.store.txn import Txn


def change(txn: Txn, former: Attempt, attempt: Attempt) -> bool:
    """Keep what was answered; False where somebody answered it in another tab just now."""
    return attempts.change(txn, former, attempt)


@frozen
class Made:
    """The account that was made for an attempt, and what has to be done for it."""

    user_id: str
    works: tuple[Work, ...] = ()


def settle(
    txn: Txn, attempt: Attempt, proof: Proof, made: Made, ending: Ending, *, now: int
) -> Ended:
    """Sign its person in to the account that was made for this attempt, and end it.

    Where another module asks them for something first, the account is there all the same.
    """
    ended = flows.end_made(txn, attempt, proof, ending, now=now)
    if isinstance(ended, SignIn | Added):
        _put(txn, made, now=now)
    return ended


def close(txn: Txn, attempt: Attempt, made: Made, *, now: int) -> None:
    """End an attempt without a sign-in: its account may not sign in yet."""
    if attempts.change(txn, attempt, attrs.evolve(attempt, user_id=made.user_id, ended_at=now)):
        _put(txn, made, now=now)


def _put(txn: Txn, made: Made, *, now: int) -> None:
    for work in made.works:
        outbox.put(txn, work, now=now)


def forget_addresses(txn: Txn, former: Attempt, attempt: Attempt, *, session: str) -> None:
    """Let somebody give another address: what they showed of the one before is worth nothing here."""
    if attempts.change(txn, former, attempt):
        codes.forget(txn, attempt.attempt_id)
        for stage in (EMAIL, MSISDN):
            token_holds.forget_stage(txn, session, stage)


def cancel(txn: Txn, attempt: Attempt, *, session: str, now: int) -> bool:
    """End an attempt that nobody goes on with; what it holds is given back at once.

    False where somebody answered it just now, or its account is about to be made.
    """
    if not attempts.change(txn, attempt, attrs.evolve(attempt, ended_at=now)):
        return False
    token_holds.give_back(txn, session)
    return True


class Unclaimed(enum.Enum):
    """Why no account is made for an attempt, at the last moment."""

    CHANGED = "changed"  # somebody cancelled it, or went on with it in another tab
    NO_TOKEN = "no_token"  # noqa: S105 - it was given back


def claim(
    txn: Txn, former: Attempt, attempt: Attempt, *, session: str, has_token: bool
) -> Unclaimed | None:
    """Let an attempt have this account and no other, and count its token for it.

    Of several requests that are about to make one, however long each of them took, one gets here
    first; from then on nobody cancels the attempt, nor gives the token back.
    """
    if not attempts.change(txn, former, attempt):
        return Unclaimed.CHANGED
    if has_token and token_holds.use(txn, session) is None:
        attempts.change(txn, attempt, former)
        return Unclaimed.NO_TOKEN
    return None


def disclaim(txn: Txn, former: Attempt, attempt: Attempt, held: Hold, token: str | None) -> None:
    """Let an attempt have another account: it is certain that there is none of the name claimed."""
    if attempts.change(txn, former, attempt) and token is not None:
        token_holds.take_back(txn, held, token)
