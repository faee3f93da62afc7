"""Synapse's own rows of devices, as far as a transaction of ours must know them; it only reads them."""

from synapse_nextgen_auth.store.txn import Txn


def is_there(txn: Txn, user_id: str, device_id: str) -> bool:
    """Say whether the id is taken in an account, by a device or by something hidden (C307)."""
    txn.execute("SELECT 1 FROM devices WHERE user_id = ? AND device_id = ?", (user_id, device_id))
    return txn.fetchone() is not None


def has_stock_token(txn: Txn, user_id: str, device_id: str) -> bool:
    """Say whether a token that Synapse itself made speaks for a device."""
    txn.execute(
        "SELECT 1 FROM access_tokens WHERE user_id = ? AND device_id = ? LIMIT 1",
        (user_id, device_id),
    )
    return txn.fetchone() is not None


def count(txn: Txn, user_id: str, *, begun_after: int) -> int:
    """Return how many devices an account has, those that sessions begun since then still get too."""
    txn.execute(
        "SELECT (SELECT COUNT(*) FROM devices WHERE user_id = ? AND hidden = ?)"
        " + (SELECT COUNT(*) FROM nextgen_sessions AS s"
        " WHERE s.user_id = ? AND s.ended_at IS NULL AND s.device_id IS NOT NULL"
        " AND s.created_at > ? AND NOT EXISTS (SELECT 1 FROM devices AS d"
        " WHERE d.user_id = s.user_id AND d.device_id = s.device_id))",
        (user_id, False, user_id, begun_after),
    )
    return int(txn.fetchone()[0])
