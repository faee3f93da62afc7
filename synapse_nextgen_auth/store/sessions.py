"""Rows of sessions."""

from collections.abc import Sequence

from synapse_nextgen_auth.oauth.sessions import End, Session
from synapse_nextgen_auth.store.txn import Txn

_COLUMNS = """session_id, user_id, device_id, client_id, scope, generation, rotated_at,
    confirmed_generation, auth_time, created_at, last_active_at, address, expires_at, ended_at,
    end_reason"""


def add(txn: Txn, session: Session) -> None:
    """Insert a session; a living one on the same device is an integrity error."""
    txn.execute(
        f"INSERT INTO nextgen_sessions ({_COLUMNS})"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(session.session_id, session.user_id, session.device_id, session.client_id),
            *(session.scope, session.generation, session.rotated_at),
            *(session.confirmed_generation, session.auth_time, session.created_at),
            *(session.last_active_at, session.address, session.expires_at),
            *(session.ended_at, session.end_reason),
        ),
    )


def get(txn: Txn, session_id: str) -> Session | None:
    """Return the session, living or ended."""
    txn.execute(f"SELECT {_COLUMNS} FROM nextgen_sessions WHERE session_id = ?", (session_id,))
    row = txn.fetchone()
    return Session(*row) if row else None


def find_by_device(txn: Txn, user_id: str, device_id: str) -> Session | None:
    """Return the living session of a device."""
    txn.execute(
        f"SELECT {_COLUMNS} FROM nextgen_sessions"
        " WHERE user_id = ? AND device_id = ? AND ended_at IS NULL",
        (user_id, device_id),
    )
    row = txn.fetchone()
    return Session(*row) if row else None


def list_living(txn: Txn, user_id: str) -> list[Session]:
    """Return the living sessions of an account, the oldest first."""
    txn.execute(
        f"SELECT {_COLUMNS} FROM nextgen_sessions"
        " WHERE user_id = ? AND ended_at IS NULL ORDER BY created_at, session_id",
        (user_id,),
    )
    return [Session(*row) for row in txn.fetchall()]


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
        " UPDATE nextgen_sessions SET last_active_at = at,"
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
