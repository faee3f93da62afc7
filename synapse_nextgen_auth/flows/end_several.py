"""End several sign-ins of an account at once, because its owner says so."""

from collections.abc import Sequence

from synapse_nextgen_auth.flows import end_session, sign_in
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import events, sign_ins
from synapse_nextgen_auth.store.txn import Txn


@frozen(kw_only=True)
class Ends:
    """What is to end: sessions that have no device, and sign-ins in browsers; `is_all` but this one."""

    session_ids: Sequence[str] = ()
    sign_ins: Sequence[str] = ()
    is_all: bool = False


def end_several(
    txn: Txn, user_id: str, ends: Ends, *, now: int, address: str | None
) -> Outcome[list[Session]]:
    """End them, as far as they are of this account and not over (C301); return the sessions."""
    gone: list[Session] = []
    ended: tuple[str, ...] = ()
    for session_id in ends.session_ids:
        done = end_session.end_own(txn, session_id, user_id=user_id, now=now, address=address)
        ended += done.ended
        if isinstance(done.value, Session):
            gone.append(done.value)
    for name in ends.sign_ins:
        found = sign_ins.find(txn, user_id, name)
        if found is not None and found.ended_at is None:
            sign_in.end(txn, found, now=now, address=address)
    if ends.is_all:
        end_session.withdraw(txn, user_id, now=now)
        events.add(txn, Event(EventKind.ALL_SIGNED_OUT, now, user_id, address=address))
    return Outcome(gone, ended)
