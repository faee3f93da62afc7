"""Rows of browsers that are not asked for a second factor for a while."""

from synapse_nextgen_auth.accounts.factors.policy import Remembered
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_REMEMBERED = Table("nextgen_remembered", Remembered)


def add(txn: Txn, remembered: Remembered) -> None:
    """Insert one, in the place of what the same browser had for this account."""
    txn.execute(
        "DELETE FROM nextgen_remembered WHERE digest = ? AND user_id = ?",
        (remembered.digest, remembered.user_id),
    )
    _REMEMBERED.insert(txn, remembered)


def move(txn: Txn, former: str, digest: str) -> None:
    """Let a browser have another value in its cookie, for every account that it is remembered for."""
    txn.execute("UPDATE nextgen_remembered SET digest = ? WHERE digest = ?", (digest, former))


def holds(txn: Txn, user_id: str, digest: str, *, since: int, now: int) -> bool:
    """Say whether the browser with this cookie proved a factor of the account since then.

    What it was promised when it did is too long where the operator made that time shorter.
    """
    txn.execute(
        "SELECT 1 FROM nextgen_remembered"
        " WHERE digest = ? AND user_id = ? AND expires_at > ? AND made_at > ?",
        (digest, user_id, now, since),
    )
    return txn.fetchone() is not None


def list_for(txn: Txn, user_id: str, *, now: int) -> list[Remembered]:
    """Return the browsers that are remembered for an account, the latest first."""
    return _REMEMBERED.all(
        txn,
        "WHERE user_id = ? AND expires_at > ? ORDER BY made_at DESC, remembered_id",
        user_id,
        now,
    )


def forget(txn: Txn, user_id: str, remembered_id: str) -> bool:
    """Ask that browser again; False where it is none of this account's."""
    txn.execute(
        "DELETE FROM nextgen_remembered WHERE user_id = ? AND remembered_id = ?",
        (user_id, remembered_id),
    )
    return txn.rowcount == 1


def forget_all(txn: Txn, user_id: str) -> int:
    """Ask every browser again; return how many there were."""
    txn.execute("DELETE FROM nextgen_remembered WHERE user_id = ?", (user_id,))
    return txn.rowcount
