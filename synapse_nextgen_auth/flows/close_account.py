"""What goes with an account that is closed, beside its sessions, and what is written down of it."""

from synapse_nextgen_auth.accounts.outbox import LEASE
from synapse_nextgen_auth.accounts.works import FinishClosing, JoinRoom
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import (
    approvals,
    attempts,
    codes,
    consents,
    events,
    factor_owed,
    factors,
    invitations,
    lost_factors,
    outbox,
    own_ways,
    passkeys,
    passwords,
    personal_tokens,
    preferences,
)
from synapse_nextgen_auth.store.txn import Txn


def clear(txn: Txn, user_id: str, *, now: int) -> None:
    """Leave a closed account no way in, nothing agreed to or begun, no room to join, nobody invited.

    Synapse took its addresses before it marked the account: what was added in between goes, too.
    """
    end_session.withdraw(txn, user_id, now=now)
    approvals.end_for_account(txn, user_id, now=now)
    codes.forget_for_account(txn, user_id)
    attempts.end_for_account(txn, user_id, now=now)
    own_ways.remove_addresses(txn, user_id)
    passwords.remove(txn, user_id)
    passkeys.remove_all(txn, user_id)
    personal_tokens.forget(txn, user_id)
    factors.forget(txn, user_id)
    lost_factors.forget(txn, user_id)
    consents.forget(txn, user_id)
    preferences.forget(txn, user_id)
    factor_owed.forget(txn, user_id)
    outbox.withdraw(txn, JoinRoom.kind, user_id)
    for token in invitations.open_of(txn, user_id, now=now):
        if invitations.end(txn, token, member=user_id, now=now):
            events.add(txn, Event(EventKind.INVITATION_ENDED, now, user_id, detail="closed"))


def expect(txn: Txn, work: FinishClosing, *, now: int) -> None:
    """Note that an account is about to be marked as closed; who marks it finishes it, as a rule."""
    outbox.put(txn, work, now=now, head_start=LEASE)


def finish(txn: Txn, work: FinishClosing, *, now: int) -> None:
    """Clear an account that was to be closed, and write down that its person did it, if it is closed.

    Whoever comes first writes it down: who closed it, or the main process a minute later.
    """
    if outbox.find(txn, work) is None:
        return
    outbox.withdraw(txn, work.kind, work.subject)
    if not own_ways.is_closed(txn, work.user_id):
        return
    clear(txn, work.user_id, now=now)
    if work.by_person:
        closed = Event(
            EventKind.ACCOUNT_DEACTIVATED, now, work.user_id, address=work.address or None
        )
        events.add(txn, closed, also_to=work.also_to)
