"""Rows of registered clients; configured ones live in the configuration alone."""

from collections.abc import Sequence

from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.oauth.clients import Client, from_json, to_json
from synapse_nextgen_auth.store.txn import Txn

# How stale (seconds) the note of a client's last use may get: it serves the sweep only.
_TOUCH_AFTER = 3600


def add(txn: Txn, client: Client, *, digest: str | None) -> bool:
    """Insert a client; False when the same metadata or id is there already."""
    txn.execute(
        "INSERT INTO nextgen_clients"
        " (client_id, digest, metadata, secret_hash, created_at, last_used_at)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            *(client.client_id, digest, to_json(client), client.secret_hash),
            *(client.created_at, client.created_at),
        ),
    )
    return txn.rowcount == 1


def get(txn: Txn, client_id: str) -> Client | None:
    """Return the registered client with this id."""
    txn.execute(
        "SELECT metadata, secret_hash, created_at FROM nextgen_clients WHERE client_id = ?",
        (client_id,),
    )
    row = txn.fetchone()
    return _client(client_id, *row) if row else None


def list_by_ids(txn: Txn, client_ids: Sequence[str]) -> list[Client]:
    """Return those of these clients that are registered."""
    marks = ", ".join("?" * len(client_ids))
    txn.execute(
        "SELECT client_id, metadata, secret_hash, created_at FROM nextgen_clients"
        f" WHERE client_id IN ({marks})",
        tuple(client_ids),
    )
    return [_client(*row) for row in txn.fetchall()]


def _client(client_id: str, metadata: str, secret_hash: str | None, created_at: int) -> Client:
    return Client.of(
        from_json(metadata), client_id=client_id, secret_hash=secret_hash, created_at=created_at
    )


def touch(txn: Txn, client_id: str, *, now: int) -> None:
    """Note that the client began something.

    The first time always: a client whose last use is the moment of its registration has no use.
    """
    txn.execute(
        "UPDATE nextgen_clients SET last_used_at = CASE WHEN created_at = ? THEN ? ELSE ? END"
        " WHERE client_id = ?"
        " AND (last_used_at < ? OR last_used_at = created_at OR last_used_at > ?)",
        (now, now + 1, now, client_id, now - _TOUCH_AFTER, now + SKEW),
    )


def note_greeting(txn: Txn, client_id: str, *, now: int) -> None:
    """Note that a client that is in use registered again."""
    txn.execute(
        "UPDATE nextgen_clients SET last_used_at = ?"
        " WHERE client_id = ? AND last_used_at < ? AND last_used_at <> created_at",
        (now, client_id, now - _TOUCH_AFTER),
    )


def is_unused(txn: Txn, client_id: str, *, created_before: int) -> bool:
    """Say whether the client registered before then and never began anything."""
    txn.execute(
        "SELECT 1 FROM nextgen_clients"
        " WHERE client_id = ? AND last_used_at = created_at AND created_at < ?",
        (client_id, created_before),
    )
    return txn.fetchone() is not None


def renew(txn: Txn, client_id: str, *, created_before: int, now: int) -> None:
    """Let a client that never began anything be one that registers now."""
    txn.execute(
        "UPDATE nextgen_clients SET created_at = ?, last_used_at = ?"
        " WHERE client_id = ? AND last_used_at = created_at AND created_at < ?",
        (now, now, client_id, created_before),
    )
