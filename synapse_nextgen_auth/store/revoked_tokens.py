"""Rows of tokens that were revoked before their end, though no session of theirs could end."""

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn


@frozen
class RevokedToken:
    """A token by its id, and when it would have been over anyway (seconds)."""

    token_id: str
    expires_at: int


_REVOKED = Table("nextgen_revoked_tokens", RevokedToken)


def add(txn: Txn, revoked: RevokedToken) -> None:
    """Write down that a token is worth nothing any more; twice is as good as once."""
    _REVOKED.insert_new(txn, revoked)


def list_all(txn: Txn, *, now: int) -> list[RevokedToken]:
    """Return those that would be good without."""
    return _REVOKED.all(txn, "WHERE expires_at > ?", now)
