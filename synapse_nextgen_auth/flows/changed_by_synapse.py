"""What Synapse itself changes of passwords and addresses, told as what our pages change.

A client asks for it that signed in in the old way, somebody who forgot a password, or an administrator
with Synapse's admin API.
"""

import attrs

from synapse_nextgen_auth.accounts.outbox import LEASE
from synapse_nextgen_auth.accounts.works import NoteChange
from synapse_nextgen_auth.flows import factor_mail
from synapse_nextgen_auth.flows.administration import BY_ADMIN
from synapse_nextgen_auth.flows.own_ways import ADDED, REMOVED, Owner
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import accounts, events, outbox, own_ways, passwords
from synapse_nextgen_auth.store.txn import Txn

BY_MAIL = "recovery"
# What is changed, as what waits in the outbox calls it: these words stay.
PASSWORD, ADDED_ONE, REMOVED_ONE = "password", "added", "removed"
# Seconds that it takes at most to make an account with all that it is to have.
_MAKING = 60


@frozen(kw_only=True)
class Change:
    """Whose account was changed, and by whom: `by` is who was signed in, `None` where nobody was.

    `is_approved` where a page of ours let this very request pass: of that its person is told.
    """

    owner: Owner
    by: str | None
    is_approved: bool = False

    @classmethod
    def of(cls, work: NoteChange) -> "Change":
        """Return what was written down before it was done."""
        owner = Owner(user_id=work.user_id, now=work.at, address=work.network or None)
        return cls(owner=owner, by=work.by or None, is_approved=bool(work.is_approved))

    @property
    def by_admin(self) -> bool:
        """Whether somebody else did it, who administers the server."""
        return self.by not in {None, self.owner.user_id}

    def event(self, kind: EventKind, said: str | None = None) -> Event:
        """Return what is written down of it; where an administrator is, is nobody's business."""
        if self.by_admin:
            return attrs.evolve(self.owner, address=None).event(kind, BY_ADMIN)
        return self.owner.event(kind, said)


def expect(txn: Txn, work: NoteChange) -> None:
    """Note that Synapse is about to change something; whoever has it do so notes that it did."""
    outbox.put(txn, work, now=work.at, head_start=LEASE)


def note(txn: Txn, work: NoteChange, said: str) -> None:
    """Write down, once, that Synapse changed it; `said` is the address, or nothing.

    Whoever comes first does: who had Synapse do it, or the main process a minute later.
    """
    if not _is_found(txn, work):
        return
    change, also_to = Change.of(work), work.about if work.medium == own_ways.EMAIL else ""
    if work.what == PASSWORD:
        password_set(txn, change, had_one=bool(work.had))
    elif work.what == REMOVED_ONE:
        address_removed(txn, change, work.medium, also_to=also_to)
    else:
        address_added(txn, change, work.medium)
        if work.had:
            address_lost(txn, work.had, work.medium, said, also_to=also_to, now=work.at)


def finish(txn: Txn, work: NoteChange, said: str) -> bool:
    """Write it down if Synapse did it, where the process died that had it do so; say whether it did.

    Otherwise the note stays for whoever may still be at it.
    """
    is_done = _is_done(txn, work, said)
    if is_done:
        note(txn, work, said)
    return is_done


def failed(txn: Txn, work: NoteChange, said: str) -> None:
    """Forget that Synapse was about to change it, unless it did all the same."""
    if not finish(txn, work, said):
        _is_found(txn, work)


def _is_found(txn: Txn, work: NoteChange) -> bool:
    """Take what was noted before; nobody else finds it."""
    entry_id = outbox.find(txn, work)
    if entry_id is not None:
        outbox.done(txn, entry_id)
    return entry_id is not None


def _is_done(txn: Txn, work: NoteChange, said: str) -> bool:
    if work.what == PASSWORD:
        return digest(passwords.of_account(txn, work.user_id) or "") == work.about
    has_it = own_ways.owner_of(txn, work.medium, said) == work.user_id
    return has_it is (work.what == ADDED_ONE)


def password_set(txn: Txn, change: Change, *, had_one: bool) -> None:
    """Write down that an account has another password; of one that is closed there is nothing to say."""
    if _made_at(txn, change) is not None:
        said = "changed" if had_one else "set"
        said = BY_MAIL if change.by is None else said
        _write(txn, change, change.event(EventKind.PASSWORD_CHANGED, said))


def is_set_by_mail(txn: Txn, user_id: str, *, since: int) -> bool:
    """Say whether somebody who proved nothing but an address has set the password since then."""
    return events.is_said_since(txn, user_id, EventKind.PASSWORD_CHANGED, BY_MAIL, since=since)


def address_added(txn: Txn, change: Change, medium: str) -> None:
    """Write down that an account has another address or number.

    Of those that an account is made with nobody is told: nobody is signed in who signs up.
    """
    made_at = _made_at(txn, change)
    is_made = change.by_admin and made_at is not None and change.owner.now - made_at < _MAKING
    if change.by is not None and made_at is not None and not is_made:
        _write(txn, change, change.event(ADDED[medium]))


def address_removed(txn: Txn, change: Change, medium: str, *, also_to: str) -> None:
    """Write down that an account lost an address or number; `also_to` is that address, sealed."""
    _write(txn, change, change.event(REMOVED[medium]), also_to=also_to)


def address_lost(
    txn: Txn, user_id: str, medium: str, address: str, *, also_to: str, now: int
) -> None:
    """Write down that Synapse gave an address or number of this account to another one."""
    owner = Owner(user_id=user_id, now=now)
    events.add(txn, owner.event(REMOVED[medium]), also_to=also_to)
    if medium == own_ways.EMAIL:
        factor_mail.address_gone(txn, address, owner)


def _made_at(txn: Txn, change: Change) -> int | None:
    """Return when an account was made, `None` of one that is closed."""
    for row in accounts.list_by_ids(txn, [change.owner.user_id]):
        if not row.deactivated:
            return row.creation_ts
    return None


def _write(txn: Txn, change: Change, event: Event, *, also_to: str = "") -> None:
    is_told = change.is_approved and EventKind.OPERATION_APPROVED.value in txn.told
    events.add(txn, event, also_to=also_to, is_told=is_told)
