"""Rows of the audit log: append-only, no secrets."""

from synapse_nextgen_auth.oauth.events import Event
from synapse_nextgen_auth.store.txn import Txn


def add(txn: Txn, event: Event) -> None:
    """Write the event down; one that has an id already only once."""
    event_id = event.event_id or txn.draw(event.said)
    txn.execute(
        "INSERT INTO nextgen_events (event_id, happened_at, kind, user_id, client_id, session_id,"
        " address, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            *(event_id, event.happened_at, event.kind.value, event.user_id),
            *(event.client_id, event.session_id, event.address, event.detail),
        ),
    )
