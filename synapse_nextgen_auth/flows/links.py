"""Links with which people set their passwords: made, spent once, and worthless after any change."""

from collections.abc import Sequence

import attrs

from synapse_nextgen_auth.accounts.links import Link, LinkKind
from synapse_nextgen_auth.accounts.outbox import HEAD_START
from synapse_nextgen_auth.accounts.works import Work
from synapse_nextgen_auth.flows import end_session, own_password
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.flows.own_password import Done
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import events, links, outbox, passwords, sign_ins
from synapse_nextgen_auth.store.txn import Txn


def make(
    txn: Txn, link: Link, *, mails: Sequence[Work] = (), why: str | None = None, now: int
) -> bool:
    """Make a link the one that its account has, and send it; False when that was done before (C251).

    Who asked for it stands in the event: a command with its reason, or the page. Whoever knows the
    address can ask on the page, and takes nothing from what somebody got who runs the server.
    """
    if links.get(txn, link.digest) is not None:
        return False
    if link.kind is LinkKind.RECOVERY:
        links.end_of_kind(txn, link.user_id, LinkKind.RECOVERY, now=now)
    else:
        links.end_for_user(txn, link.user_id, now=now)
    if not links.add(txn, link):
        return False
    for mail in mails:
        outbox.put(txn, mail, now=now)
    detail = f"{link.kind.value}: {why}" if why else link.kind.value
    events.add(txn, Event(EventKind.PASSWORD_LINK_MADE, now, link.user_id, detail=detail))
    return True


@frozen(kw_only=True)
class NewPassword:
    """What Synapse keeps of a password, whether devices are signed out with it, and who is told."""

    hash: str = attrs.field(repr=False)
    sign_out: bool
    mails: Sequence[Work] = ()
    address: str | None = None


def set_password(txn: Txn, link: Link, password: NewPassword, *, now: int) -> Outcome[Done | None]:
    """Spend a link, set the password, and end what the former one let in: all of it or nothing (C255).

    Every browser is signed out, whatever becomes of the sessions of applications, what was approved
    and not collected is worthless, as are other links, and the owner is told. `None` when somebody
    else spent the link (C251), or the account was closed meanwhile.
    """
    user_id = link.user_id
    work = own_password.to_sign_out(txn, user_id) if password.sign_out else None
    if not links.use(txn, link.digest, now=now):
        # Nobody else has this very hash: it was this transaction, and nobody heard of its end.
        is_ours = passwords.of_account(txn, user_id) == password.hash
        done = Done(work, outbox.find(txn, work) if work else None)
        return Outcome(done if is_ours else None)
    # Before the sign-ins end: whoever proves the former password at this moment waits for it, or is met.
    if not passwords.set_for(txn, user_id, password.hash):
        return Outcome(None)
    passwords.belongs(txn, user_id, password.hash)
    ended: tuple[str, ...] = ()
    if work is not None:
        ended = end_session.sign_out_everywhere(txn, user_id, now=now).ended
    else:
        sign_ins.end_for_user(txn, user_id, now=now)
        end_session.withdraw(txn, user_id, now=now)
    entry_id = outbox.put(txn, work, now=now, head_start=HEAD_START) if work else None
    for mail in password.mails:
        outbox.put(txn, mail, now=now)
    detail = f"link by {link.kind.value}"
    events.add(
        txn,
        Event(EventKind.PASSWORD_SET, now, user_id, address=password.address, detail=detail),
    )
    return Outcome(Done(work, entry_id), ended)
