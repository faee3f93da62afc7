"""Passkeys: one is added, called something else, removed, and proves who its owner is."""

import enum

import attrs

from synapse_nextgen_auth.accounts import own_ways as ways_rules
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Proof, ProofKind
from synapse_nextgen_auth.accounts.factors import demands
from synapse_nextgen_auth.accounts.factors.demands import Demand, Level
from synapse_nextgen_auth.accounts.factors.passkeys.ceremonies import Used
from synapse_nextgen_auth.accounts.factors.passkeys.passkey import Passkey
from synapse_nextgen_auth.accounts.factors.recovery_codes import RecoveryCode
from synapse_nextgen_auth.accounts.own_ways import LetsIn
from synapse_nextgen_auth.flows import attempts, own_factors
from synapse_nextgen_auth.flows.attempts import Ended, Ending, Lost
from synapse_nextgen_auth.flows.authenticator_apps import Undone
from synapse_nextgen_auth.flows.own_ways import Owner
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import events, factors, own_ways, passkeys, sign_ins
from synapse_nextgen_auth.store.txn import Txn

# Of one account; nobody has as many devices.
MOST = 25


class Kept(enum.Enum):
    """Why the passkeys of an account stay as they are."""

    CLOSED = "closed"  # the account, meanwhile
    TAKEN = "taken"  # somebody has this very one, perhaps the account itself (C282)
    TOO_MANY = "too_many"
    SPENT = "spent"  # the answer was taken before
    NOT_FIRST = "not_first"  # the account has a factor, which would have to be proven
    ABSENT = "absent"  # the account has no such passkey
    LAST_WAY_IN = "last_way_in"
    MAILBOX = "mailbox"  # nothing would be left but mails, to sign in with and beside that
    DEMANDED = "demanded"  # it is the last factor, and the account needs one


@frozen
class Added:
    """An account has it; `made_codes` where recovery codes came with it."""

    made_codes: bool


@frozen(kw_only=True)
class New:
    """A passkey that was made just now, and what goes with it.

    `codes` are recovery codes that were drawn in case that it is the first factor; `sign_in` is the
    digest of the sign-in of whoever made it.
    """

    passkey: Passkey
    challenge: bytes = attrs.field(repr=False)
    codes: tuple[RecoveryCode, ...] = attrs.field(default=(), repr=False)
    sign_in: str = attrs.field(default="", repr=False)


def add(txn: Txn, new: New, owner: Owner) -> Added | Kept:
    """Give an account a passkey; whoever made it has proved a second factor by that.

    Raises `SignedOut` where they would have to prove another one first.
    """
    own_factors.refuse_unproven(txn, new.sign_in, owner.user_id)
    done = _add(txn, new, owner)
    if isinstance(done, Added):
        sign_ins.note_level(txn, new.sign_in, owner.user_id, level=Level.TWO)
    return done


def enrol(txn: Txn, attempt: Attempt, proof: Proof, new: New, owner: Owner) -> Added | Kept:
    """Give an account its first factor in an attempt that asked for one: making it is the proof.

    Raises `Undone`: nothing counts then.
    """
    done = _add(txn, new, owner, is_first=True)
    if isinstance(done, Added):
        of = (txn, attempt.attempt_id)
        found = attempts.prove(*of, browser=attempt.browser, proof=proof, now=owner.now)
        if isinstance(found, Lost):
            raise Undone(found)
    return done


def _add(txn: Txn, new: New, owner: Owner, *, is_first: bool = False) -> Added | Kept:
    if not own_ways.hold(txn, owner.user_id):
        return Kept.CLOSED
    if is_first and factors.held(txn, owner.user_id).is_any:
        return Kept.NOT_FIRST
    if not passkeys.spend(txn, new.challenge, now=owner.now):
        return Kept.SPENT
    if len(passkeys.list_for(txn, owner.user_id)) >= MOST:
        return Kept.TOO_MANY
    held = factors.held(txn, owner.user_id)
    if not passkeys.add(txn, new.passkey):
        return Kept.TAKEN
    kind, codes = ProofKind.PASSKEY, new.codes
    made = own_factors.added(txn, kind, codes, owner, is_first=not held.is_any)
    return Added(made_codes=made)


def rename(txn: Txn, credential_id: str, name: str, owner: Owner) -> Kept | None:
    """Call one of the account's passkeys something else."""
    if not own_ways.hold(txn, owner.user_id):
        return Kept.CLOSED
    return None if passkeys.rename(txn, owner.user_id, credential_id, name) else Kept.ABSENT


def remove(
    txn: Txn, credential_id: str, owner: Owner, lets_in: LetsIn, demand: Demand
) -> Kept | None:
    """Take a passkey from an account, if its person gets in without, and needs it for nothing (C286)."""
    if not own_ways.hold(txn, owner.user_id):
        return Kept.CLOSED
    passkey = passkeys.get(txn, credential_id)
    if passkey is None or passkey.user_id != owner.user_id:
        return Kept.ABSENT
    had = own_ways.list_for(txn, owner.user_id)
    ways = had.without_passkey(passkey.rp_id) if passkey.is_verified else had
    every = factors.held(txn, owner.user_id)
    after = ways.with_factors(attrs.evolve(every, passkeys=every.passkeys - 1))
    if not ways_rules.may_go(had, after, lets_in):
        return Kept.LAST_WAY_IN if passkey.is_verified else Kept.MAILBOX
    held = own_factors.useful(txn, owner.user_id, lets_in)
    is_useful = passkey.rp_id == lets_in.passkeys
    if not demands.may_be_left(demand, attrs.evolve(held, passkeys=held.passkeys - is_useful)):
        return Kept.DEMANDED
    passkeys.remove(txn, owner.user_id, credential_id)
    is_last = not factors.held(txn, owner.user_id).is_any
    own_factors.removed(txn, ProofKind.PASSKEY, owner, is_last=is_last)
    return None


@frozen(kw_only=True)
class Use:
    """A passkey that proved itself: as it was read, what it said, and to which challenge."""

    passkey: Passkey
    used: Used
    challenge: bytes = attrs.field(repr=False)

    def count(self, txn: Txn, *, now: int) -> bool:
        """Let it count, once over all workers; False where it did before."""
        if not passkeys.spend(txn, self.challenge, now=now):
            return False
        used = self.used
        if used.is_verified and used.names_owner and not self.passkey.is_verified:
            passkeys.note_verified(txn, self.passkey)
        return passkeys.note_use(txn, self.passkey, used, now=now)


def begin(txn: Txn, use: Use, attempt: Attempt, ending: Ending, *, now: int) -> Ended:
    """Begin an attempt with this proof, which stands in it, and end it if that is all."""
    if not use.count(txn, now=now):
        return Lost.CHANGED
    return attempts.begin_proven(txn, attempt, ending, now=now)


def go_on(txn: Txn, use: Use, former: Attempt, proof: Proof, ending: Ending, *, now: int) -> Ended:
    """Add this proof to an attempt, as it was read, and end it if that is all."""
    if not use.count(txn, now=now):
        return Lost.CHANGED
    return attempts.prove_and_end(txn, former, proof, ending, now=now)


def warn(txn: Txn, passkey: Passkey, *, now: int, address: str | None) -> None:
    """Tell the owner that somebody used what may be a copy: its counter did not go on."""
    if own_ways.hold(txn, passkey.user_id):
        of = {"address": address, "detail": passkey.name}
        events.add(txn, Event(EventKind.PASSKEY_COPIED, now, passkey.user_id, **of))
