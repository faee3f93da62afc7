"""Attempts: begun by the first act, proven step by step, and ended by the one flow that signs in."""

import enum
from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Proof, Purpose
from synapse_nextgen_auth.accounts.attempts.stages import (
    NOTHING,
    Added,
    Asked,
    Done,
    Policy,
    Refused,
    Second,
    Stage,
    next_stage,
)
from synapse_nextgen_auth.accounts.factors import demands
from synapse_nextgen_auth.accounts.factors.demands import Demand
from synapse_nextgen_auth.accounts.people import Account
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.flows.sign_in import Place, sign_in
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import attempts, factors, grants, passwords, sign_ins
from synapse_nextgen_auth.store.txn import Txn

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows import lost_factors
else:
    lost_factors = late.file("flows.lost_factors")

# What comes after somebody proved who they are: that is written down, and must hold by now.
_WITH_A_PROOF = frozenset({Stage.FACTOR, Stage.ENROL, Stage.NEW_PASSWORD})


class Lost(enum.Enum):
    """Why an attempt cannot go on in this browser."""

    UNKNOWN = "unknown"  # or another browser's: whoever chose its id learns nothing (C278)
    EXPIRED = "expired"
    ENDED = "ended"
    OTHER_ACCOUNT = "other_account"  # or something that was proven already
    CHANGED = "changed"  # by somebody else, just now
    SIGNED_OUT = "signed_out"  # who proves again who they are, since they began
    OTHER_PASSWORD = "other_password"  # noqa: S105 - than the one that was checked, since just now


def begin(txn: Txn, attempt: Attempt) -> None:
    """Write an attempt down; what it is for waits as long as it does (C039)."""
    _add(txn, attempt)


def find(txn: Txn, attempt_id: str, *, browser: str | None, now: int) -> Attempt | Lost:
    """Return the open attempt, or why this browser cannot go on with it (C261)."""
    attempt = attempts.get(txn, attempt_id)
    if attempt is None or browser is None or attempt.browser != browser:
        return Lost.UNKNOWN
    if attempt.ended_at is not None:
        return Lost.ENDED
    return attempt if attempt.is_open(now) else Lost.EXPIRED


def whither(txn: Txn, attempt_id: str, *, browser: str | None) -> Attempt | None:
    """Return an attempt of this browser, which says where it goes on, or went."""
    attempt = attempts.get(txn, attempt_id)
    return attempt if attempt is not None and attempt.browser == browser else None


def prove(
    txn: Txn, attempt_id: str, *, browser: str | None, proof: Proof, now: int
) -> Attempt | Lost:
    """Add a proof to the attempt of this browser; nobody is signed in by that."""
    attempt = find(txn, attempt_id, browser=browser, now=now)
    if isinstance(attempt, Lost):
        return attempt
    if attempt.refuses(proof):
        return Lost.OTHER_ACCOUNT
    proven = attempt.having(proof)
    return proven if attempts.change(txn, attempt, proven) else Lost.CHANGED


def answer(
    txn: Txn, attempt_id: str, *, browser: str | None, stage: Stage, sealed: str, now: int
) -> Attempt | Lost:
    """Keep the answer to a stage."""
    attempt = find(txn, attempt_id, browser=browser, now=now)
    if isinstance(attempt, Lost):
        return attempt
    answered = attempt.answering(stage.value, sealed)
    return answered if attempts.change(txn, attempt, answered) else Lost.CHANGED


@frozen(kw_only=True)
class Ending:
    """What an attempt ends with: a secret, and what the server says of the account and asks of it.

    `demand` is what it wants proven beside the first thing; what the account has for that is looked up
    at the end. `place` is the browser, as far as it matters to the sign-in. `password_hash` is what the
    password was compared with, if one was: checking takes a while, and it may be another one at the
    end.
    """

    digest: str
    sign_in_id: str
    account: Account | None
    policy: Policy
    asked: Asked = NOTHING
    demand: Demand = demands.NONE
    place: Place
    password_hash: str | None = attrs.field(default=None, repr=False)


Ended = SignIn | Stage | Added | Refused | Lost


def end(txn: Txn, attempt: Attempt, ending: Ending, *, now: int) -> Ended:
    """Sign in whoever proved all that is demanded; say what is missing otherwise.

    `attempt` is as it was read. Two that end it at once sign in once.
    """
    return _end(txn, attempt, ending, now=now, former=attempt)


def begin_proven(txn: Txn, attempt: Attempt, ending: Ending, *, now: int) -> Ended:
    """Begin an attempt with its first proof, and end it if that is all: one row, written once."""
    return _end(txn, attempt, ending, now=now, former=None)


def prove_and_end(txn: Txn, attempt: Attempt, proof: Proof, ending: Ending, *, now: int) -> Ended:
    """Add a proof to an attempt, as it was read, and end it if that is all: one write as well."""
    if not attempt.is_open(now):
        return Lost.EXPIRED
    if attempt.refuses(proof):
        return Lost.OTHER_ACCOUNT
    return _end(txn, attempt.having(proof), ending, now=now, former=attempt)


def end_made(txn: Txn, attempt: Attempt, proof: Proof, ending: Ending, *, now: int) -> Ended:
    """End an attempt, as it was read, of somebody whose account was made for it."""
    return _end(txn, attempt.having(proof), ending, now=now, former=attempt)


def answer_and_end(
    txn: Txn, former: Attempt, answered: Attempt, ending: Ending, *, now: int
) -> Ended:
    """Keep the answer to a stage, once, and end the attempt if that is all: one write."""
    if not former.is_open(now):
        return Lost.EXPIRED
    return _end(txn, answered, ending, now=now, former=former)


def refuse(txn: Txn, attempt: Attempt, *, now: int) -> bool:
    """End an attempt, as it was read, without a sign-in; False where it went on meanwhile."""
    return attempts.change(txn, attempt, attrs.evolve(attempt, ended_at=now))


def _end(txn: Txn, attempt: Attempt, ending: Ending, *, now: int, former: Attempt | None) -> Ended:
    second = second_of(txn, attempt.user_id, ending.demand)
    stage = next_stage(attempt, ending.account, ending.policy, ending.asked, second)
    if stage is Stage.IDENTIFY and former is not None:
        return stage  # what does not count is not kept: it would be in the way of what does
    if isinstance(stage, Done | Added) or stage in _WITH_A_PROOF:
        checked, user_id = ending.password_hash, attempt.user_id or ""
        if checked is not None and not passwords.holds(txn, user_id, checked):
            return Lost.OTHER_PASSWORD
        if _is_over(txn, attempt, ending.place.renews):
            return Lost.SIGNED_OUT
    if isinstance(stage, Done):
        attempt = attrs.evolve(attempt, ended_at=now)
    if former is None:
        _add(txn, attempt)
    elif attempt != former and not attempts.change(txn, former, attempt):
        return Lost.CHANGED
    if any(each.kind in demands.SECOND | demands.BESIDE for each in attempt.proven):
        lost_factors.proven(txn, attempt.user_id or "", now=now)
    if not isinstance(stage, Done):
        return stage
    new = stage.sign_in(digest=ending.digest, sign_in_id=ending.sign_in_id, now=now)
    return sign_in(txn, new, attrs.evolve(ending.place, is_fresh=stage.is_fresh))


def second_of(txn: Txn, user_id: str | None, demand: Demand) -> Second:
    """Return what is demanded beside the first proof, with what the account has for it."""
    if user_id is None or demand.rule is demands.Rule.OFF:
        return Second(demand)
    return Second(demand, factors.held(txn, user_id))


def _is_over(txn: Txn, attempt: Attempt, renews: SignIn | None) -> bool:
    """Say whether somebody proves again who they are, of a sign-in that ended meanwhile.

    Less is asked of them than of whoever signs in, so they must be there still.
    """
    if attempt.purpose is not Purpose.PROVE_AGAIN:
        return False
    return renews is None or not sign_ins.has(txn, renews.user_id, renews.name)


def _add(txn: Txn, attempt: Attempt) -> None:
    attempts.add(txn, attempt)
    grant_id = attempt.goes_on.grant_id
    if grant_id is not None and attempt.ended_at is None:
        grants.wait_until(txn, grant_id, browser=attempt.browser, expires_at=attempt.expires_at)
