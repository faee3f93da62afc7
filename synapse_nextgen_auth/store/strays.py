"""Sessions that outlived their device or their account, because a process died or we were away.

Without a device or an account they open nothing: every use looks at both. Where a stock token
speaks for the device, somebody signed in to it while the module was not loaded. The three tables
beside ours are Synapse's.
"""

from synapse_nextgen_auth.store.txn import Txn

BITE = 1000


def next_stop(txn: Txn, *, after: str) -> str | None:
    """Return the session id at which the next bite after this one ends; `None` for the last bite."""
    txn.execute(
        "SELECT session_id FROM nextgen_sessions WHERE session_id > ?"
        " ORDER BY session_id LIMIT 1 OFFSET ?",
        (after, BITE - 1),
    )
    row = txn.fetchone()
    return str(row[0]) if row else None


def list_between(txn: Txn, *, after: str, until: str, created_before: int) -> list[str]:
    """Return the strays among the sessions of one bite, those aside that are only beginning."""
    txn.execute(
        "SELECT s.session_id FROM nextgen_sessions AS s"
        " LEFT JOIN devices AS d ON d.user_id = s.user_id AND d.device_id = s.device_id"
        " LEFT JOIN users AS u ON u.name = s.user_id"
        " WHERE s.session_id > ? AND s.session_id <= ? AND s.ended_at IS NULL AND s.created_at < ?"
        " AND ((s.device_id IS NOT NULL AND d.device_id IS NULL)"
        " OR EXISTS (SELECT 1 FROM access_tokens AS t"
        " WHERE t.user_id = s.user_id AND t.device_id = s.device_id)"
        " OR u.name IS NULL OR u.deactivated = 1)",
        (after, until, created_before),
    )
    return [str(row[0]) for row in txn.fetchall()]
