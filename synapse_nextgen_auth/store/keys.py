"""Rows of signing keys."""

from synapse_nextgen_auth.oauth.keys import Algorithm, SigningKey
from synapse_nextgen_auth.store.txn import Txn


def add(txn: Txn, key: SigningKey) -> bool:
    """Insert a key; False when another process made one for the same time."""
    txn.execute(
        "INSERT INTO nextgen_signing_keys"
        " (kid, algorithm, sealed, public_jwk, created_at, active_from)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            *(key.kid, key.algorithm.value, key.sealed, key.public_jwk),
            *(key.created_at, key.active_from),
        ),
    )
    return txn.rowcount == 1


def list_all(txn: Txn) -> list[SigningKey]:
    """Return every key, the oldest first."""
    txn.execute(
        "SELECT kid, algorithm, sealed, public_jwk, created_at, active_from"
        " FROM nextgen_signing_keys ORDER BY active_from, kid"
    )
    return [
        SigningKey(kid, Algorithm(algorithm), *rest) for kid, algorithm, *rest in txn.fetchall()
    ]


def reseal(txn: Txn, kid: str, *, sealed: str) -> None:
    """Put the same key there, sealed anew."""
    txn.execute("UPDATE nextgen_signing_keys SET sealed = ? WHERE kid = ?", (sealed, kid))


def remove(txn: Txn, kid: str) -> None:
    """Delete a key that nobody needs any more."""
    txn.execute("DELETE FROM nextgen_signing_keys WHERE kid = ?", (kid,))
