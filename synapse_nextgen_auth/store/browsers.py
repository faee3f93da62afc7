"""Rows of signed-in browsers."""

from synapse_nextgen_auth.accounts.browsers import Browser
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.store.txn import Txn


def add(txn: Txn, browser: Browser) -> None:
    """Insert a browser that has just signed in."""
    txn.execute(
        "INSERT INTO nextgen_browsers (digest, user_id, signed_in_at, last_active_at, ended_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (
            *(browser.digest, browser.user_id, browser.signed_in_at),
            *(browser.last_active_at, browser.ended_at),
        ),
    )


def get(txn: Txn, digest: str) -> Browser | None:
    """Return the browser with this cookie."""
    txn.execute(
        "SELECT digest, user_id, signed_in_at, last_active_at, ended_at"
        " FROM nextgen_browsers WHERE digest = ?",
        (digest,),
    )
    row = txn.fetchone()
    return Browser(*row) if row else None


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
    txn.execute(
        "SELECT digest, user_id, signed_in_at, last_active_at, ended_at FROM nextgen_browsers"
        " WHERE last_active_at > ? ORDER BY last_active_at LIMIT ?",
        (now + SKEW, limit),
    )
    return [Browser(*row) for row in txn.fetchall()]


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
