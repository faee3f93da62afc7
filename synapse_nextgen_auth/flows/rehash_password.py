"""Keep a password in another way once somebody has typed it, if it is still theirs."""

from synapse_nextgen_auth.accounts.hashes import PasswordHash
from synapse_nextgen_auth.store import passwords
from synapse_nextgen_auth.store.txn import Txn


def rehash(
    txn: Txn, user_id: str, *, former: str, stand_in: str, made: PasswordHash | None
) -> bool:
    """Put another hash in the place of `former`, of ours (`made`) or Synapse's; False if too late.

    Whoever set another password meanwhile keeps that.
    """
    if not passwords.replace(txn, user_id, former=former, new=stand_in):
        return False
    if made is not None:
        passwords.add(txn, made)
    passwords.belongs(txn, user_id, stand_in)
    return True
