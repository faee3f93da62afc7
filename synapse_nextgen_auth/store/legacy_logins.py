"""Rows of sign-ins of clients that know only `m.login.sso`."""

from synapse_nextgen_auth.oauth.legacy_sign_ins import LegacySignIn
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_LOGINS = Table("nextgen_legacy_logins", LegacySignIn)


def add(txn: Txn, login: LegacySignIn) -> None:
    """Insert what a client asks for."""
    _LOGINS.insert(txn, login)


def get(txn: Txn, login_id: str) -> LegacySignIn | None:
    """Return one."""
    return _LOGINS.one(txn, "WHERE login_id = ?", login_id)


def decide(txn: Txn, login_id: str, *, now: int) -> bool:
    """Note that the person said yes or no; False when that was decided, or it is too late."""
    txn.execute(
        "UPDATE nextgen_legacy_logins SET decided_at = ?"
        " WHERE login_id = ? AND decided_at IS NULL AND expires_at > ?",
        (now, login_id, now),
    )
    return txn.rowcount == 1


def note_token(txn: Txn, login_id: str, *, sign_in_id: str, token: str) -> None:
    """Note by which sign-in the client was let in, and the digest of the token that it gets."""
    txn.execute(
        "UPDATE nextgen_legacy_logins SET sign_in_id = ?, token = ? WHERE login_id = ?",
        (sign_in_id, token, login_id),
    )


def keep_extras(txn: Txn, login_id: str, extras: str | None) -> None:
    """Keep what the client is told beside, in place of what was said before; sealed."""
    txn.execute(
        "UPDATE nextgen_legacy_logins SET extras = ? WHERE login_id = ?", (extras, login_id)
    )


def extras_of(txn: Txn, token: str) -> str | None:
    """Return what the client that got the token with this digest is told beside; sealed."""
    txn.execute("SELECT extras FROM nextgen_legacy_logins WHERE token = ?", (token,))
    row = txn.fetchone()
    return None if row is None or row[0] is None else str(row[0])


def reopen(txn: Txn, login_id: str) -> None:
    """Take a decision back that came to nothing."""
    txn.execute(
        "UPDATE nextgen_legacy_logins SET decided_at = NULL WHERE login_id = ?", (login_id,)
    )
