"""Rows of what the admin API told of: how it called it, and what that is.

They are written when something is first told of, so that whoever has such an id finds it here, and no
table has to be filled before anything can be listed.
"""

from collections.abc import Collection, Mapping

from synapse_nextgen_auth.accounts import ulids
from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.store.txn import Txn


def find(txn: Txn, kind: Kind, ulid: str) -> str | None:
    """Return the key of what was called so, `None` if nothing was."""
    txn.execute(
        "SELECT item_key FROM nextgen_ulids WHERE kind = ? AND ulid = ?", (kind.value, ulid)
    )
    row = txn.fetchone()
    return None if row is None else str(row[0])


def is_of_another(txn: Txn, kind: Kind, ulid: str) -> bool:
    """Say whether something of another kind was called so."""
    others = [each.value for each in Kind if each is not kind]
    txn.execute(
        f"SELECT 1 FROM nextgen_ulids WHERE kind IN ({', '.join('?' * len(others))}) AND ulid = ?",
        (*others, ulid),
    )
    return txn.fetchone() is not None


def known(txn: Txn, kind: Kind, keys: Collection[str]) -> dict[str, str]:
    """Return what those of these keys are called that have been told of before."""
    if not keys:
        return {}
    txn.execute(
        "SELECT item_key, ulid FROM nextgen_ulids WHERE kind = ?"
        f" AND item_key IN ({', '.join('?' * len(keys))})",
        (kind.value, *keys),
    )
    return {str(key): str(ulid) for key, ulid in txn.fetchall()}


def name(txn: Txn, kind: Kind, made: Mapping[str, int]) -> dict[str, str]:
    """Return what these are called; `made` is when each was made, in milliseconds, by its key."""
    found = known(txn, kind, made.keys())
    # Of what is a secret, its name says nothing.
    drawn = txn.draw if kind in ulids.SECRETS else str
    new = {key: ulids.make(kind, drawn(key), at) for key, at in made.items() if key not in found}
    if not new:
        return found
    rows = [(kind.value, ulid, key) for key, ulid in new.items()]
    txn.execute(
        "INSERT INTO nextgen_ulids (kind, ulid, item_key) VALUES"
        f" {', '.join(['(?, ?, ?)'] * len(rows))} ON CONFLICT DO NOTHING",
        [value for row in rows for value in row],
    )
    # Another process may have been first, and may have known another time.
    return found | new if txn.rowcount == len(rows) else known(txn, kind, made.keys())


def name_users(txn: Txn, user_ids: Collection[str]) -> dict[str, str]:
    """Return what these accounts are called; one that Synapse knows nothing of is not among them."""
    found = known(txn, Kind.USER, set(user_ids))
    new = sorted(set(user_ids) - found.keys())
    if not new:
        return found
    txn.execute(
        f"SELECT name, creation_ts FROM users WHERE name IN ({', '.join('?' * len(new))})", new
    )
    made = {str(user_id): int(at or 0) * 1000 for user_id, at in txn.fetchall()}
    return found | name(txn, Kind.USER, made)
