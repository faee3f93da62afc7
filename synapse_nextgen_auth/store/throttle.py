"""Rows of throttles: how often somebody did something lately, over all workers.

Nothing is written for a key that is over its limit, so a flood costs reads.
"""

from synapse_nextgen_auth.clock import SKEW, is_recent
from synapse_nextgen_auth.oauth.rates import DROP, Rate
from synapse_nextgen_auth.store.txn import Txn


def count(txn: Txn, key: str, *, window: int, now: int) -> None:
    """Count one more within the window of `window` seconds, or begin a new window."""
    is_over = "(nextgen_throttle.window_start <= ? OR nextgen_throttle.window_start > ?)"
    bounds = (now - window, now + SKEW)
    txn.execute(
        "INSERT INTO nextgen_throttle (key, window_start, count) VALUES (?, ?, 1)"
        " ON CONFLICT (key) DO UPDATE SET"
        f" count = CASE WHEN {is_over} THEN 1 ELSE nextgen_throttle.count + 1 END,"
        f" window_start = CASE WHEN {is_over} THEN excluded.window_start"
        " ELSE nextgen_throttle.window_start END",
        (key, now, *bounds, *bounds),
    )


def wait(txn: Txn, key: str, *, limit: int, window: int, now: int) -> int | None:
    """Return for how many seconds this key must wait, `None` while it is below the limit."""
    txn.execute("SELECT window_start, count FROM nextgen_throttle WHERE key = ?", (key,))
    row = txn.fetchone()
    if row is None or int(row[1]) < limit or not is_recent(int(row[0]), now, within=window):
        return None
    return min(int(row[0]) + window - now, window)


def fill(txn: Txn, key: str, rate: Rate, *, now: int) -> int | None:
    """Let this key do one thing more; else return for how many seconds it must wait.

    In these rows `count` is the level of a bucket at the time `window_start`.
    """
    return _wait(txn, key, rate, now=now) or _fill(txn, key, rate, now=now)


def _wait(txn: Txn, key: str, rate: Rate, *, now: int) -> int | None:
    txn.execute("SELECT window_start, count FROM nextgen_throttle WHERE key = ?", (key,))
    row = txn.fetchone()
    return None if row is None else rate.wait(rate.level(int(row[1]), at=int(row[0]), now=now))


# `Rate.level` in SQL: a level from the future or of long ago is nothing, and the products stay small.
_LEVEL = """CASE WHEN nextgen_throttle.window_start > ? OR nextgen_throttle.window_start <= ? THEN 0
    WHEN nextgen_throttle.window_start >= ? THEN nextgen_throttle.count
    WHEN nextgen_throttle.count <= (? - nextgen_throttle.window_start) * ? THEN 0
    ELSE nextgen_throttle.count - (? - nextgen_throttle.window_start) * ? END"""


def _fill(txn: Txn, key: str, rate: Rate, *, now: int) -> int | None:
    ahead = now + SKEW
    level = (ahead, now - rate.empty_after, now, now, rate.leak, now, rate.leak)
    txn.execute(
        "INSERT INTO nextgen_throttle (key, window_start, count) VALUES (?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET"
        f" count = {DROP} + {_LEVEL},"
        " window_start = CASE WHEN nextgen_throttle.window_start > ?"
        " AND nextgen_throttle.window_start <= ? THEN nextgen_throttle.window_start"
        " ELSE excluded.window_start END"
        f" WHERE {_LEVEL} <= ?",
        (key, now, DROP, *level, now, ahead, *level, rate.capacity - DROP),
    )
    # Somebody else was faster, and now the bucket is full.
    return None if txn.rowcount == 1 else (_wait(txn, key, rate, now=now) or 1)
