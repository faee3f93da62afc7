"""Rows of grants."""

from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.oauth.grants.authorization import Grant
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_GRANTS = Table("nextgen_grants", Grant, beside=("device_id",))


def add(txn: Txn, grant: Grant) -> None:
    """Insert a grant that has just been requested."""
    _GRANTS.insert(txn, grant, device_id=grammar.of_row(grant.scope).device_id)


def get(txn: Txn, grant_id: str) -> Grant | None:
    """Return the grant with this id."""
    return _GRANTS.one(txn, "WHERE grant_id = ?", grant_id)


def find_by_code(txn: Txn, code_digest: str) -> Grant | None:
    """Return the grant that this code was issued for."""
    return _GRANTS.one(txn, "WHERE code_digest = ?", code_digest)


def wait_until(txn: Txn, grant_id: str, *, browser: str, expires_at: int) -> None:
    """Keep an open grant while its person is on the way to a sign-in."""
    txn.execute(
        "UPDATE nextgen_grants SET expires_at = ?"
        " WHERE grant_id = ? AND browser = ? AND expires_at < ?"
        " AND approved_at IS NULL AND refused_at IS NULL",
        (expires_at, grant_id, browser, expires_at),
    )


def choose(
    txn: Txn, grant_id: str, *, browser: str, sign_in_id: str, proven_at: int | None
) -> bool:
    """Note which sign-in of its browser a grant is for, and when its person proved it for that.

    False when somebody already decided, or when the grant is none of this browser.
    """
    txn.execute(
        "UPDATE nextgen_grants SET sign_in_id = ?, proven_at = ?"
        " WHERE grant_id = ? AND browser = ? AND approved_at IS NULL AND refused_at IS NULL",
        (sign_in_id, proven_at, grant_id, browser),
    )
    return txn.rowcount == 1


def approve(  # noqa: PLR0913 (one column each)
    txn: Txn,
    grant_id: str,
    *,
    by: SignIn,
    acr: str,
    proven_at: int | None,
    code_digest: str,
    code_expires_at: int,
    expires_at: int,
    now: int,
) -> bool:
    """Attach the code, and keep the row until then.

    False when somebody already decided, or when only another account may.
    """
    txn.execute(
        "UPDATE nextgen_grants SET user_id = ?, auth_time = ?, amr = ?, acr = ?, level = ?,"
        " proven_at = ?, sign_in_id = ?, code_digest = ?, code_expires_at = ?, expires_at = ?,"
        " approved_at = ?"
        " WHERE grant_id = ? AND approved_at IS NULL AND refused_at IS NULL"
        " AND (user_id IS NULL OR user_id = ?)",
        (
            *(by.user_id, by.authenticated_at, by.amr, acr, by.factors, proven_at, by.name),
            *(code_digest, code_expires_at, expires_at, now, grant_id, by.user_id),
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


def withdraw_of_sign_in(txn: Txn, *, user_id: str, sign_in_id: str, now: int) -> None:
    """Make codes that a sign-in gave out, and nobody redeemed yet, worthless.

    Those from before grants named it go by the digest of its cookie, which is its id.
    """
    txn.execute(
        "UPDATE nextgen_grants SET refused_at = ?"
        " WHERE user_id = ? AND (sign_in_id = ? OR (sign_in_id IS NULL AND browser = ?))"
        " AND approved_at IS NOT NULL AND redeemed_at IS NULL AND refused_at IS NULL",
        (now, user_id, sign_in_id, sign_in_id),
    )


def withdraw_of_client(txn: Txn, client_id: str, *, now: int) -> None:
    """Let a client collect nothing of what was approved for it, and nobody approve more."""
    txn.execute(
        "UPDATE nextgen_grants SET refused_at = ?"
        " WHERE client_id = ? AND redeemed_at IS NULL AND refused_at IS NULL",
        (now, client_id),
    )
