"""Deleting registrations of clients that nobody uses, in bounded bites."""

from collections.abc import Sequence

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.sweep import BITE
from synapse_nextgen_auth.store.txn import Txn, placeholders

# What is counted when they are deleted.
UNUSED_CLIENTS = "unused clients"


def old_clients(txn: Txn, *, unused_since: int, now: int) -> tuple[int, int]:
    """Look at one bite of registrations not used since `unused_since`; return how many, and gone.

    Those in use for longer than that are noted as used now, and so not looked at again each time.
    """
    candidates = list_old_clients(txn, used_before=unused_since)
    if not candidates:
        return 0, 0
    gone = remove_unused(txn, candidates, unused_since=unused_since, now=now)
    note_used(txn, candidates, now=now)
    return len(candidates), len(gone)


@frozen
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
        f"SELECT client_id FROM nextgen_clients WHERE client_id IN ({placeholders(client_ids)})"
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
        txn.execute(f"DELETE FROM nextgen_clients WHERE client_id IN ({placeholders(gone)})", gone)
        txn.gone.extend(gone)
    return gone


def note_used(txn: Txn, client_ids: Sequence[str], *, now: int) -> None:
    """Note that these clients are in use."""
    txn.execute(
        f"UPDATE nextgen_clients SET last_used_at = ? WHERE client_id IN ({placeholders(client_ids)})",
        (now, *client_ids),
    )
