"""Sign a browser in and out."""

from synapse_nextgen_auth.accounts.browsers import Browser
from synapse_nextgen_auth.oauth.events import Event, Happened
from synapse_nextgen_auth.store import browsers, device_grants, events, grants
from synapse_nextgen_auth.store.txn import Txn


def find(txn: Txn, digest: str) -> Browser | None:
    """Return the browser with this cookie."""
    return browsers.get(txn, digest)


def touch(txn: Txn, browser: Browser, *, now: int) -> None:
    """Remember that the browser was here."""
    browsers.touch(txn, browser.digest, now=now)


def sign_in(txn: Txn, browser: Browser, *, former: str | None, address: str | None) -> None:
    """Begin a signed-in browser under a fresh cookie.

    What the browser had begun under its former cookie goes on, the former cookie is worth nothing
    any more: so nobody can fix a session on somebody else (C182).
    """
    browsers.add(txn, browser)
    if former is not None:
        browsers.end(txn, former, now=browser.signed_in_at)
        device_grants.move(
            txn, from_browser=former, to_browser=browser.digest, now=browser.signed_in_at
        )
        grants.move(txn, from_browser=former, to_browser=browser.digest, now=browser.signed_in_at)
    events.add(
        txn, Event(Happened.SIGNED_IN, browser.signed_in_at, browser.user_id, address=address)
    )


def fail(txn: Txn, user_id: str, *, now: int, address: str | None) -> None:
    """Write down that somebody failed to sign in to this account."""
    events.add(txn, Event(Happened.SIGN_IN_FAILED, now, user_id, address=address))


def sign_out(txn: Txn, browser: Browser, *, now: int, address: str | None) -> None:
    """End the browser; the sessions of clients go on."""
    if browsers.end(txn, browser.digest, now=now):
        events.add(txn, Event(Happened.SIGNED_OUT, now, browser.user_id, address=address))
