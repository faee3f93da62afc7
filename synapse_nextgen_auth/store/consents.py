"""Rows of remembered consents: which account lets which client do what."""

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.txn import Txn


@frozen
class Consent:
    """What an account lets a client do, and when its person last said so."""

    client_id: str
    scope: str
    granted_at: int


def list_of(txn: Txn, user_id: str) -> list[Consent]:
    """Return everything that an account agreed to."""
    txn.execute(
        "SELECT client_id, scope, granted_at FROM nextgen_consents WHERE user_id = ?", (user_id,)
    )
    return [Consent(*row) for row in txn.fetchall()]


def forget_client(txn: Txn, *, user_id: str, client_id: str) -> int:
    """Forget what an account lets a client do; return how much there was."""
    txn.execute(
        "DELETE FROM nextgen_consents WHERE user_id = ? AND client_id = ?", (user_id, client_id)
    )
    return txn.rowcount


def remember(txn: Txn, *, user_id: str, client_id: str, scope: str, now: int) -> None:
    """Note that the person agreed now."""
    txn.execute(
        "INSERT INTO nextgen_consents (user_id, client_id, scope, granted_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (user_id, client_id, scope) DO UPDATE SET granted_at = excluded.granted_at",
        (user_id, client_id, scope, now),
    )


def forget(txn: Txn, user_id: str) -> None:
    """Forget all that an account agreed to."""
    txn.execute("DELETE FROM nextgen_consents WHERE user_id = ?", (user_id,))


def granted_at(txn: Txn, *, user_id: str, client_id: str, scope: str) -> int | None:
    """Return when the person last agreed to exactly this."""
    txn.execute(
        "SELECT granted_at FROM nextgen_consents WHERE user_id = ? AND client_id = ? AND scope = ?",
        (user_id, client_id, scope),
    )
    row = txn.fetchone()
    return int(row[0]) if row else None
