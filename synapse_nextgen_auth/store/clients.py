"""Rows of registered clients; configured ones live in the configuration alone."""

from collections.abc import Sequence

from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.oauth.clients.client_metadata import from_json, to_json
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn, placeholders

# How stale (seconds) the note of a client's last use may get: it serves the sweep only.
_TOUCH_AFTER = 3600


@frozen
class _Registration:
    """One row of clients; `digest` is that of the metadata, absent where a secret makes it unique."""

    client_id: str
    digest: str | None
    metadata: str  # JSON
    secret_hash: str | None
    created_at: int
    last_used_at: int

    @property
    def client(self) -> Client:
        return Client.of(
            from_json(self.metadata),
            client_id=self.client_id,
            secret_hash=self.secret_hash,
            created_at=self.created_at,
        )


REGISTRATIONS = Table("nextgen_clients", _Registration)
_IS_ADMITTED = (
    "NOT EXISTS (SELECT 1 FROM nextgen_blocked_clients AS b"
    " WHERE b.client_id = nextgen_clients.client_id)"
)


def add(txn: Txn, client: Client, *, digest: str | None) -> bool:
    """Insert a client; False when the same metadata or id is there already."""
    registration = _Registration(
        client_id=client.client_id,
        digest=digest,
        metadata=to_json(client),
        secret_hash=client.secret_hash,
        created_at=client.created_at,
        last_used_at=client.created_at,
    )
    return REGISTRATIONS.insert_new(txn, registration)


def get(txn: Txn, client_id: str) -> Client | None:
    """Return the registered client with this id."""
    found = REGISTRATIONS.one(txn, "WHERE client_id = ?", client_id)
    return found.client if found else None


def admitted(txn: Txn, client_id: str) -> Client | None:
    """Return the registered client with this id, unless whoever runs the server blocked it."""
    found = REGISTRATIONS.one(txn, f"WHERE client_id = ? AND {_IS_ADMITTED}", client_id)
    return found.client if found else None


def is_blocked(txn: Txn, client_id: str) -> bool:
    """Say whether whoever runs the server blocked this client."""
    txn.execute("SELECT 1 FROM nextgen_blocked_clients WHERE client_id = ?", (client_id,))
    return txn.fetchone() is not None


def list_admitted(txn: Txn, client_ids: Sequence[str]) -> list[Client]:
    """Return those of these clients that are registered and not blocked."""
    marks = placeholders(client_ids)
    found = REGISTRATIONS.all(txn, f"WHERE client_id IN ({marks}) AND {_IS_ADMITTED}", *client_ids)
    return [registration.client for registration in found]


def list_by_ids(txn: Txn, client_ids: Sequence[str]) -> list[Client]:
    """Return those of these clients that are registered."""
    marks = placeholders(client_ids)
    found = REGISTRATIONS.all(txn, f"WHERE client_id IN ({marks})", *client_ids)
    return [registration.client for registration in found]


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
