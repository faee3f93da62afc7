"""Rows of passkeys, and of challenges that were answered."""

from synapse_nextgen_auth.accounts.factors.passkeys.ceremonies import Used
from synapse_nextgen_auth.accounts.factors.passkeys.challenges import LIFETIME
from synapse_nextgen_auth.accounts.factors.passkeys.passkey import Passkey
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_PASSKEYS = Table("nextgen_passkeys", Passkey)


def add(txn: Txn, passkey: Passkey) -> bool:
    """Insert a passkey; False where there is one with this id, whoever has it (C282)."""
    return _PASSKEYS.insert_new(txn, passkey)


def get(txn: Txn, credential_id: str) -> Passkey | None:
    """Return the passkey with this id, whosever it is."""
    return _PASSKEYS.one(txn, "WHERE credential_id = ?", credential_id)


def list_for(txn: Txn, user_id: str) -> list[Passkey]:
    """Return the passkeys of an account, the oldest first."""
    return _PASSKEYS.all(txn, "WHERE user_id = ? ORDER BY made_at, credential_id", user_id)


def note_use(txn: Txn, passkey: Passkey, used: Used, *, now: int) -> bool:
    """Write down what it said of itself, as it was read; False when it was used or removed meanwhile.

    One that does not count is the same after as before, so the challenge says that it was used.
    """
    txn.execute(
        "UPDATE nextgen_passkeys SET sign_count = ?, is_synced = ?, last_used_at = ?"
        " WHERE credential_id = ? AND user_id = ? AND sign_count = ?",
        (
            *(used.sign_count, int(used.is_synced), now),
            *(passkey.credential_id, passkey.user_id, passkey.sign_count),
        ),
    )
    return txn.rowcount == 1


def note_verified(txn: Txn, passkey: Passkey) -> None:
    """Write down that its device knows its owner, which it may have learnt since it was made."""
    txn.execute(
        "UPDATE nextgen_passkeys SET is_verified = 1 WHERE credential_id = ?",
        (passkey.credential_id,),
    )


def rename(txn: Txn, user_id: str, credential_id: str, name: str) -> bool:
    """Call a passkey something else; False when the account has it not (C301)."""
    txn.execute(
        "UPDATE nextgen_passkeys SET name = ? WHERE credential_id = ? AND user_id = ?",
        (name, credential_id, user_id),
    )
    return txn.rowcount == 1


def remove(txn: Txn, user_id: str, credential_id: str) -> bool:
    """Delete a passkey; False when the account has it not (C301)."""
    txn.execute(
        "DELETE FROM nextgen_passkeys WHERE credential_id = ? AND user_id = ?",
        (credential_id, user_id),
    )
    return txn.rowcount == 1


def remove_all(txn: Txn, user_id: str) -> int:
    """Delete all passkeys of an account; return how many there were."""
    txn.execute("DELETE FROM nextgen_passkeys WHERE user_id = ?", (user_id,))
    return txn.rowcount


def count_for(txn: Txn, user_id: str, site: str | None) -> int:
    """Return how many passkeys an account has for a site; at another one no browser uses them."""
    return sum(each.rp_id == site for each in list_for(txn, user_id))


def is_spent(txn: Txn, challenge: bytes) -> bool:
    """Say whether a challenge was answered."""
    txn.execute(
        "SELECT 1 FROM nextgen_passkey_challenges WHERE digest = ?", (digest(challenge.hex()),)
    )
    return txn.fetchone() is not None


def count_by_site(txn: Txn) -> list[tuple[str, int]]:
    """Return for which sites there are passkeys, and how many."""
    txn.execute("SELECT rp_id, COUNT(*) FROM nextgen_passkeys GROUP BY rp_id ORDER BY rp_id")
    return [(str(rp_id), int(number)) for rp_id, number in txn.fetchall()]


def count_alone(txn: Txn) -> tuple[int, int]:
    """Return how many open accounts only a passkey opens, and how many of them have no address."""
    txn.execute(
        "SELECT COUNT(*), COUNT(CASE WHEN NOT EXISTS (SELECT 1 FROM user_threepids AS t"
        " WHERE t.user_id = u.name AND t.medium = 'email') THEN 1 END)"
        " FROM users AS u WHERE u.deactivated = 0 AND COALESCE(u.password_hash, '') = ''"
        " AND NOT EXISTS (SELECT 1 FROM user_external_ids AS i WHERE i.user_id = u.name)"
        " AND EXISTS (SELECT 1 FROM nextgen_passkeys AS p"
        " WHERE p.user_id = u.name AND p.is_verified = 1)"
    )
    alone, lost = txn.fetchone()
    return int(alone), int(lost)


def spend(txn: Txn, challenge: bytes, *, now: int) -> bool:
    """Note that a challenge was answered; False when it was before (C279)."""
    txn.execute(
        "INSERT INTO nextgen_passkey_challenges (digest, expires_at) VALUES (?, ?)"
        " ON CONFLICT DO NOTHING",
        (digest(challenge.hex()), now + LIFETIME),
    )
    return txn.rowcount == 1
