"""Sessions that outlived their device or their account, because a process died or we were away.

Without a device or an account they open nothing: every use looks at both. Where a stock token
speaks for the device, somebody signed in to it while the module was not loaded. The three tables
beside ours are Synapse's.
"""

from collections.abc import Sequence

from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.oauth.sessions import DEVICE_STAYS, Began, End
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.txn import Txn, placeholders

BITE = 1000


@frozen
class Stretch:
    """One bite of sessions: the id it ends at, `None` for the last one, and how many of it live."""

    until: str | None
    living: int


def measure(txn: Txn, *, after: str) -> Stretch:
    """Return the bite that follows this session id."""
    txn.execute(
        "SELECT MAX(session_id), COUNT(*), COUNT(ended_at) FROM ("
        "SELECT session_id, ended_at FROM nextgen_sessions WHERE session_id > ?"
        " ORDER BY session_id LIMIT ?) AS bite",
        (after, BITE),
    )
    last, count, ended = txn.fetchone()
    return Stretch(str(last) if count == BITE else None, count - ended)


def list_idle(txn: Txn, *, after: str, until: str, idle_since: int) -> list[str]:
    """Return the living sessions of one bite without a device that nobody used since then."""
    txn.execute(
        "SELECT session_id FROM nextgen_sessions"
        " WHERE session_id > ? AND session_id <= ? AND ended_at IS NULL AND device_id IS NULL"
        " AND rotated_at <= ? AND last_active_at <= ?"
        " AND (began_by IS NULL OR began_by <> ?) ORDER BY session_id",
        (after, until, idle_since, idle_since, Began.PERSONAL.value),
    )
    return [str(row[0]) for row in txn.fetchall()]


def list_expired(txn: Txn, *, after: str, until: str, now: int) -> list[str]:
    """Return the living sessions of one bite whose end was set when they began, and has come."""
    txn.execute(
        "SELECT session_id FROM nextgen_sessions"
        " WHERE session_id > ? AND session_id <= ? AND ended_at IS NULL AND expires_at <= ?"
        " ORDER BY session_id",
        (after, until, now),
    )
    return [str(row[0]) for row in txn.fetchall()]


def list_ahead(txn: Txn, *, after: str, until: str, now: int) -> list[str]:
    """Return the living sessions of one bite with a time that a clock wrote which ran ahead."""
    ahead = now + SKEW
    txn.execute(
        "SELECT session_id FROM nextgen_sessions"
        " WHERE session_id > ? AND session_id <= ? AND ended_at IS NULL"
        " AND (created_at > ? OR rotated_at > ? OR last_active_at > ? OR auth_time > ?)"
        " ORDER BY session_id",
        (after, until, ahead, ahead, ahead, ahead),
    )
    return [str(row[0]) for row in txn.fetchall()]


def set_right(txn: Txn, session_ids: Sequence[str], *, now: int) -> None:
    """Bring times that lie ahead back to now, so that limits and grace begin now and not then."""
    marks = placeholders(session_ids)
    names = ("created_at", "rotated_at", "last_active_at", "auth_time")
    changes = ", ".join(f"{name} = CASE WHEN {name} > ? THEN ? ELSE {name} END" for name in names)
    txn.execute(
        f"UPDATE nextgen_sessions SET {changes}, active_day = NULL WHERE session_id IN ({marks})",
        (*[now + SKEW, now] * len(names), *session_ids),
    )
    txn.changed.extend(session_ids)


def list_addressed(txn: Txn, *, after: str, until: str, before: int) -> list[str]:
    """Return the sessions of one bite, ended ones too, whose address is from before then."""
    txn.execute(
        "SELECT session_id FROM nextgen_sessions WHERE session_id > ? AND session_id <= ?"
        " AND rotated_at < ? AND address IS NOT NULL ORDER BY session_id",
        (after, until, before),
    )
    return [str(row[0]) for row in txn.fetchall()]


def blank_addresses(txn: Txn, session_ids: Sequence[str]) -> None:
    """Forget from where these sessions refreshed."""
    marks = placeholders(session_ids)
    txn.execute(
        f"UPDATE nextgen_sessions SET address = NULL WHERE session_id IN ({marks})", session_ids
    )
    txn.changed.extend(session_ids)


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
        " OR u.name IS NULL OR u.deactivated = 1) ORDER BY s.session_id",
        (after, until, created_before),
    )
    return [str(row[0]) for row in txn.fetchall()]


def list_half_revoked(txn: Txn, *, since: int) -> list[tuple[str, str]]:
    """Return a bite of the devices, with their accounts, that outlived a session revoked since then.

    Not where a living session or a stock token speaks for the device now, nor where a later session
    of it ended so that the person may come back to it.
    """
    marks = placeholders(DEVICE_STAYS)
    txn.execute(
        "SELECT DISTINCT s.user_id, s.device_id FROM nextgen_sessions AS s"
        " JOIN devices AS d ON d.user_id = s.user_id AND d.device_id = s.device_id"
        " WHERE s.ended_at >= ? AND s.end_reason = ? AND s.device_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM nextgen_sessions AS o"
        " WHERE o.user_id = s.user_id AND o.device_id = s.device_id AND (o.ended_at IS NULL"
        f" OR (o.ended_at >= s.ended_at AND o.end_reason IN ({marks}))))"
        " AND NOT EXISTS (SELECT 1 FROM access_tokens AS t"
        " WHERE t.user_id = s.user_id AND t.device_id = s.device_id)"
        " LIMIT ?",
        (since, End.REVOKED.value, *sorted(why.value for why in DEVICE_STAYS), BITE),
    )
    return [(str(user_id), str(device_id)) for user_id, device_id in txn.fetchall()]
