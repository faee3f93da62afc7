"""Rows of throttles: how often something went wrong for somebody lately, over all workers."""

from synapse_nextgen_auth.store.txn import Txn


def count(txn: Txn, key: str, *, window: int, now: int) -> None:
    """Count one more within the window of `window` seconds, or begin a new window."""
    txn.execute(
        "INSERT INTO nextgen_throttle (key, window_start, count) VALUES (?, ?, 1)"
        " ON CONFLICT (key) DO UPDATE SET"
        " count = CASE WHEN nextgen_throttle.window_start <= ? THEN 1"
        " ELSE nextgen_throttle.count + 1 END,"
        " window_start = CASE WHEN nextgen_throttle.window_start <= ? THEN excluded.window_start"
        " ELSE nextgen_throttle.window_start END",
        (key, now, now - window, now - window),
    )


def wait(txn: Txn, key: str, *, limit: int, window: int, now: int) -> int | None:
    """Return for how many seconds this key must wait, `None` while it is below the limit."""
    txn.execute("SELECT window_start, count FROM nextgen_throttle WHERE key = ?", (key,))
    row = txn.fetchone()
    if row is None or int(row[1]) < limit or int(row[0]) <= now - window:
        return None
    return int(row[0]) + window - now
