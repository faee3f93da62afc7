"""What else an account is signed in to and found by: identities, addresses, phone numbers.

The rows are Synapse's. They are changed here, with what is written down of it, and not by Synapse's own
functions: those look at nobody else, and take an address from whoever had it first.
"""

import enum

import attrs

from synapse_nextgen_auth.accounts import own_ways as rules
from synapse_nextgen_auth.accounts.attempts.arrivals import Arrival
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Purpose
from synapse_nextgen_auth.accounts.own_ways import Identity, LetsIn
from synapse_nextgen_auth.flows import attempts as attempt_flows
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import (
    arrivals,
    attempts,
    codes,
    events,
    links,
    own_ways,
    provider_logouts,
)
from synapse_nextgen_auth.store.txn import Txn


class Kept(enum.Enum):
    """Why something of an account stays as it is."""

    LAST_WAY_IN = "last_way_in"
    TAKEN = "taken"  # by another account, which nobody is told
    CLOSED = "closed"  # the account, meanwhile
    ABSENT = "absent"  # the account has no such thing
    LAST_FACTOR = "last_factor"  # codes go there that the account has to have


@frozen(kw_only=True)
class Owner:
    """Whose account is changed, when, and from which network address."""

    user_id: str
    now: int
    address: str | None = None

    def event(self, kind: EventKind, said: str | None = None) -> Event:
        """Return what is written down of it."""
        return Event(kind, self.now, self.user_id, address=self.address, detail=said)


ADDED = {own_ways.EMAIL: EventKind.ADDRESS_ADDED, own_ways.PHONE: EventKind.PHONE_ADDED}
REMOVED = {own_ways.EMAIL: EventKind.ADDRESS_REMOVED, own_ways.PHONE: EventKind.PHONE_REMOVED}


def connect(
    txn: Txn, attempt: Attempt, arrival: Arrival, identity: Identity, owner: Owner
) -> Kept | Lost | None:
    """Connect whom a provider let in to the account that asked, once.

    The attempt is of this browser, and whoever takes the answer has the value that came with it (C278).
    """
    if attempt.purpose is not Purpose.CONNECT or attempt.user_id != owner.user_id:
        return Lost.UNKNOWN
    if arrival.attempt_id != attempt.attempt_id or arrival.provider != identity.provider:
        return Lost.UNKNOWN
    if not arrivals.take(txn, arrival.digest, now=owner.now):
        return Lost.ENDED
    of = (txn, arrival.provider, arrival.provider_session)
    if provider_logouts.has_ended(*of, user_id=None, now=owner.now):
        return Lost.EXPIRED
    if not attempts.change(txn, attempt, attrs.evolve(attempt, ended_at=owner.now)):
        return Lost.CHANGED
    if not own_ways.hold(txn, owner.user_id):
        return Kept.CLOSED
    if identity in own_ways.list_for(txn, owner.user_id).identities:
        return None
    if own_ways.connect(txn, owner.user_id, identity) != owner.user_id:
        return Kept.TAKEN
    events.add(txn, owner.event(EventKind.PROVIDER_CONNECTED, identity.provider))
    return None


def disconnect(txn: Txn, identity: Identity, owner: Owner, lets_in: LetsIn) -> Kept | None:
    """Take an identity from an account, unless nothing else lets its person in (C301)."""
    if not own_ways.hold(txn, owner.user_id):
        return Kept.CLOSED
    had = own_ways.list_for(txn, owner.user_id)
    if identity not in had.identities:
        return Kept.ABSENT
    if not rules.may_go(had, had.without_identity(identity), lets_in):
        return Kept.LAST_WAY_IN
    own_ways.disconnect(txn, owner.user_id, identity)
    events.add(txn, owner.event(EventKind.PROVIDER_DISCONNECTED, identity.provider))
    return None


def add_address(
    txn: Txn, attempt: Attempt, medium: str, address: str, owner: Owner
) -> Kept | Lost | None:
    """Give an account an address that its person showed to be theirs, and end the attempt.

    Of a code that was typed it is the row that says so: what is typed in another tab meanwhile changes
    the address. Somebody else may have shown first that it is theirs, and keeps it.
    """
    if attempt.purpose is not Purpose.ADD_ADDRESS or attempt.user_id != owner.user_id:
        return Lost.UNKNOWN
    validated_at = owner.now
    if medium == own_ways.EMAIL:
        code = codes.get(txn, attempt.attempt_id)
        if code is None or code.proven_at is None:
            return Lost.EXPIRED
        validated_at = code.proven_at
    if not attempts.change(txn, attempt, attrs.evolve(attempt, ended_at=owner.now)):
        found = attempt_flows.find(txn, attempt.attempt_id, browser=attempt.browser, now=owner.now)
        return found if isinstance(found, Lost) else Lost.CHANGED
    if not own_ways.hold(txn, owner.user_id):
        return Kept.CLOSED
    of = (txn, owner.user_id, medium, address)
    if own_ways.add_address(*of, validated_at=validated_at, now=owner.now) != owner.user_id:
        return Kept.TAKEN
    events.add(txn, owner.event(ADDED[medium]))
    return None


def remove_address(
    txn: Txn,
    medium: str,
    address: str,
    owner: Owner,
    lets_in: LetsIn,
    *,
    also_to: str = "",
) -> Kept | None:
    """Take an address from an account, unless nothing else lets its person in.

    `also_to` is that address, sealed: who reads it hears of it, too. What was sent
    there to set the password with is worth nothing any more.
    """
    if not own_ways.hold(txn, owner.user_id):
        return Kept.CLOSED
    if medium == own_ways.EMAIL:
        had = own_ways.list_for(txn, owner.user_id)
        if address in had.emails and not rules.may_go(had, had.without_email(address), lets_in):
            return Kept.LAST_WAY_IN
    if not own_ways.remove_address(txn, owner.user_id, medium, address):
        return Kept.ABSENT
    if medium == own_ways.EMAIL:
        links.end_of_address(txn, owner.user_id, address, now=owner.now)
    events.add(txn, owner.event(REMOVED[medium]), also_to=also_to)
    return None
