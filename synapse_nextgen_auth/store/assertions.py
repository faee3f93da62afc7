"""Rows of client assertions that were seen: each works once (RFC 7523 section 3, `jti`)."""

from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store.txn import Txn


def spend(txn: Txn, *, client_id: str, jti: str, expires_at: int) -> bool:
    """Remember the assertion; False when it was here before."""
    txn.execute(
        "INSERT INTO nextgen_client_assertions (digest, expires_at) VALUES (?, ?)"
        " ON CONFLICT DO NOTHING",
        (digest(f"{client_id}\n{jti}"), expires_at),
    )
    return txn.rowcount == 1
