"""Since when an account owes a second factor, and which browsers are not asked for it."""

from collections.abc import Collection

from synapse_nextgen_auth.accounts.attempts.attempt import Purpose
from synapse_nextgen_auth.accounts.factors import demands
from synapse_nextgen_auth.accounts.factors.demands import Level, Strong
from synapse_nextgen_auth.accounts.factors.policy import Remembered
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import attempts, factor_owed, factors, remembered
from synapse_nextgen_auth.store.txn import Txn


def owe(txn: Txn, user_id: str, *, now: int) -> int | None:
    """Return since when an account is to have a factor; `None` for one that has, and owes nothing."""
    if factors.held(txn, user_id).is_any:
        return None
    factor_owed.note(txn, user_id, now=now)
    return factor_owed.since(txn, user_id)


@frozen
class Remembering:
    """A browser that wants to be remembered: its attempt, and the cookie that it had before, if any."""

    attempt_id: str
    browser: str
    former: str | None
    strong: Collection[Strong] = ()


def remember(txn: Txn, asked: Remembering, new: Remembered) -> bool:
    """Remember the browser that proved two factors of the account in an attempt to sign in.

    What it had before for other accounts goes on under the new value of its cookie: whoever put the
    former one there has nothing of it.
    """
    attempt = attempts.get(txn, asked.attempt_id)
    if attempt is None or (attempt.browser, attempt.user_id) != (asked.browser, new.user_id):
        return False
    of_account = [each for each in attempt.proven if each.user_id == new.user_id]
    if attempt.purpose is not Purpose.SIGN_IN:
        return False
    if demands.level(of_account, asked.strong) < Level.TWO:
        return False
    if asked.former is not None:
        remembered.move(txn, asked.former, new.digest)
    remembered.add(txn, new)
    return True
