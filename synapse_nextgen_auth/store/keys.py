"""Rows of signing keys."""

from synapse_nextgen_auth.oauth.tokens.keys import SigningKey
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_KEYS = Table("nextgen_signing_keys", SigningKey)


def add(txn: Txn, key: SigningKey) -> bool:
    """Insert a key; False when another process made one for the same time."""
    return _KEYS.insert_new(txn, key)


def list_all(txn: Txn) -> list[SigningKey]:
    """Return every key, the oldest first."""
    return _KEYS.all(txn, "ORDER BY active_from, kid")


def reseal(txn: Txn, kid: str, *, sealed: str) -> None:
    """Put the same key there, sealed anew."""
    txn.execute("UPDATE nextgen_signing_keys SET sealed = ? WHERE kid = ?", (sealed, kid))


def remove(txn: Txn, kid: str) -> None:
    """Delete a key that nobody needs any more."""
    txn.execute("DELETE FROM nextgen_signing_keys WHERE kid = ?", (kid,))
