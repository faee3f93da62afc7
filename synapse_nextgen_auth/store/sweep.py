"""Deleting what nobody needs any more, in bounded bites."""

from synapse_nextgen_auth.store.txn import Txn

BITE = 500

_DAY = 24 * 3600

# What to delete, and how long (in seconds) it stays after its time.
_STALE = {
    "expired grants": (
        "DELETE FROM nextgen_grants WHERE grant_id IN ("
        "SELECT grant_id FROM nextgen_grants WHERE expires_at < ? LIMIT ?)",
        _DAY,
    ),
    "ended sessions": (
        "DELETE FROM nextgen_sessions WHERE session_id IN ("
        "SELECT session_id FROM nextgen_sessions"
        " WHERE ended_at IS NOT NULL AND ended_at < ? LIMIT ?)",
        30 * _DAY,
    ),
    "expired device grants": (
        "DELETE FROM nextgen_device_grants WHERE grant_id IN ("
        "SELECT grant_id FROM nextgen_device_grants WHERE expires_at < ? LIMIT ?)",
        _DAY,
    ),
    "rendezvous": (
        "DELETE FROM nextgen_rendezvous WHERE rendezvous_id IN ("
        "SELECT rendezvous_id FROM nextgen_rendezvous WHERE expires_at < ? LIMIT ?)",
        0,
    ),
    "throttles": (
        "DELETE FROM nextgen_throttle WHERE key IN ("
        "SELECT key FROM nextgen_throttle WHERE window_start < ? LIMIT ?)",
        _DAY,
    ),
    "client assertions": (
        "DELETE FROM nextgen_client_assertions WHERE digest IN ("
        "SELECT digest FROM nextgen_client_assertions WHERE expires_at < ? LIMIT ?)",
        60,
    ),
    "approvals": (
        "DELETE FROM nextgen_approvals WHERE approval_id IN ("
        "SELECT approval_id FROM nextgen_approvals WHERE requested_at < ? LIMIT ?)",
        _DAY,
    ),
    "consents": (
        "DELETE FROM nextgen_consents WHERE (user_id, client_id, scope) IN ("
        "SELECT user_id, client_id, scope FROM nextgen_consents WHERE granted_at < ? LIMIT ?)",
        365 * _DAY,
    ),
    "events": (
        "DELETE FROM nextgen_events WHERE event_id IN ("
        "SELECT event_id FROM nextgen_events WHERE happened_at < ? LIMIT ?)",
        180 * _DAY,
    ),
}

KINDS = tuple(_STALE)


def stale(txn: Txn, *, kind: str, now: int) -> int:
    """Delete at most one bite of `kind`; return how many rows went."""
    sql, keep = _STALE[kind]
    txn.execute(sql, (now - keep, BITE))
    return txn.rowcount


def idle_browsers(txn: Txn, *, idle_since: int) -> int:
    """Delete at most one bite of browsers that were not here since `idle_since`."""
    txn.execute(
        "DELETE FROM nextgen_browsers WHERE digest IN ("
        "SELECT digest FROM nextgen_browsers WHERE last_active_at < ? LIMIT ?)",
        (idle_since, BITE),
    )
    return txn.rowcount


def unused_clients(txn: Txn, *, unused_since: int, now: int) -> int:
    """Delete at most one bite of registrations that nobody used since `unused_since`.

    Never one with a living session or a pending grant (CS API, dynamic client registration), and
    none whose last session ended since then: its app comes back with the id it knows.
    """
    txn.execute(
        "DELETE FROM nextgen_clients WHERE client_id IN ("
        "SELECT client_id FROM nextgen_clients AS c WHERE last_used_at < ?"
        " AND NOT EXISTS (SELECT 1 FROM nextgen_sessions AS s"
        " WHERE s.client_id = c.client_id AND (s.ended_at IS NULL OR s.ended_at >= ?))"
        " AND NOT EXISTS (SELECT 1 FROM nextgen_grants AS g"
        " WHERE g.client_id = c.client_id AND g.expires_at > ?)"
        " AND NOT EXISTS (SELECT 1 FROM nextgen_device_grants AS d"
        " WHERE d.client_id = c.client_id AND d.expires_at > ?)"
        " LIMIT ?)",
        (unused_since, unused_since, now, now, BITE),
    )
    return txn.rowcount
