"""Invitations: made by an administrator or a member, ended, and what comes of one."""

from collections.abc import Sequence

import attrs

from synapse_nextgen_auth.accounts.invitations import Invitation, free_slot, held_for
from synapse_nextgen_auth.accounts.works import JoinRoom, Work
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import events, invitations, outbox, token_holds
from synapse_nextgen_auth.store.token_holds import Hold
from synapse_nextgen_auth.store.txn import Txn


def make(
    txn: Txn,
    invitation: Invitation,
    *,
    uses: int | None,
    mails: Sequence[Work] = (),
    by: str,
    now: int,
) -> None:
    """Make an invitation, with the token that it is, and send it; `by` says who and why."""
    invitations.add(txn, invitation, times=uses)
    for mail in mails:
        outbox.put(txn, mail, now=now)
    who = invitation.invited_by
    events.add(txn, Event(EventKind.INVITATION_MADE, now, who, detail=by))


def make_by_member(
    txn: Txn,
    invitation: Invitation,
    *,
    quota: int,
    mails: Sequence[Work] = (),
    now: int,
) -> bool:
    """Make a member's invitation for one person; False where they have as many as they may.

    Each has a place of its own among so many, so two at once cannot have the last one both.
    """
    member = invitation.invited_by or ""
    lifetime = (invitation.expires_at or now) - invitation.made_at
    invitations.free_slots(txn, member, made_before=now - held_for(lifetime), now=now)
    slot = free_slot(invitations.slots_of(txn, member), quota=quota)
    if slot is None:
        return False
    placed = attrs.evolve(invitation, slot=slot)
    make(txn, placed, uses=1, mails=mails, by="member", now=now)
    return True


def end(txn: Txn, token: str, *, by: str, now: int) -> bool:
    """End an invitation; False where there is none that can be used."""
    if not invitations.end(txn, token, now=now):
        return False
    events.add(txn, Event(EventKind.INVITATION_ENDED, now, detail=by))
    return True


def end_by_member(txn: Txn, token: str, member: str, *, now: int) -> bool:
    """End an invitation of a member; False where they have none like that which can be used (C301)."""
    if not invitations.end(txn, token, member=member, now=now):
        return False
    events.add(txn, Event(EventKind.INVITATION_ENDED, now, member, detail="member"))
    return True


def hold(txn: Txn, token: str, held: Hold | None, *, now: int) -> bool:
    """Count one more who is on the way with a token; False where it may not be used any more.

    Of a sign-up on our pages, `held` is which one: it is given back whatever fails after this.
    """
    if not invitations.hold(txn, token, now=now):
        return False
    if held is not None:
        token_holds.hold(txn, held, token)
    return True


def welcome(txn: Txn, token: str, user_id: str, *, now: int) -> None:
    """Let a new account join the rooms of the invitation that it came with."""
    invitation = invitations.get(txn, token)
    if invitation is None:
        return
    for room in invitation.joins:
        work = JoinRoom(user_id=user_id, room=room, invited_by=invitation.invited_by or "")
        outbox.put(txn, work, now=now)


def remind(txn: Txn, mail: Work, *, now: int) -> None:
    """Tell somebody who has an account already to sign in."""
    outbox.put(txn, mail, now=now)
