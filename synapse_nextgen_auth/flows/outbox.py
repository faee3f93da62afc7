"""Give up what the main process could not do, and tell whoever cares."""

from synapse_nextgen_auth.accounts.outbox import Entry
from synapse_nextgen_auth.accounts.works import Unreadable
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import events, outbox, sessions
from synapse_nextgen_auth.store.txn import Txn


def give_up(txn: Txn, entry: Entry, *, now: int) -> bool:
    """Try this no longer; the account that cares finds it among its events."""
    if not outbox.give_up(txn, entry, now=now):
        return False
    try:
        session_id = entry.work.session_id
    except Unreadable:
        return True
    session = sessions.get(txn, session_id) if session_id is not None else None
    if session is not None:
        events.add(txn, Event.of(session, EventKind.GIVEN_UP, now, detail=entry.kind))
    return True
