"""Rows of accounts of which somebody says that all second factors are lost: one request each.

Each change is one conditional write: of who stops a request and who makes use of it one is first.
"""

from synapse_nextgen_auth.accounts.factors.lost import Request
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_REQUESTS = Table("nextgen_lost_factors", Request)
_OPEN = "cancelled_at IS NULL AND used_at IS NULL"


def put(txn: Txn, request: Request, *, now: int) -> bool:
    """Keep a request; False where one waits, or was stopped a while ago: it stays as it is.

    One that a clock wrote which ran ahead is in nobody's way (C379).
    """
    table, columns = _REQUESTS.name, _REQUESTS.columns
    changed = ", ".join(f"{each} = excluded.{each}" for each in columns if each != "user_id")
    txn.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        f" ON CONFLICT (user_id) DO UPDATE SET {changed}"
        f" WHERE {table}.used_at IS NOT NULL OR {table}.expires_at <= ? OR {table}.asked_at > ?",
        (*(getattr(request, column) for column in columns), now, now + SKEW),
    )
    return txn.rowcount == 1


def get(txn: Txn, user_id: str) -> Request | None:
    """Return the request of an account, whatever became of it."""
    return _REQUESTS.one(txn, "WHERE user_id = ?", user_id)


def find_by_link(txn: Txn, digest: str) -> Request | None:
    """Return the request that the link with this secret stops."""
    return _REQUESTS.one(txn, "WHERE digest = ?", digest)


def list_open(txn: Txn, *, now: int) -> list[Request]:
    """Return what waits for its time, or for its person."""
    return _REQUESTS.all(txn, f"WHERE {_OPEN} AND expires_at > ? ORDER BY user_id", now)


def list_to_remind(txn: Txn, *, now: int, limit: int) -> list[Request]:
    """Return those whose owners are to be told again, the one first whose time is nearest."""
    return _REQUESTS.all(
        txn,
        "WHERE reminded_at IS NULL AND remind_at <= ? AND told_at IS NOT NULL"
        f" AND {_OPEN} AND expires_at > ? ORDER BY remind_at LIMIT ?",
        *(now, now, limit),
    )


def note_told(txn: Txn, told: Request) -> bool:
    """Note that the owner was told of a request; False where that was so, or it is over."""
    txn.execute(
        "UPDATE nextgen_lost_factors"
        " SET told_at = ?, remind_at = ?, ready_at = ?, expires_at = ?"
        f" WHERE user_id = ? AND request_id = ? AND told_at IS NULL AND {_OPEN}",
        (*_times(told, told.told_at), told.user_id, told.request_id),
    )
    return txn.rowcount == 1


def note_reminded(txn: Txn, reminded: Request) -> bool:
    """Note that the owner was told again; False where that was so, or it is over."""
    txn.execute(
        "UPDATE nextgen_lost_factors"
        " SET reminded_at = ?, remind_at = ?, ready_at = ?, expires_at = ?"
        f" WHERE user_id = ? AND request_id = ? AND reminded_at IS NULL AND {_OPEN}",
        (*_times(reminded, reminded.reminded_at), reminded.user_id, reminded.request_id),
    )
    return txn.rowcount == 1


def _times(request: Request, noted_at: int | None) -> tuple[int | None, ...]:
    return (noted_at, request.remind_at, request.ready_at, request.expires_at)


def cancel(txn: Txn, user_id: str, *, rests: bool, now: int) -> bool:
    """Stop what was asked for; False where there is nothing to stop.

    `rests`: for as long as it would have waited nobody asks again.
    """
    txn.execute(
        "UPDATE nextgen_lost_factors"
        " SET cancelled_at = ?, expires_at = ? + ? * (ready_at - asked_at)"
        f" WHERE user_id = ? AND {_OPEN} AND expires_at > ?",
        (now, now, int(rests), user_id, now),
    )
    return txn.rowcount == 1


def use(txn: Txn, user_id: str, *, now: int) -> bool:
    """Make use of a request whose time has come; False where it was stopped, or is not, or no more."""
    txn.execute(
        "UPDATE nextgen_lost_factors SET used_at = ?"
        " WHERE user_id = ? AND told_at IS NOT NULL AND reminded_at IS NOT NULL"
        f" AND {_OPEN} AND ready_at <= ? AND expires_at > ?",
        (now, user_id, now, now),
    )
    return txn.rowcount == 1


def forget(txn: Txn, user_id: str) -> None:
    """Delete what was asked for of an account."""
    txn.execute("DELETE FROM nextgen_lost_factors WHERE user_id = ?", (user_id,))
