"""Rows of arrivals: answers of providers that wait for the browser that asked."""

from collections.abc import Sequence

from synapse_nextgen_auth.accounts.attempts.arrivals import Arrival
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn, placeholders

_ARRIVALS = Table("nextgen_arrivals", Arrival)


def add(txn: Txn, arrival: Arrival) -> None:
    """Insert an answer that has just come."""
    _ARRIVALS.insert(txn, arrival)


def find(txn: Txn, attempt_id: str, digests: Sequence[str]) -> list[Arrival]:
    """Return the answers for this attempt among those that a browser holds, the newest first."""
    if not digests:
        return []
    marks = placeholders(digests)
    return _ARRIVALS.all(
        txn,
        f"WHERE digest IN ({marks}) AND attempt_id = ? ORDER BY arrived_at DESC",
        *digests,
        attempt_id,
    )


def list_of_provider(txn: Txn, provider: str, provider_session: str) -> list[Arrival]:
    """Return the answers, taken or not, that came with this sign-in of a provider."""
    return _ARRIVALS.all(
        txn, "WHERE provider_session = ? AND provider = ?", provider_session, provider
    )


def take(txn: Txn, digest: str, *, now: int) -> bool:
    """Note that an answer was used; False when it was already."""
    txn.execute(
        "UPDATE nextgen_arrivals SET taken_at = ? WHERE digest = ? AND taken_at IS NULL",
        (now, digest),
    )
    return txn.rowcount == 1
