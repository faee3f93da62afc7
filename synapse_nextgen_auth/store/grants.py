"""Rows of grants."""

from synapse_nextgen_auth.oauth.grants.authorization import Grant
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_GRANTS = Table("nextgen_grants", Grant, beside=("device_id",))


def add(txn: Txn, grant: Grant) -> None:
    """Insert a grant that has just been requested."""
    _GRANTS.insert(txn, grant, device_id=grammar.parse(grant.scope).device_id)


def get(txn: Txn, grant_id: str) -> Grant | None:
    """Return the grant with this id."""
    return _GRANTS.one(txn, "WHERE grant_id = ?", grant_id)


def find_by_code(txn: Txn, code_digest: str) -> Grant | None:
    """Return the grant that this code was issued for."""
    return _GRANTS.one(txn, "WHERE code_digest = ?", code_digest)


def approve(  # noqa: PLR0913 (one column each)
    txn: Txn,
    grant_id: str,
    *,
    user_id: str,
    auth_time: int,
    code_digest: str,
    code_expires_at: int,
    expires_at: int,
    now: int,
) -> bool:
    """Attach the code, and keep the row until then.

    False when somebody already decided, or when only another account may.
    """
    txn.execute(
        "UPDATE nextgen_grants SET user_id = ?, auth_time = ?, code_digest = ?,"
        " code_expires_at = ?, expires_at = ?, approved_at = ?"
        " WHERE grant_id = ? AND approved_at IS NULL AND refused_at IS NULL"
        " AND (user_id IS NULL OR user_id = ?)",
        (
            *(user_id, auth_time, code_digest, code_expires_at, expires_at, now, grant_id),
            user_id,
        ),
    )
    return txn.rowcount == 1


def refuse(txn: Txn, grant_id: str, *, now: int) -> bool:
    """Mark the grant refused; False when somebody already decided."""
    txn.execute(
        "UPDATE nextgen_grants SET refused_at = ?"
        " WHERE grant_id = ? AND approved_at IS NULL AND refused_at IS NULL",
        (now, grant_id),
    )
    return txn.rowcount == 1


def redeem(txn: Txn, grant_id: str, *, session_id: str, now: int) -> bool:
    """Spend the code on a session; False when somebody else got there first."""
    txn.execute(
        "UPDATE nextgen_grants SET redeemed_at = ?, session_id = ?"
        " WHERE grant_id = ? AND redeemed_at IS NULL AND refused_at IS NULL",
        (now, session_id, grant_id),
    )
    return txn.rowcount == 1


def give_back(txn: Txn, user_id: str, *, session_id: str) -> None:
    """Make the code that was spent on this session good again."""
    txn.execute(
        "UPDATE nextgen_grants SET redeemed_at = NULL, session_id = NULL"
        " WHERE user_id = ? AND session_id = ?",
        (user_id, session_id),
    )


def withdraw_codes(txn: Txn, user_id: str, *, device_id: str | None = None, now: int) -> int:
    """Make codes of an account that nobody redeemed yet worthless; return how many.

    All of them, or those for one device.
    """
    txn.execute(
        "UPDATE nextgen_grants SET refused_at = ?"
        " WHERE user_id = ? AND approved_at IS NOT NULL"
        " AND redeemed_at IS NULL AND refused_at IS NULL"
        + (" AND device_id = ?" if device_id is not None else ""),
        (now, user_id, *(() if device_id is None else (device_id,))),
    )
    return txn.rowcount


def withdraw_of_browser(txn: Txn, browser: str, *, now: int) -> None:
    """Make codes that were given out in this browser, and not redeemed yet, worthless."""
    txn.execute(
        "UPDATE nextgen_grants SET refused_at = ?"
        " WHERE browser = ? AND approved_at IS NOT NULL"
        " AND redeemed_at IS NULL AND refused_at IS NULL",
        (now, browser),
    )


def follow(txn: Txn, *, user_id: str, from_browser: str, to_browser: str) -> None:
    """Let the codes of an account, not redeemed yet, stand under its browser's fresh cookie."""
    txn.execute(
        "UPDATE nextgen_grants SET browser = ?"
        " WHERE browser = ? AND user_id = ? AND approved_at IS NOT NULL"
        " AND redeemed_at IS NULL AND refused_at IS NULL",
        (to_browser, from_browser, user_id),
    )


def move(txn: Txn, *, from_browser: str, to_browser: str, now: int) -> None:
    """Let the browser that signed in go on with what it began under its former cookie.

    It signed in just now, so whatever asked for a fresh sign-in has it.
    """
    txn.execute(
        "UPDATE nextgen_grants SET browser = ?, login_after = NULL"
        " WHERE browser = ? AND approved_at IS NULL AND refused_at IS NULL AND expires_at > ?",
        (to_browser, from_browser, now),
    )
