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


def count_in_use(txn: Txn, user_id: str, *, begun_after: int) -> int:
    """Return how many devices of an account something is signed in on, ours or Synapse's.

    Those that sessions begun since then still get count, too; what stays of a session that ended
    does not.
    """
    txn.execute(
        "SELECT COUNT(*) FROM ("
        "SELECT s.device_id FROM nextgen_sessions AS s"
        " LEFT JOIN devices AS d ON d.user_id = s.user_id AND d.device_id = s.device_id"
        " WHERE s.user_id = ? AND s.ended_at IS NULL AND s.device_id IS NOT NULL"
        " AND (d.hidden = ? OR (d.device_id IS NULL AND s.created_at > ?))"
        " UNION "
        "SELECT t.device_id FROM access_tokens AS t"
        " JOIN devices AS d ON d.user_id = t.user_id AND d.device_id = t.device_id"
        " WHERE t.user_id = ? AND d.hidden = ?) AS in_use",
        (user_id, False, begun_after, user_id, False),
    )
    return int(txn.fetchone()[0])
