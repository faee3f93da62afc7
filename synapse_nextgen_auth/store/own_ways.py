"""Rows of Synapse's that say how an account is signed in to, as far as we change them.

Whoever takes one away holds the account first: two that take one each would leave none.
"""

from synapse_nextgen_auth.accounts.own_ways import Identity, OwnWays
from synapse_nextgen_auth.store import factors, passwords
from synapse_nextgen_auth.store.txn import Txn

EMAIL, PHONE = "email", "msisdn"  # as Synapse has them


def hold(txn: Txn, user_id: str) -> bool:
    """Keep others from an account that change how it is signed in to; False for one that is closed."""
    txn.execute("UPDATE users SET deactivated = 0 WHERE name = ? AND deactivated = 0", (user_id,))
    return txn.rowcount == 1


def is_closed(txn: Txn, user_id: str) -> bool:
    """Say whether an account is there and closed."""
    txn.execute("SELECT 1 FROM users WHERE name = ? AND deactivated = 1", (user_id,))
    return txn.fetchone() is not None


def list_for(txn: Txn, user_id: str) -> OwnWays:
    """Return what an account has."""
    txn.execute(
        "SELECT auth_provider, external_id FROM user_external_ids WHERE user_id = ?"
        " ORDER BY auth_provider, external_id",
        (user_id,),
    )
    identities = [Identity(str(provider), str(its_id)) for provider, its_id in txn.fetchall()]
    txn.execute(
        "SELECT medium, address FROM user_threepids WHERE user_id = ? ORDER BY address", (user_id,)
    )
    found = [(str(medium), str(address)) for medium, address in txn.fetchall()]
    emails, phones = (
        tuple(address for medium, address in found if medium == wanted) for wanted in (EMAIL, PHONE)
    )
    txn.execute(
        "SELECT rp_id FROM nextgen_passkeys WHERE user_id = ? AND is_verified = 1", (user_id,)
    )
    passkeys = tuple(str(rp_id) for (rp_id,) in txn.fetchall())
    has_password = passwords.of_account(txn, user_id) is not None
    ways = OwnWays(has_password, tuple(identities), emails, phones, passkeys)
    return ways.with_factors(factors.held(txn, user_id))


def connect(txn: Txn, user_id: str, identity: Identity) -> str:
    """Give an account an identity; return whose it is, which is another's where they had it first."""
    txn.execute(
        "INSERT INTO user_external_ids (auth_provider, external_id, user_id) VALUES (?, ?, ?)"
        " ON CONFLICT (auth_provider, external_id) DO NOTHING",
        (identity.provider, identity.external_id, user_id),
    )
    txn.execute(
        "SELECT user_id FROM user_external_ids WHERE auth_provider = ? AND external_id = ?",
        (identity.provider, identity.external_id),
    )
    return str(txn.fetchone()[0])


def disconnect(txn: Txn, user_id: str, identity: Identity) -> bool:
    """Take an identity away; False when the account has it not."""
    txn.execute(
        "DELETE FROM user_external_ids WHERE auth_provider = ? AND external_id = ? AND user_id = ?",
        (identity.provider, identity.external_id, user_id),
    )
    return txn.rowcount == 1


def add_address(
    txn: Txn, user_id: str, medium: str, address: str, *, validated_at: int, now: int
) -> str:
    """Give an account an address or number; return whose it is, another's where they had it first."""
    txn.execute(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (medium, address) DO NOTHING",
        (user_id, medium, address, validated_at * 1000, now * 1000),
    )
    return owner_of(txn, medium, address) or ""


def owner_of(txn: Txn, medium: str, address: str) -> str | None:
    """Return which account has an address or number."""
    txn.execute(
        "SELECT user_id FROM user_threepids WHERE medium = ? AND address = ?", (medium, address)
    )
    row = txn.fetchone()
    return None if row is None else str(row[0])


def remove_addresses(txn: Txn, user_id: str) -> None:
    """Take every address and number of an account away."""
    txn.execute("DELETE FROM user_threepids WHERE user_id = ?", (user_id,))


def remove_address(txn: Txn, user_id: str, medium: str, address: str) -> bool:
    """Take an address or number away; False when the account has it not."""
    txn.execute(
        "DELETE FROM user_threepids WHERE user_id = ? AND medium = ? AND address = ?",
        (user_id, medium, address),
    )
    return txn.rowcount == 1
