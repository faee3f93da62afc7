"""Sign a browser in and out."""

import attrs

from synapse_nextgen_auth.accounts.browsers import Browser
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import (
    approvals,
    browsers,
    device_grants,
    events,
    grants,
    session_browsers,
)
from synapse_nextgen_auth.store.txn import Txn


def set_right(txn: Txn, browser: Browser, *, now: int) -> Browser:
    """Give a browser that comes from the future times of this clock (C379)."""
    right = browser.set_right(now)
    browsers.set_right(txn, browser, right)
    return right


def sign_in(txn: Txn, browser: Browser, *, former: str | None, address: str | None) -> None:
    """Begin a signed-in browser under a fresh cookie.

    What the browser had begun under its former cookie goes on, the former cookie is worth nothing
    any more: so nobody can fix a session on somebody else (C182). What the same person approved
    there and no client collected yet stays good; what anybody else did is over.
    """
    now = browser.signed_in_at
    browsers.add(txn, browser)
    if former is not None:
        _end_former(txn, former, browser)
        device_grants.move(txn, from_browser=former, to_browser=browser.digest, now=now)
        grants.move(txn, from_browser=former, to_browser=browser.digest, now=now)
        session_browsers.move(txn, from_browser=former, to_browser=browser.digest, now=now)
    events.add(txn, Event(EventKind.SIGNED_IN, now, browser.user_id, address=address))


def _end_former(txn: Txn, former: str, browser: Browser) -> None:
    known = browsers.get(txn, former)
    if known is None:
        return
    was_signed_in = browsers.end(txn, former, now=browser.signed_in_at)
    if was_signed_in and known.user_id == browser.user_id:
        moving = {"user_id": known.user_id, "from_browser": former, "to_browser": browser.digest}
        grants.follow(txn, **moving)
        device_grants.follow(txn, **moving)
    elif was_signed_in:
        approvals.withdraw(txn, known.user_id, now=browser.signed_in_at)
    _withdraw(txn, former, now=browser.signed_in_at)


@attrs.frozen
class Failure:
    """A wrong password for an account: when, in seconds, and from which network address.

    `event_id` is drawn when it happens, so that a batch that was perhaps written may be written again.
    """

    user_id: str
    at: int
    address: str | None
    event_id: str


def fail(txn: Txn, failures: tuple[Failure, ...]) -> None:
    """Write down, for the owners, that somebody failed to sign in to their accounts."""
    for failure in failures:
        events.add(
            txn,
            Event(
                EventKind.SIGN_IN_FAILED,
                failure.at,
                failure.user_id,
                address=failure.address,
                event_id=failure.event_id,
            ),
        )


def sign_out(txn: Txn, browser: Browser, *, now: int, address: str | None) -> None:
    """End the browser, and what it approved and no client collected; sessions of clients go on."""
    if browsers.end(txn, browser.digest, now=now):
        events.add(txn, Event(EventKind.SIGNED_OUT, now, browser.user_id, address=address))
        approvals.withdraw(txn, browser.user_id, now=now)
    _withdraw(txn, browser.digest, now=now)


def _withdraw(txn: Txn, browser: str, *, now: int) -> None:
    # Written even where a look at the browser would do: a redemption at this very moment meets it.
    grants.withdraw_of_browser(txn, browser, now=now)
    device_grants.withdraw_of_browser(txn, browser, now=now)
