"""What an administrator changes of accounts in rows that are held by a flow, and what is written of it.

That an administrator did it, and why, stands in an event of theirs; what is written here is what the
account is told.
"""

import enum

from synapse_nextgen_auth.accounts.own_ways import Identity
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.sessions import End
from synapse_nextgen_auth.store import events, links, own_ways, passwords, sessions
from synapse_nextgen_auth.store import registration_token_lists as registration_tokens
from synapse_nextgen_auth.store.registration_token_lists import RegistrationToken
from synapse_nextgen_auth.store.txn import Txn

BY_ADMIN = "admin"


class Not(enum.Enum):
    """Why nothing was changed."""

    CLOSED = "closed"  # the account
    TAKEN = "taken"  # by another account
    THERE = "there"  # it is so already
    ABSENT = "absent"


def add_email(txn: Txn, user_id: str, address: str, *, now: int) -> Not | None:
    """Give an account an address that nobody showed to be theirs."""
    if not own_ways.hold(txn, user_id):
        return Not.CLOSED
    if address in own_ways.list_for(txn, user_id).emails:
        return Not.THERE
    of = (txn, user_id, own_ways.EMAIL, address)
    if own_ways.add_address(*of, validated_at=now, now=now) != user_id:
        return Not.TAKEN
    events.add(txn, Event(EventKind.ADDRESS_ADDED, now, user_id, detail=BY_ADMIN))
    return None


def remove_email(txn: Txn, user_id: str, address: str, *, also_to: str, now: int) -> Not | None:
    """Take an address from an account; `also_to` is that address, sealed: it hears of it, too."""
    if not own_ways.remove_address(txn, user_id, own_ways.EMAIL, address):
        return Not.ABSENT
    links.end_of_address(txn, user_id, address, now=now)
    removed = Event(EventKind.ADDRESS_REMOVED, now, user_id, detail=BY_ADMIN)
    events.add(txn, removed, also_to=also_to)
    return None


def end_session_of(txn: Txn, session_id: str, *, now: int) -> Outcome[bool]:
    """End a session; False where it was over: of several who ask at once, one ended it."""
    session = sessions.get(txn, session_id)
    ended = end_session.end(txn, session, why=End.REVOKED, now=now) if session else ()
    return Outcome(bool(ended), ended)


def set_password(txn: Txn, user_id: str, hashed: str, *, now: int) -> Not | None:
    """Set the password of an account: the former one is over, and so is every browser that it let in."""
    # Before the sign-ins end: whoever proves the former password at this moment waits for it, or is met.
    if not passwords.set_for(txn, user_id, hashed):
        return Not.CLOSED
    passwords.belongs(txn, user_id, hashed)
    end_session.password_set(txn, user_id, now=now)
    events.add(txn, Event(EventKind.PASSWORD_CHANGED, now, user_id, detail=BY_ADMIN))
    return None


def connect(txn: Txn, user_id: str, identity: Identity, *, now: int) -> Not | None:
    """Let a subject at a provider be this account."""
    if not own_ways.hold(txn, user_id):
        return Not.CLOSED
    if identity in own_ways.list_for(txn, user_id).identities:
        return Not.THERE
    if own_ways.connect(txn, user_id, identity) != user_id:
        return Not.TAKEN
    events.add(txn, Event(EventKind.PROVIDER_CONNECTED, now, user_id, detail=identity.provider))
    return None


def disconnect(txn: Txn, user_id: str, identity: Identity, *, now: int) -> Not | None:
    """Let a subject at a provider be nobody here."""
    if not own_ways.disconnect(txn, user_id, identity):
        return Not.ABSENT
    events.add(txn, Event(EventKind.PROVIDER_DISCONNECTED, now, user_id, detail=identity.provider))
    return None


def revoke(txn: Txn, token: str, *, now: int) -> RegistrationToken | Not:
    """Let nobody sign up with a registration token any more."""
    found = registration_tokens.get(txn, token)
    if found is None:
        return Not.ABSENT
    if found.revoked_at is not None:
        return Not.THERE
    registration_tokens.revoke(txn, found, now=now)
    return registration_tokens.get(txn, token) or Not.ABSENT


def restore(txn: Txn, token: str) -> RegistrationToken | Not:
    """Let people sign up with a registration token again that was revoked."""
    found = registration_tokens.get(txn, token)
    if found is None:
        return Not.ABSENT
    if found.revoked_at is None:
        return Not.THERE
    registration_tokens.restore(txn, found)
    return registration_tokens.get(txn, token) or Not.ABSENT


def edit(
    txn: Txn,
    token: str,
    *,
    end: tuple[int | None] | None = None,
    limit: tuple[int | None] | None = None,
) -> RegistrationToken | Not:
    """Change until when, or by how many, a token can be used; what is `None` stays as it is."""
    found = registration_tokens.get(txn, token)
    if found is None:
        return Not.ABSENT
    if limit is not None:
        registration_tokens.set_limit(txn, token, limit[0])
    if end is not None and found.revoked_at is None:
        registration_tokens.set_end(txn, token, end[0])
    elif end is not None:
        registration_tokens.set_former_end(txn, token, end[0])
    return registration_tokens.get(txn, token) or Not.ABSENT
