"""Rows of sessions."""

from collections.abc import Sequence

from synapse_nextgen_auth.oauth.sessions import Began, End, Session
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Cursor, Txn

_SESSIONS = Table(
    "nextgen_sessions",
    Session,
    beside=("active_day",),
    alike=("user_id", "client_id", "address", "user_agent", "amr", "acr", "owner_id"),
)
# Lists find by the day what was idle; a finer time would make an index of it change at each use.
DAY = 24 * 3600
_BITE = 500


def add(txn: Txn, session: Session) -> None:
    """Insert a session; a living one on the same device is an integrity error."""
    _SESSIONS.insert(txn, session, active_day=session.last_active_at // DAY)


def get(txn: Txn, session_id: str) -> Session | None:
    """Return the session, living or ended."""
    return _SESSIONS.one(txn, "WHERE session_id = ?", session_id)


def by_ids(txn: Txn, session_ids: Sequence[str]) -> dict[str, Session]:
    """Return those of these sessions that are there, living or ended."""
    return _SESSIONS.by(txn, "session_id", session_ids)


def find_by_device(txn: Txn, user_id: str, device_id: str) -> Session | None:
    """Return the living session of a device."""
    return _SESSIONS.one(
        txn, "WHERE user_id = ? AND device_id = ? AND ended_at IS NULL", user_id, device_id
    )


def list_living(txn: Txn, user_id: str) -> list[Session]:
    """Return the living sessions of an account, the oldest first."""
    return _SESSIONS.all(
        txn, "WHERE user_id = ? AND ended_at IS NULL ORDER BY created_at, session_id", user_id
    )


def list_owned(txn: Txn, owner_id: str) -> list[Session]:
    """Return the living sessions that an administrator made for other accounts, the newest first."""
    return _SESSIONS.all(
        txn,
        f"WHERE began_by = '{Began.PERSONAL.value}' AND owner_id = ? AND ended_at IS NULL"
        " ORDER BY created_at DESC, session_id",
        owner_id,
    )


def rotate(
    txn: Txn, session_id: str, *, client_id: str, generation: int, idle_since: int, now: int
) -> bool:
    """Go from `generation` to the next one; False when it is not the current one any more.

    Nothing happens either to another client's session, an ended one, or one without any sign of
    life after `idle_since`.
    """
    txn.execute(
        "UPDATE nextgen_sessions SET generation = ?, rotated_at = ?"
        " WHERE session_id = ? AND generation = ? AND client_id = ? AND ended_at IS NULL"
        " AND (rotated_at > ? OR last_active_at > ?)",
        (generation + 1, now, session_id, generation, client_id, idle_since, idle_since),
    )
    return txn.rowcount == 1


def jump(txn: Txn, session_id: str, *, stored: int, generation: int, now: int) -> bool:
    """Go on from a generation ahead of the stored one: the database came from a backup."""
    txn.execute(
        "UPDATE nextgen_sessions SET generation = ?, rotated_at = ?, confirmed_generation = ?"
        " WHERE session_id = ? AND generation = ? AND ended_at IS NULL",
        (generation, now, stored, session_id, stored),
    )
    return txn.rowcount == 1


def confirm(txn: Txn, uses: Sequence[tuple[str, int, int]]) -> None:
    """Remember that tokens were used, `(session_id, generation, now)`, one of a session at most.

    One older than the confirmed generation changes nothing but the last activity. One ahead of the
    stored generation brings that up to date: the database came from a backup.
    """
    rows = ", ".join(["(?, ?, ?)"] * len(uses))
    txn.execute(
        f"WITH used (id, seen, at) AS (VALUES {rows})"
        f" UPDATE nextgen_sessions SET last_active_at = at, active_day = at / {DAY},"
        " confirmed_generation = CASE WHEN confirmed_generation < seen THEN seen"
        " ELSE confirmed_generation END,"
        " generation = CASE WHEN generation < seen THEN seen ELSE generation END"
        " FROM used WHERE session_id = id AND ended_at IS NULL",
        tuple(value for use in uses for value in use),
    )


def move(txn: Txn, session_id: str, *, address: str) -> None:
    """Remember the network address that the session now refreshes from."""
    txn.execute(
        "UPDATE nextgen_sessions SET address = ? WHERE session_id = ?", (address, session_id)
    )
    txn.changed.append(session_id)


def forget_factors(txn: Txn, user_id: str) -> tuple[str, ...]:
    """Note that no second factor counts any more in the living sessions of an account; return which."""
    of_these = "WHERE user_id = ? AND ended_at IS NULL AND (level > 1 OR former_level > 1)"
    txn.execute(f"SELECT session_id FROM nextgen_sessions {of_these}", (user_id,))
    changed = tuple(str(session_id) for (session_id,) in txn.fetchall())
    txn.execute(
        "UPDATE nextgen_sessions SET level = 1, acr = NULL, amr = REPLACE(amr, ' mfa', ''),"
        f" former_level = 1, former_acr = NULL, former_amr = REPLACE(former_amr, ' mfa', '')"
        f" {of_these}",
        (user_id,),
    )
    txn.changed.extend(changed)
    return changed


def holds(txn: Txn, session_id: str) -> bool:
    """Say whether a session lives, in a way that whoever ends it at this moment meets."""
    txn.execute(
        "UPDATE nextgen_sessions SET last_active_at = last_active_at"
        " WHERE session_id = ? AND ended_at IS NULL",
        (session_id,),
    )
    return txn.rowcount == 1


def end(txn: Txn, session_id: str, *, why: End, now: int) -> bool:
    """Mark the session ended; False when it was already."""
    txn.execute(
        "UPDATE nextgen_sessions SET ended_at = ?, end_reason = ?"
        " WHERE session_id = ? AND ended_at IS NULL",
        (now, why.value, session_id),
    )
    if txn.rowcount != 1:
        return False
    txn.ended.append(session_id)
    return True


def fill_days(txn: Cursor) -> int:
    """Note the day of the last use of some sessions that have none noted; return of how many."""
    txn.execute(
        f"UPDATE nextgen_sessions SET active_day = last_active_at / {DAY} WHERE session_id IN"
        " (SELECT session_id FROM nextgen_sessions WHERE active_day IS NULL LIMIT ?)",
        (_BITE,),
    )
    return txn.rowcount
