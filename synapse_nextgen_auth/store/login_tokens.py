"""Login tokens that nobody used yet; their table is Synapse's, with times in milliseconds."""

from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store.txn import Txn


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
    """Make those worthless that clients were let in with by one sign-in.

    Synapse keeps them in clear, we keep their digests, so only Python can tell which is which.
    """
    txn.execute(
        "SELECT token FROM login_tokens WHERE user_id = ? AND used_ts IS NULL AND expiry_ts > ?",
        (user_id, now * 1000),
    )
    living = {digest(str(token)): str(token) for (token,) in txn.fetchall()}
    if not living:
        return
    marks = ", ".join("?" * len(living))
    txn.execute(
        f"SELECT token FROM nextgen_legacy_logins WHERE token IN ({marks}) AND sign_in_id = ?",
        (*living, sign_in_id),
    )
    for (found,) in txn.fetchall():
        spend(txn, living[str(found)], now=now)
