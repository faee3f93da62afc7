"""Shut a client out that registered by itself, as whoever runs the server wants it."""

from synapse_nextgen_auth.store import client_lists, device_grants, grants
from synapse_nextgen_auth.store.client_lists import Block
from synapse_nextgen_auth.store.txn import Txn


def block(txn: Txn, client_id: str, *, by: str, why: str | None, now: int) -> bool:
    """Block it, and whatever it is about to collect is worth nothing; False if it is blocked already.

    Nobody is signed in to it from now on, and none of its tokens is renewed. What tokens it has are good
    until they are over, unless its sessions end.
    """
    if not client_lists.block(txn, Block(client_id, now, by, why)):
        return False
    grants.withdraw_of_client(txn, client_id, now=now)
    device_grants.withdraw_of_client(txn, client_id, now=now)
    return True
