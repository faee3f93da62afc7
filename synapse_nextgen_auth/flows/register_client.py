"""Register a client (RFC 7591): the same metadata is the same client."""

from synapse_nextgen_auth.oauth.clients.client_metadata import Metadata, digest, kept_unused
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.store import clients
from synapse_nextgen_auth.store.txn import Txn


def client_of(metadata: Metadata, *, random_id: str, now: int) -> Client:
    """Make the client that registers, yet without the hash of its secret.

    Without a secret its id follows from the metadata, so that it stays the same even when an unused
    registration was swept away in between; with a secret every registration is a client of its own.
    """
    client_id = random_id if metadata.auth_method.needs_secret else digest(metadata)[:32]
    return Client.of(metadata, client_id=client_id, secret_hash=None, created_at=now)


def greet(txn: Txn, client: Client) -> Client | None:
    """Return the client that registered the same before; `None` when that must be written down.

    One that never began a grant and will soon go for it has to register anew, and be counted: it may
    be about to begin one, and nobody keeps it there for nothing.
    """
    now = client.created_at
    known = clients.get(txn, client.client_id)
    since = now - kept_unused(client) // 2
    if known is None or clients.is_unused(txn, client.client_id, created_before=since):
        return None
    clients.note_greeting(txn, client.client_id, now=now)
    return known


def register(txn: Txn, client: Client) -> Client:
    """Keep the client and return it, or the one that registered the same before."""
    same = None if client.auth_method.needs_secret else digest(client)
    if clients.add(txn, client, digest=same):
        return client
    since = client.created_at - kept_unused(client) // 2
    clients.renew(txn, client.client_id, created_before=since, now=client.created_at)
    return clients.get(txn, client.client_id) or client
