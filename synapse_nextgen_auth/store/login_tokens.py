"""Login tokens that nobody used yet; their table is Synapse's, with times in milliseconds."""

from collections.abc import Sequence

from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store.txn import Txn, placeholders

# Seconds: no token is as old as that when it is used, whatever an operator sets.
_LONGEST = 24 * 3600


def is_from_us(txn: Txn, digest: str, *, now: int) -> bool:
    """Say whether the token with this digest was given out on a page of ours, used or not."""
    txn.execute(
        "SELECT 1 FROM nextgen_legacy_logins WHERE token = ?"
        " UNION ALL SELECT 1 FROM nextgen_approvals WHERE requested_at > ? AND login_token = ?"
        " LIMIT 1",
        (digest, now - _LONGEST, digest),
    )
    return txn.fetchone() is not None


def spend(txn: Txn, token: str, *, now: int) -> None:
    """Let nobody use a token any more; Synapse answers as to one that was used."""
    txn.execute(
        "UPDATE login_tokens SET used_ts = ? WHERE token = ? AND used_ts IS NULL",
        (now * 1000, token),
    )


def withdraw(txn: Txn, user_id: str, *, now: int) -> None:
    """Make all of an account worthless, however it got them."""
    txn.execute(
        "UPDATE login_tokens SET used_ts = ?"
        " WHERE user_id = ? AND used_ts IS NULL AND expiry_ts > ?",
        (now * 1000, user_id, now * 1000),
    )


def withdraw_of_sign_in(txn: Txn, *, user_id: str, sign_in_id: str, now: int) -> None:
    """Make those worthless that clients were let in with by one sign-in, or that it approved.

    Synapse keeps them in clear, we keep their digests, so only Python can tell which is which.
    """
    living = _living(txn, user_id, now)
    if not living:
        return
    marks = placeholders(living)
    txn.execute(
        f"SELECT token FROM nextgen_legacy_logins WHERE token IN ({marks}) AND sign_in_id = ?"
        f" UNION ALL SELECT login_token FROM nextgen_approvals WHERE login_token IN ({marks})"
        " AND decided_by = ?",
        (*living, sign_in_id, *living, sign_in_id),
    )
    for (found,) in txn.fetchall():
        spend(txn, living[str(found)], now=now)


def withdraw_of_session(txn: Txn, *, user_id: str, session_id: str, now: int) -> None:
    """Make those worthless that a session asked for."""
    living = _living(txn, user_id, now)
    if not living:
        return
    marks = placeholders(living)
    txn.execute(
        f"SELECT login_token FROM nextgen_approvals WHERE session_id = ? AND login_token IN ({marks})",
        (session_id, *living),
    )
    for (found,) in txn.fetchall():
        spend(txn, living[str(found)], now=now)


def withdraw_of_devices(txn: Txn, *, user_id: str, device_ids: Sequence[str], now: int) -> None:
    """Make those worthless that legacy tokens of these devices asked for."""
    living = _living(txn, user_id, now)
    if not living:
        return
    marks, devices = placeholders(living), frozenset(device_ids)
    txn.execute(
        "SELECT login_token, device_id FROM nextgen_approvals"
        f" WHERE session_id = ? AND device_id IS NOT NULL AND login_token IN ({marks})",
        (user_id, *living),
    )
    for found, device_id in txn.fetchall():
        if device_id in devices:
            spend(txn, living[str(found)], now=now)


def _living(txn: Txn, user_id: str, now: int) -> dict[str, str]:
    """Return the tokens of an account that still open it, by their digests."""
    txn.execute(
        "SELECT token FROM login_tokens WHERE user_id = ? AND used_ts IS NULL AND expiry_ts > ?",
        (user_id, now * 1000),
    )
    return {digest(str(token)): str(token) for (token,) in txn.fetchall()}
