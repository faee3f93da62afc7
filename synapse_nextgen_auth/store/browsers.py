"""Rows of signed-in browsers."""

from synapse_nextgen_auth.accounts.browsers import Browser
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_BROWSERS = Table("nextgen_browsers", Browser)


def add(txn: Txn, browser: Browser) -> None:
    """Insert a browser that has just signed in."""
    _BROWSERS.insert(txn, browser)


def get(txn: Txn, digest: str) -> Browser | None:
    """Return the browser with this cookie."""
    return _BROWSERS.one(txn, "WHERE digest = ?", digest)


def touch(txn: Txn, digest: str, *, now: int) -> None:
    """Remember that the browser was here."""
    txn.execute(
        "UPDATE nextgen_browsers SET last_active_at = ? WHERE digest = ? AND ended_at IS NULL",
        (now, digest),
    )


def set_right(txn: Txn, former: Browser, browser: Browser) -> None:
    """Write other times down, unless somebody did since `former` was read."""
    txn.execute(
        "UPDATE nextgen_browsers SET signed_in_at = ?, last_active_at = ?"
        " WHERE digest = ? AND signed_in_at = ? AND last_active_at = ? AND ended_at IS NULL",
        (
            *(browser.signed_in_at, browser.last_active_at),
            *(former.digest, former.signed_in_at, former.last_active_at),
        ),
    )


def list_ahead(txn: Txn, *, now: int, limit: int) -> list[Browser]:
    """Return some of those that were here in the future, the first ones first."""
    return _BROWSERS.all(
        txn, "WHERE last_active_at > ? ORDER BY last_active_at LIMIT ?", now + SKEW, limit
    )


def end(txn: Txn, digest: str, *, now: int) -> bool:
    """Sign the browser out; False when it was already."""
    txn.execute(
        "UPDATE nextgen_browsers SET ended_at = ? WHERE digest = ? AND ended_at IS NULL",
        (now, digest),
    )
    return txn.rowcount == 1


def end_for_user(txn: Txn, user_id: str, *, now: int) -> int:
    """Sign out every browser of an account; return how many."""
    txn.execute(
        "UPDATE nextgen_browsers SET ended_at = ? WHERE user_id = ? AND ended_at IS NULL",
        (now, user_id),
    )
    return txn.rowcount
