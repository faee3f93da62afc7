"""Accounts, as an administrator lists them: by their names, which is how their table is read fast.

Accounts that an application service made are as many as it wants, and nobody's who signs in: they are
not listed, but found by their names.
"""

from collections.abc import Mapping
from typing import Any

from synapse_nextgen_auth.oauth.tokens.personal_tokens import CLIENT as PERSONAL
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import marks
from synapse_nextgen_auth.store.marks import Mark
from synapse_nextgen_auth.store.txn import Txn, placeholders
from synapse_nextgen_auth.store.windows import Window


@frozen
class User:
    """An account; times in seconds, of which those of Synapse's table are unknown but for the first."""

    user_id: str
    created_at: int
    is_admin: bool
    is_guest: bool
    locked_at: int | None = None
    closed_at: int | None = None


@frozen
class Wanted:
    """Which accounts; what is `None` does not matter. `clients` are such as have a session there.

    `server_name` is what stands behind the colon of each name, where nobody searches.
    """

    server_name: str
    admin: bool | None = None
    guest: bool | None = None
    status: str | None = None
    search: str | None = None
    clients: tuple[str, ...] | None = None
    has_session: bool | None = None
    has_legacy_session: bool | None = None


_COLUMNS = "name, creation_ts, admin, is_guest, locked, deactivated"
_SESSION = (
    "SELECT 1 FROM nextgen_sessions AS s WHERE s.user_id = users.name AND s.ended_at IS NULL"
    " AND (s.expires_at IS NULL OR s.expires_at > ?) AND s.client_id <> ?"
)
_LEGACY = "SELECT 1 FROM access_tokens AS a WHERE a.user_id = users.name"
_STATUS: Mapping[str, tuple[str, list[Any]]] = {
    "active": ("deactivated = 0 AND (locked IS NULL OR locked = ?)", [False]),
    "locked": ("locked = ?", [True]),
    "deactivated": ("deactivated = 1", []),
}
# A name without what is the same in all of them: the sign before it, and the server behind it.
_LOCALPART = "LOWER(SUBSTR(name, 2, LENGTH(name) - ?))"


def list_users(txn: Txn, wanted: Wanted, window: Window, *, now: int) -> list[User]:
    """Return a page of accounts, and one more where there are more."""
    where, given = _where(wanted, now)
    within, ends = window.where("name")
    txn.execute(
        f"SELECT {_COLUMNS} FROM users WHERE {where} AND {within} {window.order('name')}",
        [*given, *ends],
    )
    return _dated(txn, txn.fetchall(), now)


def count(txn: Txn, wanted: Wanted, *, now: int) -> int:
    """Return how many accounts that are."""
    where, given = _where(wanted, now)
    txn.execute(f"SELECT COUNT(*) FROM users WHERE {where}", given)
    return int(txn.fetchone()[0])


def get(txn: Txn, user_id: str, *, now: int) -> User | None:
    """Return an account, whoever made it."""
    txn.execute(f"SELECT {_COLUMNS} FROM users WHERE name = ?", (user_id,))
    return next(iter(_dated(txn, txn.fetchall(), now)), None)


def _where(wanted: Wanted, now: int) -> tuple[str, list[Any]]:
    found: list[tuple[str, list[Any]]] = [("COALESCE(appservice_id, '') = ''", [])]
    for column, value in (("admin", wanted.admin), ("is_guest", wanted.guest)):
        if value is not None:
            found.append((f"{column} = ?", [int(value)]))
    if wanted.status is not None:
        found.append(_STATUS[wanted.status])
    if wanted.search is not None:
        # As both databases know it: something is gone where what is looked for is taken out.
        said = f"REPLACE({_LOCALPART}, ?, '') <> {_LOCALPART}"
        cut = len(wanted.server_name) + 2
        found.append((said, [cut, wanted.search.lower(), cut]))
    if wanted.clients is not None:
        marked = placeholders(wanted.clients)
        said = f"EXISTS ({_SESSION} AND s.client_id IN ({marked}))"
        found.append((said, [now, PERSONAL, *wanted.clients]))
    for question, value, given in (
        (_SESSION, wanted.has_session, [now, PERSONAL]),
        (_LEGACY, wanted.has_legacy_session, []),
    ):
        if value is not None:
            found.append((f"{'' if value else 'NOT '}EXISTS ({question})", given))
    return " AND ".join(said for said, _ in found), [each for _, given in found for each in given]


def _dated(txn: Txn, rows: list[Any], now: int) -> list[User]:
    """Return accounts with the times since when they are locked or closed."""
    names = [str(row[0]) for row in rows]
    locked = [str(row[0]) for row in rows if row[4]]
    closed = [str(row[0]) for row in rows if row[5]]
    marks.keep(txn, Mark.LOCKED, locked, names, now=now)
    marks.keep(txn, Mark.CLOSED, closed, names, now=now)
    locked_at = marks.find(txn, Mark.LOCKED, locked)
    closed_at = marks.find(txn, Mark.CLOSED, closed)
    return [
        User(
            str(name),
            int(created or 0),
            is_admin=bool(admin),
            is_guest=bool(guest),
            locked_at=locked_at[name].since if name in locked_at else None,
            closed_at=closed_at[name].since if name in closed_at else None,
        )
        for name, created, admin, guest, _, _ in rows
    ]
