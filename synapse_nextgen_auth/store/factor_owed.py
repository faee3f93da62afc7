"""Rows of accounts that are to have a second factor: the first time counts."""

from synapse_nextgen_auth.accounts.factors.policy import Owed
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_OWED = Table("nextgen_factor_owed", Owed)


def since(txn: Txn, user_id: str) -> int | None:
    """Return since when this account is to have one, `None` if nobody demanded it yet."""
    found = _OWED.one(txn, "WHERE user_id = ?", user_id)
    return found.since if found else None


def note(txn: Txn, user_id: str, *, now: int) -> None:
    """Note that one is demanded of an account, unless that is known; no clock that ran ahead counts."""
    if not _OWED.insert_new(txn, Owed(user_id, now)):
        txn.execute(
            "UPDATE nextgen_factor_owed SET since = ? WHERE user_id = ? AND since > ?",
            (now, user_id, now + SKEW),
        )


def forget(txn: Txn, user_id: str) -> None:
    """Forget since when: the next time is the first one again."""
    txn.execute("DELETE FROM nextgen_factor_owed WHERE user_id = ?", (user_id,))
