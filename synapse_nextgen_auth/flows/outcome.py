"""What a flow says beside its result: which sessions are over now."""

from typing import Generic, TypeVar

from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.txn import Txn

T = TypeVar("T")


@frozen
class Outcome(Generic[T]):
    """The result of a flow that may end sessions.

    A refusal stands in `value` when what the flow wrote must stay; a raised one undoes it.
    The sessions in `ended`, and those in `changed` that must be read again, are forgotten by every
    worker in the same transaction.
    """

    value: T | OAuthError
    ended: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class Unsaid(Exception):
    """A flow ended or changed sessions and did not say so: other processes would let them in."""


def outcome_of(txn: Txn, returned: T | Outcome[T]) -> Outcome[T]:
    """Return what a flow returned as an outcome; refuse one that keeps silent about a session."""
    outcome: Outcome[T] = returned if isinstance(returned, Outcome) else Outcome(returned)
    unsaid = {*txn.ended, *txn.changed} - {*outcome.ended, *outcome.changed}
    if unsaid:
        raise Unsaid(", ".join(sorted(unsaid)))
    return outcome
