"""What goes with an account that is closed, beside its sessions, and what is written down of it."""

from synapse_nextgen_auth.accounts.outbox import JoinRoom
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.flows.own_ways import Owner
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import (
    approvals,
    attempts,
    codes,
    consents,
    events,
    invitations,
    outbox,
    own_ways,
    passwords,
)
from synapse_nextgen_auth.store.txn import Txn


def clear(txn: Txn, user_id: str, *, now: int) -> None:
    """Leave a closed account no password, nothing agreed to or begun, no room to join, nobody invited.

    Synapse took its addresses before it marked the account: what was added in between goes, too.
    """
    end_session.withdraw(txn, user_id, now=now)
    approvals.end_for_account(txn, user_id, now=now)
    codes.forget_for_account(txn, user_id)
    attempts.end_for_account(txn, user_id, now=now)
    own_ways.remove_addresses(txn, user_id)
    passwords.remove(txn, user_id)
    consents.forget(txn, user_id)
    outbox.withdraw(txn, JoinRoom.kind, user_id)
    for token in invitations.open_of(txn, user_id, now=now):
        if invitations.end(txn, token, member=user_id, now=now):
            events.add(txn, Event(EventKind.INVITATION_ENDED, now, user_id, detail="closed"))


def note(txn: Txn, owner: Owner, *, also_to: str = "") -> None:
    """Write down that its person closed an account; `also_to` are the addresses that it had, sealed."""
    events.add(txn, owner.event(EventKind.ACCOUNT_DEACTIVATED), also_to=also_to)
