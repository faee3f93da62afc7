"""Rows of throttles: how often somebody did something lately, over all workers.

Nothing is written for a key that is over its limit, so a flood costs reads.
"""

from collections.abc import Sequence

from synapse_nextgen_auth.clock import SKEW, is_recent
from synapse_nextgen_auth.oauth.rates import DROP, Rate
from synapse_nextgen_auth.records import frozen
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


@frozen
class Bucket:
    """What one more action fills, and how fast it leaks."""

    key: str
    rate: Rate


@frozen
class Full:
    """One more does not fit into the bucket with this key for `wait` seconds."""

    key: str
    wait: int


def full(txn: Txn, buckets: Sequence[Bucket], *, now: int) -> Full | None:
    """Return which of these one thing more does not fit into; counts nothing."""
    for bucket in buckets:
        wait = _wait(txn, bucket.key, bucket.rate, now=now)
        if wait is not None:
            return Full(bucket.key, wait)
    return None


def fill(txn: Txn, buckets: Sequence[Bucket], *, now: int) -> Full | None:
    """Let somebody do one thing more, who counts in all of these; else return which one is full.

    In these rows `count` is the level of a bucket at the time `window_start`. Whoever counts in the same
    ones has to name them in the same order: each is locked until the end of the transaction.
    """
    found = full(txn, buckets, now=now)
    if found is not None:
        return found
    for at, bucket in enumerate(buckets):
        wait = _fill(txn, bucket.key, bucket.rate, now=now)
        if wait is not None:
            take_back(txn, buckets[:at])
            return Full(bucket.key, wait)
    return None


def take_back(txn: Txn, buckets: Sequence[Bucket]) -> None:
    """Take out what was filled in, as far as it has not leaked since."""
    for bucket in buckets:
        txn.execute(
            f"UPDATE nextgen_throttle SET count = CASE WHEN count > {DROP} THEN count - {DROP}"
            " ELSE 0 END WHERE key = ?",
            (bucket.key,),
        )


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
