"""Deleting what nobody needs any more, in bounded bites.

The oldest first: so it is an index that finds them, however many there are and whatever the planner
believes.
"""

from collections.abc import Sequence

import attrs

from synapse_nextgen_auth.accounts.attempts.attempt import LIFETIME
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.oauth import legacy_sign_ins
from synapse_nextgen_auth.oauth.grants.device_grants import LONGEST_LIFE
from synapse_nextgen_auth.store import provider_logouts, sign_ins
from synapse_nextgen_auth.store.txn import Txn

BITE = 500

_DAY = 24 * 3600


def _oldest(table: str, key: str, by: str) -> str:
    return (
        f"DELETE FROM {table} WHERE ({key}) IN"
        f" (SELECT {key} FROM {table} WHERE {by} < ? ORDER BY {by} LIMIT ?)"
    )


PASSWORDS = "passwords of nobody"
# A session of Synapse that registers, or changes a password, ends after two days and is deleted then.
PASSWORDS_KEPT = 3 * _DAY

# What to delete, and how long (in seconds) it stays after its time.
_STALE = {
    # Until then its page says that it took too long. Once approved, it expires a day after its code.
    "expired grants": (_oldest("nextgen_grants", "grant_id", "expires_at"), 900),
    "ended sessions": (_oldest("nextgen_sessions", "session_id", "ended_at"), 30 * _DAY),
    # A year after its browser was last signed in to, nothing comes from there any more.
    "browsers of sessions": (
        _oldest("nextgen_session_browsers", "session_id", "noted_at"),
        400 * _DAY,
    ),
    # No browser keeps a cookie for longer, so nobody is signed in there any more.
    "sign-ins of providers": (
        _oldest(
            "nextgen_provider_sessions",
            "provider_session, provider, user_id, sign_in_id",
            "noted_at",
        ),
        400 * _DAY,
    ),
    "logouts of providers": (
        _oldest("nextgen_provider_logouts", "provider_session, provider, user_id", "ended_at"),
        provider_logouts.KEPT,
    ),
    "expired device grants": (_oldest("nextgen_device_grants", "grant_id", "expires_at"), _DAY),
    "attempts": (_oldest("nextgen_attempts", "attempt_id", "expires_at"), 900),
    "legacy sign-ins": (_oldest("nextgen_legacy_logins", "login_id", "expires_at"), 900),
    "arrivals": (_oldest("nextgen_arrivals", "digest", "arrived_at"), _DAY),
    "rendezvous": (_oldest("nextgen_rendezvous", "rendezvous_id", "expires_at"), 0),
    "throttles": (_oldest("nextgen_throttle", "key", "window_start"), _DAY),
    "client assertions": (_oldest("nextgen_client_assertions", "digest", "expires_at"), 60),
    "approvals": (_oldest("nextgen_approvals", "approval_id", "requested_at"), _DAY),
    "consents": (
        _oldest("nextgen_consents", "user_id, client_id, scope", "granted_at"),
        365 * _DAY,
    ),
    # Of a registration, or a change, that was never finished. Those that an account uses all the same,
    # because a process died before it noted that, are claimed first.
    PASSWORDS: (
        "DELETE FROM nextgen_passwords WHERE stand_in IN (SELECT stand_in FROM nextgen_passwords"
        " WHERE user_id IS NULL AND made_at < ? ORDER BY made_at LIMIT ?)",
        PASSWORDS_KEPT,
    ),
    # What is done is deleted at once. This is what was given up, or what no release here can do.
    "entries of the outbox": (_oldest("nextgen_outbox", "entry_id", "written_at"), 30 * _DAY),
    "events": (_oldest("nextgen_events", "event_id", "happened_at"), 180 * _DAY),
}

KINDS = tuple(_STALE)
# What else is counted when it is deleted.
IDLE_BROWSERS, UNUSED_CLIENTS = "idle browsers", "unused clients"


def stale(txn: Txn, *, kind: str, now: int, keep: int | None = None) -> int:
    """Delete at most one bite of `kind`, perhaps kept for another time; return how many rows went."""
    sql, usually = _STALE[kind]
    txn.execute(sql, (now - (usually if keep is None else keep), BITE))
    return txn.rowcount


def blank_addresses(txn: Txn, *, since: int, before: int) -> tuple[int | None, int]:
    """Take the addresses out of the events of one bite from `since` on.

    Return from when the next one goes on, `None` after the last, and how many addresses went.
    """
    txn.execute(
        "SELECT happened_at FROM nextgen_events WHERE happened_at >= ? AND happened_at < ?"
        " ORDER BY happened_at LIMIT 1 OFFSET ?",
        (since, before, BITE),
    )
    row = txn.fetchone()
    # However much happens in a second, it is one bite.
    until = before if row is None else max(int(row[0]), since + 1)
    txn.execute(
        "UPDATE nextgen_events SET address = NULL"
        " WHERE happened_at >= ? AND happened_at < ? AND address IS NOT NULL",
        (since, until),
    )
    return (None if row is None else until), txn.rowcount


def _ahead(change: str, table: str, key: str, by: str, *, made: str = "") -> str:
    """Do something to a bite of rows whose time lies ahead, made by a clock that ran ahead."""
    return (
        f"{change} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {by} > ?"
        f" AND {made or by} > ? ORDER BY {by} LIMIT ?)"
    )


def _delete_ahead(table: str, key: str, by: str, *, made: str = "") -> str:
    return _ahead(f"DELETE FROM {table}", table, key, by, made=made)


def _set_right(table: str, key: str, by: str, values: str) -> str:
    return _ahead(f"UPDATE {table} SET {values}", table, key, by)


# What to do about rows that would wait until a time that a wrong clock wrote, how far (in seconds)
# that time may honestly lie ahead, and how often the statement wants to know the present time.
# Events stay, they are what happened. So do assertions: until its time is over, each would work again.
_FROM_THE_FUTURE = {
    "expired grants": (
        _delete_ahead("nextgen_grants", "grant_id", "expires_at", made="created_at"),
        _DAY + 7200,
        0,
    ),
    "expired device grants": (
        _delete_ahead("nextgen_device_grants", "grant_id", "expires_at", made="created_at"),
        LONGEST_LIFE,
        0,
    ),
    "attempts": (
        _delete_ahead("nextgen_attempts", "attempt_id", "expires_at", made="created_at"),
        LIFETIME,
        0,
    ),
    "rendezvous": (
        _delete_ahead("nextgen_rendezvous", "rendezvous_id", "expires_at", made="created_at"),
        LONGEST_LIFE,
        0,
    ),
    "legacy sign-ins": (
        _delete_ahead("nextgen_legacy_logins", "login_id", "expires_at", made="created_at"),
        legacy_sign_ins.LIFETIME,
        0,
    ),
    "arrivals": (_delete_ahead("nextgen_arrivals", "digest", "arrived_at"), 0, 0),
    "throttles": (_delete_ahead("nextgen_throttle", "key", "window_start"), 0, 0),
    "approvals": (
        _delete_ahead("nextgen_approvals", "approval_id", "requested_at"),
        0,
        0,
    ),
    "consents": (
        _delete_ahead("nextgen_consents", "user_id, client_id, scope", "granted_at"),
        0,
        0,
    ),
    "sessions ended in the future": (
        _set_right("nextgen_sessions", "session_id", "ended_at", "ended_at = ?"),
        0,
        1,
    ),
    "browsers of sessions from the future": (
        _set_right("nextgen_session_browsers", "session_id", "noted_at", "noted_at = ?"),
        0,
        1,
    ),
    "logouts of providers from the future": (
        _set_right(
            "nextgen_provider_logouts",
            "provider_session, provider, user_id",
            "ended_at",
            "ended_at = ?",
        ),
        0,
        1,
    ),
    "sign-ins of providers from the future": (
        _set_right(
            "nextgen_provider_sessions",
            "provider_session, provider, user_id, sign_in_id",
            "noted_at",
            "noted_at = ?",
        ),
        0,
        1,
    ),
    "entries of the outbox from the future": (
        _set_right("nextgen_outbox", "entry_id", "written_at", "written_at = ?"),
        0,
        1,
    ),
    "clients from the future": (
        _set_right(
            "nextgen_clients",
            "client_id",
            "last_used_at",
            "created_at = CASE WHEN last_used_at = created_at THEN ? ELSE created_at END,"
            " last_used_at = ?",
        ),
        0,
        2,
    ),
}

KINDS_AHEAD = tuple(_FROM_THE_FUTURE)


def from_the_future(txn: Txn, *, kind: str, now: int) -> int:
    """Delete or set right at most one bite of what a clock wrote that ran ahead (C379)."""
    sql, reach, times = _FROM_THE_FUTURE[kind]
    txn.execute(sql, (*[now] * times, now + reach + SKEW, now + SKEW, BITE))
    return txn.rowcount


def browsers_from_the_future(txn: Txn, *, now: int) -> int:
    """Set right at most one bite of browsers that were here in the future."""
    found = sign_ins.list_ahead(txn, now=now, limit=BITE)
    for each in found:
        sign_ins.set_right(txn, each, each.set_right(now))
    return len(found)


def idle_browsers(txn: Txn, *, idle_since: int) -> int:
    """Delete at most one bite of browsers that were not here since `idle_since`."""
    txn.execute(_oldest("nextgen_browsers", "digest", "last_active_at"), (idle_since, BITE))
    return txn.rowcount


def unused_clients(txn: Txn, *, unused_since: int, now: int) -> tuple[int, int]:
    """Look at one bite of registrations not used since `unused_since`; return how many, and gone.

    Those in use for longer than that are noted as used now, and so not looked at again each time.
    """
    candidates = list_old_clients(txn, used_before=unused_since)
    if not candidates:
        return 0, 0
    gone = remove_unused(txn, candidates, unused_since=unused_since, now=now)
    note_used(txn, candidates, now=now)
    return len(candidates), len(gone)


@attrs.frozen
class Place:
    """How far a look at the registrations that never began a grant has come."""

    at: int = -1
    client_id: str = ""


def idle_clients(
    txn: Txn,
    *,
    after: Place,
    registered_before: int,
    is_public: bool,
    unused_since: int,
    now: int,
) -> tuple[Place | None, int]:
    """Delete registrations of one bite that never began a grant; return where it ends, and how many.

    `None` is the end. What was looked at once is not looked at again: it goes with the others.
    """
    method = "" if is_public else "NOT "
    txn.execute(
        "SELECT last_used_at, client_id FROM nextgen_clients"
        " WHERE last_used_at >= ? AND last_used_at < ? AND last_used_at = created_at"
        " AND (last_used_at > ? OR client_id > ?)"
        f" AND metadata {method}LIKE ?"
        " ORDER BY last_used_at, client_id LIMIT ?",
        (after.at, registered_before, after.at, after.client_id, _PUBLIC, BITE),
    )
    found = [Place(int(at), str(client_id)) for at, client_id in txn.fetchall()]
    if not found:
        return None, 0
    names = [place.client_id for place in found]
    gone = remove_unused(txn, names, unused_since=unused_since, now=now, never_begun=True)
    return found[-1], len(gone)


# As `client_metadata.to_json` writes it. Within a string of it each quotation mark has a backslash.
_PUBLIC = '%"auth_method": "none"%'


def list_old_clients(txn: Txn, *, used_before: int) -> list[str]:
    """Return at most one bite of clients, the one that was signed in to longest ago first."""
    txn.execute(
        "SELECT client_id FROM nextgen_clients WHERE last_used_at < ?"
        " ORDER BY last_used_at LIMIT ?",
        (used_before, BITE),
    )
    return [str(row[0]) for row in txn.fetchall()]


def remove_unused(
    txn: Txn,
    client_ids: Sequence[str],
    *,
    unused_since: int,
    now: int,
    never_begun: bool = False,
) -> list[str]:
    """Delete those of these registrations that nobody used since `unused_since`; return them.

    Never one with a living session or a pending grant (CS API, dynamic client registration), and
    none whose last session ended since then: its app comes back with the id it knows.
    """
    txn.execute(
        f"SELECT client_id FROM nextgen_clients WHERE client_id IN ({_marks(client_ids)})"
        + (" AND last_used_at = created_at" if never_begun else "")
        + " AND NOT EXISTS (SELECT 1 FROM nextgen_sessions AS s"
        " WHERE s.client_id = nextgen_clients.client_id"
        " AND (s.ended_at IS NULL OR s.ended_at >= ?))"
        " AND NOT EXISTS (SELECT 1 FROM nextgen_grants AS g"
        " WHERE g.client_id = nextgen_clients.client_id AND g.expires_at > ?)"
        " AND NOT EXISTS (SELECT 1 FROM nextgen_device_grants AS d"
        " WHERE d.client_id = nextgen_clients.client_id AND d.expires_at > ?)",
        (*client_ids, unused_since, now, now),
    )
    gone = [str(row[0]) for row in txn.fetchall()]
    if gone:
        txn.execute(f"DELETE FROM nextgen_clients WHERE client_id IN ({_marks(gone)})", gone)
        txn.gone.extend(gone)
    return gone


def note_used(txn: Txn, client_ids: Sequence[str], *, now: int) -> None:
    """Note that these clients are in use."""
    txn.execute(
        f"UPDATE nextgen_clients SET last_used_at = ? WHERE client_id IN ({_marks(client_ids)})",
        (now, *client_ids),
    )


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
