"""Take from an application what the owner of an account allowed it."""

from synapse_nextgen_auth.flows.end_session import end
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.sessions import End, Session
from synapse_nextgen_auth.store import consents, device_grants, events, grants, sessions
from synapse_nextgen_auth.store.txn import Txn


def revoke(
    txn: Txn, user_id: str, client_id: str, *, now: int, address: str | None
) -> Outcome[list[Session]]:
    """End its sessions, forget what was agreed, and let nobody collect what was approved.

    Return the sessions as they were: their devices are to be deleted. What was approved for other
    applications at this moment is asked again; nobody knows by then which of it was meant.
    """
    living = [each for each in sessions.list_living(txn, user_id) if each.client_id == client_id]
    ended: tuple[str, ...] = ()
    for session in living:
        ended += end(txn, session, why=End.LOGOUT, now=now, address=address)
    forgotten = consents.forget_client(txn, user_id=user_id, client_id=client_id)
    grants.withdraw_codes(txn, user_id, now=now)
    device_grants.withdraw(txn, user_id, now=now)
    if ended or forgotten:
        kind = EventKind.APP_REVOKED
        events.add(txn, Event(kind, now, user_id, client_id, address=address))
    return Outcome(living, ended)
