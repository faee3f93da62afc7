"""Links with which people set their passwords: made, spent once, and worthless after any change."""

from collections.abc import Sequence

from synapse_nextgen_auth.accounts.links import Link
from synapse_nextgen_auth.accounts.outbox import Work
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import events, links, outbox, sign_ins
from synapse_nextgen_auth.store.txn import Txn


def make(
    txn: Txn, link: Link, *, mails: Sequence[Work] = (), why: str | None = None, now: int
) -> bool:
    """Make a link the one that its account has, and send it; False when that was done before (C251).

    Who asked for it stands in the event: a command with its reason, or the page.
    """
    if links.get(txn, link.digest) is not None:
        return False
    links.end_for_user(txn, link.user_id, now=now)
    if not links.add(txn, link):
        return False
    for mail in mails:
        outbox.put(txn, mail, now=now)
    detail = f"{link.kind.value}: {why}" if why else link.kind.value
    events.add(txn, Event(EventKind.PASSWORD_LINK_MADE, now, link.user_id, detail=detail))
    return True


def use(txn: Txn, link: Link, *, now: int) -> bool:
    """Spend a link before the password is set; False when somebody else did (C251)."""
    return links.use(txn, link.digest, now=now)


def password_set(
    txn: Txn,
    link: Link,
    *,
    mails: Sequence[Work] = (),
    address: str | None,
    now: int,
) -> None:
    """End what the former password let in, and tell the owner (C255).

    Every browser is signed out, whatever becomes of the sessions of applications, and what was
    approved and not collected is worthless, as are other links.
    """
    sign_ins.end_for_user(txn, link.user_id, now=now)
    end_session.withdraw(txn, link.user_id, now=now)
    for mail in mails:
        outbox.put(txn, mail, now=now)
    detail = f"link by {link.kind.value}"
    events.add(
        txn, Event(EventKind.PASSWORD_SET, now, link.user_id, address=address, detail=detail)
    )
