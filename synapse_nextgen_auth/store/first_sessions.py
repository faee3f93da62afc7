"""Rows of accounts that an application signed in to here, once: the first time counts."""

from synapse_nextgen_auth.store.txn import Txn


def note(txn: Txn, user_id: str, *, now: int) -> None:
    """Note that an application has a device of the account now, unless that is known."""
    txn.execute(
        "INSERT INTO nextgen_first_sessions (user_id, began_at) VALUES (?, ?)"
        " ON CONFLICT (user_id) DO NOTHING",
        (user_id, now),
    )


def has_one(txn: Txn, user_id: str) -> bool:
    """Say whether an application ever signed in to the account here.

    Sessions from before this table count while their rows are there.
    """
    txn.execute(
        "SELECT 1 FROM nextgen_first_sessions WHERE user_id = ?"
        " UNION ALL SELECT 1 FROM nextgen_sessions WHERE user_id = ? AND device_id IS NOT NULL"
        " LIMIT 1",
        (user_id, user_id),
    )
    return txn.fetchone() is not None
