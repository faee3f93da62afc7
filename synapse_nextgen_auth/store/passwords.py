"""Rows of passwords that are kept as argon2id; the table `users` beside them is Synapse's."""

from synapse_nextgen_auth.accounts.hashes import PasswordHash
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Cursor, Txn, placeholders

_PASSWORDS = Table("nextgen_passwords", PasswordHash)


def add(txn: Txn, made: PasswordHash) -> None:
    """Insert a hash under the digest of its stand-in."""
    _PASSWORDS.insert(txn, made)


def get(txn: Txn, stand_in: str) -> PasswordHash | None:
    """Return what stands behind a hash that Synapse has, `None` if it is Synapse's own."""
    return _PASSWORDS.one(txn, "WHERE stand_in = ?", digest(stand_in))


def of_account(txn: Txn, user_id: str) -> str | None:
    """Return the hash that Synapse has for an account."""
    txn.execute("SELECT password_hash FROM users WHERE name = ?", (user_id,))
    row = txn.fetchone()
    return str(row[0]) if row and row[0] else None


def holds(txn: Txn, user_id: str, password_hash: str) -> bool:
    """Say whether an account has that hash still, in a way that whoever sets another one meets."""
    txn.execute(
        "UPDATE users SET password_hash = password_hash WHERE name = ? AND password_hash = ?",
        (user_id, password_hash),
    )
    return txn.rowcount == 1


def replace(txn: Txn, user_id: str, *, former: str, new: str) -> bool:
    """Write another hash for an account; False when it has not the former one any more."""
    txn.execute(
        "UPDATE users SET password_hash = ? WHERE name = ? AND password_hash = ?",
        (new, user_id, former),
    )
    return txn.rowcount == 1


def set_for(txn: Txn, user_id: str, new: str) -> bool:
    """Set the hash of an account, whatever it had; False when nobody can have one: it is closed."""
    txn.execute(
        "UPDATE users SET password_hash = ? WHERE name = ? AND deactivated = 0", (new, user_id)
    )
    return txn.rowcount == 1


def unset(txn: Txn, user_id: str) -> None:
    """Leave an account no password: its person is let in by something else."""
    txn.execute("UPDATE users SET password_hash = NULL WHERE name = ?", (user_id,))
    txn.execute("DELETE FROM nextgen_passwords WHERE user_id = ?", (user_id,))


def remove(txn: Txn, user_id: str) -> None:
    """Leave a closed account no password; from then on it gets none (`set_for`)."""
    txn.execute(
        "UPDATE users SET password_hash = NULL"
        " WHERE name = ? AND deactivated = 1 AND password_hash IS NOT NULL",
        (user_id,),
    )
    txn.execute(
        "DELETE FROM nextgen_passwords WHERE user_id = ?"
        " AND EXISTS (SELECT 1 FROM users WHERE name = ? AND deactivated = 1)",
        (user_id, user_id),
    )


def belongs(txn: Txn, user_id: str, stand_in: str | None) -> None:
    """Note whose a hash is that was set for an account; its others are worth nothing any more.

    Synapse sets it in a transaction of its own. Another one may have been set since: then that one is
    what the account has, and this one is worth nothing.
    """
    kept = digest(stand_in) if stand_in is not None else ""
    is_set = (
        "EXISTS (SELECT 1 FROM users WHERE name = ? AND COALESCE(password_hash, '') = ?)",
        (user_id, stand_in or ""),
    )
    txn.execute(
        f"DELETE FROM nextgen_passwords WHERE user_id = ? AND stand_in <> ? AND {is_set[0]}",
        (user_id, kept, *is_set[1]),
    )
    if stand_in is None:
        return
    txn.execute(
        f"DELETE FROM nextgen_passwords WHERE stand_in = ? AND NOT {is_set[0]}", (kept, *is_set[1])
    )
    txn.execute("UPDATE nextgen_passwords SET user_id = ? WHERE stand_in = ?", (user_id, kept))


def claim(txn: Txn, user_id: str, stand_in: str) -> None:
    """Note whose a hash is that was made, and perhaps set, by a process that died in between."""
    txn.execute(
        "UPDATE nextgen_passwords SET user_id = ? WHERE stand_in = ? AND user_id IS NULL"
        " AND EXISTS (SELECT 1 FROM users WHERE name = ? AND password_hash = ?)",
        (user_id, digest(stand_in), user_id, stand_in),
    )


def has_unclaimed(txn: Txn, *, before: int) -> bool:
    """Say whether a hash that was made before then is noted as nobody's."""
    txn.execute(
        "SELECT 1 FROM nextgen_passwords WHERE user_id IS NULL AND made_at < ?"
        " ORDER BY made_at LIMIT 1",
        (before,),
    )
    return txn.fetchone() is not None


def claim_some(txn: Txn, *, after: str, limit: int) -> str | None:
    """Claim what is in use by one bite of accounts; return where it ends, `None` after the last.

    Only Python can tell which hash stands in for which row, as the row is under its digest.
    """
    txn.execute(
        "SELECT name, password_hash FROM users WHERE name > ? ORDER BY name LIMIT ?",
        (after, limit),
    )
    found = txn.fetchall()
    used = {digest(str(stored)): (str(name), str(stored)) for name, stored in found if stored}
    if used:
        marks = placeholders(used)
        txn.execute(
            "SELECT stand_in FROM nextgen_passwords"
            f" WHERE stand_in IN ({marks}) AND user_id IS NULL",
            tuple(used),
        )
        for (stand_in,) in txn.fetchall():
            claim(txn, *used[str(stand_in)])
    return str(found[-1][0]) if len(found) == limit else None


def list_kept(txn: Cursor) -> list[str]:
    """Return the accounts whose hash in Synapse's table stands in for one of ours."""
    txn.execute("SELECT stand_in FROM nextgen_passwords")
    ours = {str(row[0]) for row in txn.fetchall()}
    txn.execute("SELECT name, password_hash FROM users WHERE password_hash <> '' ORDER BY name")
    return [str(name) for name, stored in txn.fetchall() if digest(str(stored)) in ours]
