"""The password of whoever is signed in: set, changed, removed where something else lets them in."""

import attrs

from synapse_nextgen_auth.accounts import own_ways as rules
from synapse_nextgen_auth.accounts.outbox import HEAD_START
from synapse_nextgen_auth.accounts.own_ways import LetsIn
from synapse_nextgen_auth.accounts.works import SignOutDevices
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import devices, events, outbox, own_ways, passwords, sign_ins
from synapse_nextgen_auth.store.txn import Txn


@frozen
class Done:
    """What is left when the password is set: devices to sign out of, where that was wanted.

    It waits in the outbox as `entry_id`, in case nobody comes to it.
    """

    sign_out: SignOutDevices | None = None
    entry_id: str | None = None


def to_sign_out(txn: Txn, user_id: str) -> SignOutDevices:
    """Return what is to be done to sign an account out of all that it has now."""
    last = devices.last_stock_token(txn, user_id)
    return SignOutDevices.of(user_id, devices.list_ids(txn, user_id), last_token=last)


@frozen(kw_only=True)
class Change:
    """What Synapse keeps of a password, whether devices are signed out, and in which browser it is set.

    `keep` is the digest of the sign-in that stays, `address` the network address.
    """

    hash: str = attrs.field(repr=False)
    sign_out: bool
    keep: str
    address: str | None = None


def change(txn: Txn, user_id: str, new: Change, *, now: int) -> Outcome[Done | None]:
    """Set the password of an account, and end what the former one let in (C233).

    Other browsers are signed out, whatever becomes of the sessions of applications; links, codes and
    what was approved and not collected are worthless. `None` when the account was closed meanwhile.
    """
    work = to_sign_out(txn, user_id) if new.sign_out else None
    if passwords.of_account(txn, user_id) == new.hash:
        # Nobody else has this very hash: it was this transaction, and nobody heard of its end.
        return Outcome(Done(work, outbox.find(txn, work) if work else None))
    had_one = passwords.of_account(txn, user_id) is not None
    # Before the sign-ins end: whoever proves the former password at this moment waits for it, or is met.
    if not passwords.set_for(txn, user_id, new.hash):
        return Outcome(None)
    passwords.belongs(txn, user_id, new.hash)
    ended = _end(txn, user_id, new, now=now)
    entry_id = outbox.put(txn, work, now=now, head_start=HEAD_START) if work else None
    kind, said = EventKind.PASSWORD_CHANGED, "changed" if had_one else "set"
    events.add(txn, Event(kind, now, user_id, address=new.address, detail=said))
    return Outcome(Done(work, entry_id), ended)


def _end(txn: Txn, user_id: str, new: Change, *, now: int) -> tuple[str, ...]:
    if new.sign_out:
        return end_session.sign_out_everywhere(txn, user_id, now=now, keep_sign_in=new.keep).ended
    sign_ins.end_for_user(txn, user_id, now=now, keep=new.keep)
    end_session.withdraw(txn, user_id, now=now)
    return ()


def remove(
    txn: Txn, user_id: str, lets_in: LetsIn, *, keep: str, now: int, address: str | None
) -> bool:
    """Leave an account no password; False where nothing else would let its person in.

    Whoever removes another way in at the same moment waits for this one, and looks again.
    """
    if not own_ways.hold(txn, user_id):
        return False
    had = own_ways.list_for(txn, user_id)
    if not had.has_password:
        return True
    if not rules.may_go(had, had.without_password(), lets_in):
        return False
    passwords.unset(txn, user_id)
    sign_ins.end_for_user(txn, user_id, now=now, keep=keep)
    end_session.withdraw(txn, user_id, now=now)
    events.add(txn, Event(EventKind.PASSWORD_REMOVED, now, user_id, address=address))
    return True
