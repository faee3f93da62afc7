"""Rows of rendezvous."""

from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.oauth.grants.device_grants import LONGEST_LIFE
from synapse_nextgen_auth.oauth.rendezvous import Kind, Rendezvous
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_RENDEZVOUS = Table("nextgen_rendezvous", Rendezvous)


def add(txn: Txn, rendezvous: Rendezvous) -> None:
    """Insert a rendezvous."""
    _RENDEZVOUS.insert(txn, rendezvous)


def get(txn: Txn, rendezvous_id: str, *, kind: Kind, now: int) -> Rendezvous | None:
    """Return the rendezvous with this id unless its time is over."""
    return _RENDEZVOUS.one(
        txn,
        "WHERE rendezvous_id = ? AND kind = ? AND expires_at > ? AND created_at <= ?",
        *(rendezvous_id, kind.value, now, now + SKEW),
    )


def write(txn: Txn, rendezvous: Rendezvous, *, data: str, sequence: str, now: int) -> bool:
    """Overwrite the data; False when somebody else did so since `rendezvous` was read."""
    txn.execute(
        "UPDATE nextgen_rendezvous SET data = ?, sequence = ?, modified_at = ?"
        " WHERE rendezvous_id = ? AND sequence = ?",
        (data, sequence, now, rendezvous.rendezvous_id, rendezvous.sequence),
    )
    return txn.rowcount == 1


def remove(txn: Txn, rendezvous_id: str, *, kind: Kind, now: int) -> bool:
    """Delete the rendezvous; False when there is none any more."""
    txn.execute(
        "DELETE FROM nextgen_rendezvous WHERE rendezvous_id = ? AND kind = ? AND expires_at > ?",
        (rendezvous_id, kind.value, now),
    )
    return txn.rowcount == 1


def count_living(txn: Txn, *, now: int) -> int:
    """Count those whose time is not over."""
    txn.execute(
        "SELECT COUNT(*) FROM nextgen_rendezvous WHERE expires_at > ? AND expires_at <= ?",
        (now, now + LONGEST_LIFE + SKEW),
    )
    return int(txn.fetchone()[0])
