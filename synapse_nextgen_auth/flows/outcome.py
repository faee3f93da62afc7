"""What a flow says beside its result: which sessions are over now."""

from typing import Generic, TypeVar

import attrs

from synapse_nextgen_auth.oauth.errors import OAuthError

T = TypeVar("T")


@attrs.frozen
class Outcome(Generic[T]):
    """The result of a flow that may end sessions.

    A refusal stands in `value` when what the flow wrote must stay; a raised one undoes it.
    The sessions in `ended`, and those in `changed` that must be read again, are forgotten by every
    worker in the same transaction.
    """

    value: T | OAuthError
    ended: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
