"""Whoever runs the server takes the second factors of an account away: their owner lost them."""

from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import (
    approvals,
    attempts,
    device_grants,
    events,
    factor_owed,
    factors,
    grants,
    login_tokens,
    lost_factors,
    own_ways,
    passkeys,
    remembered,
    sessions,
    sign_ins,
)
from synapse_nextgen_auth.store.txn import Txn


@frozen
class Reset:
    """What an account had, and whether a password is left to it."""

    had: Held
    has_password: bool


def reset(txn: Txn, user_id: str, *, by: str, now: int) -> Outcome[Reset | None]:
    """Leave an account no factor, as somebody who runs the server wants it (C298).

    It is written down who that was. `None` where the account had none.
    """
    return take_all(txn, user_id, Event(EventKind.FACTORS_RESET, now, user_id, detail=by))


def take_all(txn: Txn, user_id: str, event: Event) -> Outcome[Reset | None]:
    """Leave an account no factor, and write that down; `None` where it had none.

    Its owner proves what is left, is given the time anew to set one up, and is told. What they had
    begun to prove is over, and so is what they let in and nobody collected yet. Who is signed in, in a
    browser or an application, has proved one factor from now on: perhaps it is who has the lost one.
    Whoever removes or adds a factor at the same moment waits, or is waited for.
    """
    now = event.happened_at
    if not own_ways.hold(txn, user_id):
        return Outcome(None)
    had = factors.held(txn, user_id)
    if not had.is_any and not had.codes:
        return Outcome(None)
    factors.forget(txn, user_id)
    passkeys.remove_all(txn, user_id)
    remembered.forget_all(txn, user_id)
    factor_owed.forget(txn, user_id)
    lost_factors.cancel(txn, user_id, rests=False, now=now)
    sign_ins.forget_factors(txn, user_id)
    attempts.withdraw(txn, user_id, now=now)
    approvals.withdraw(txn, user_id, now=now)
    login_tokens.withdraw(txn, user_id, now=now)
    grants.withdraw_codes(txn, user_id, now=now)
    device_grants.withdraw(txn, user_id, now=now)
    events.add(txn, event)
    has_password = own_ways.list_for(txn, user_id).has_password
    return Outcome(Reset(had, has_password), changed=sessions.forget_factors(txn, user_id))
