"""Throw away what nobody needs, and change signing keys by the calendar."""

from collections.abc import Mapping

from synapse_nextgen_auth.oauth import keys as rules
from synapse_nextgen_auth.oauth.events import Event, Happened
from synapse_nextgen_auth.oauth.keys import Algorithm, Schedule, SigningKey
from synapse_nextgen_auth.store import events, keys
from synapse_nextgen_auth.store.txn import Txn


def missing_keys(txn: Txn, *, now: int, schedule: Schedule) -> dict[Algorithm, int]:
    """Return which keys must be made, and from when each will be used."""
    present = keys.list_all(txn)
    needed = {
        algorithm: rules.next_needed(present, algorithm, now=now, schedule=schedule)
        for algorithm in Algorithm
    }
    return {algorithm: start for algorithm, start in needed.items() if start is not None}


def rotate_keys(
    txn: Txn, made: Mapping[Algorithm, SigningKey], *, now: int, schedule: Schedule
) -> None:
    """Add the new keys and drop the retired ones."""
    for key in made.values():
        if keys.add(txn, key):
            events.add(txn, Event(Happened.KEY_ROTATED, now, detail=key.kid))
    for kid in rules.retired(keys.list_all(txn), now=now, schedule=schedule):
        keys.remove(txn, kid)
