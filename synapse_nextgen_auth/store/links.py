"""Rows of links with which people set their passwords."""

from synapse_nextgen_auth.accounts.links import Link, LinkKind
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_LINKS = Table("nextgen_links", Link)


def add(txn: Txn, link: Link) -> bool:
    """Insert a link; False when it is there already."""
    return _LINKS.insert_new(txn, link)


def get(txn: Txn, digest: str) -> Link | None:
    """Return the link with this secret."""
    return _LINKS.one(txn, "WHERE digest = ?", digest)


def use(txn: Txn, digest: str, *, now: int) -> bool:
    """Spend a link; False when somebody else did, or it is good no more."""
    txn.execute(
        "UPDATE nextgen_links SET used_at = ?"
        " WHERE digest = ? AND used_at IS NULL AND ended_at IS NULL AND expires_at > ?",
        (now, digest, now),
    )
    return txn.rowcount == 1


def end_of_kind(txn: Txn, user_id: str, kind: LinkKind, *, now: int) -> None:
    """Make the links of one kind worthless that an account has."""
    txn.execute(
        "UPDATE nextgen_links SET ended_at = ?"
        " WHERE user_id = ? AND kind = ? AND ended_at IS NULL AND used_at IS NULL",
        (now, user_id, kind.value),
    )


def end_of_address(txn: Txn, user_id: str, address: str, *, now: int) -> None:
    """Make the links worthless that went to an address."""
    txn.execute(
        "UPDATE nextgen_links SET ended_at = ?"
        " WHERE user_id = ? AND address = ? AND ended_at IS NULL AND used_at IS NULL",
        (now, user_id, address),
    )


def end_for_user(txn: Txn, user_id: str, *, now: int) -> int:
    """Make whatever links an account has worthless; return how many there were."""
    txn.execute(
        "UPDATE nextgen_links SET ended_at = ?"
        " WHERE user_id = ? AND ended_at IS NULL AND used_at IS NULL",
        (now, user_id),
    )
    return txn.rowcount
