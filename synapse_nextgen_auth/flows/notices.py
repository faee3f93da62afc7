"""Post notices: all that are about the same, or none."""

from collections.abc import Sequence

from synapse_nextgen_auth.accounts.outbox import Work
from synapse_nextgen_auth.store import outbox
from synapse_nextgen_auth.store.txn import Txn


def post(txn: Txn, notices: Sequence[Work], *, now: int) -> None:
    """Let them be sent."""
    for notice in notices:
        outbox.put(txn, notice, now=now)
