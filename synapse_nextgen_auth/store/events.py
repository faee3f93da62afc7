"""Rows of the audit log: append-only, no secrets."""

import attrs

from synapse_nextgen_auth.oauth.events import Event
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_EVENTS = Table("nextgen_events", Event)


def add(txn: Txn, event: Event) -> None:
    """Write the event down; one that has an id already only once."""
    event_id = event.event_id or txn.draw(event.said)
    _EVENTS.insert_new(txn, attrs.evolve(event, event_id=event_id))
