"""Providers' answers that Synapse's handlers stumble over, and providers that do not answer at all.

Stock ends there with an error for machines, or makes a person wait for a minute. On a way of ours a
page says what to do.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from synapse.api.errors import RedirectException, SynapseError
from synapse.logging.context import PreserveLoggingContext
from twisted.internet.defer import Deferred, ensureDeferred

from synapse_nextgen_auth.accounts.attempts.arrivals import Trouble
from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (Needed("synapse.logging.context", "PreserveLoggingContext"),)

logger = logging.getLogger(__name__)

# A person waits for it: how many seconds a provider has to say who somebody is (C275).
PATIENCE = 10
_NAMED, _ENDING, _LATE = "_nextgen_named", "_nextgen_ending", "_nextgen_late"
# What Python says of an answer that is not what it should be; anything else is a failure to get one.
_NONSENSE = (ValueError, TypeError, LookupError, AttributeError, AssertionError, SyntaxError)

# Says on which way of ours a request is, by what it claims.
StartOf = Callable[[Any], Start | None]


def named(request: Any) -> None:
    """Note that the provider said who somebody is: what comes now is ours, and not given up half-way."""
    setattr(request, _NAMED, True)


def ending(request: Any) -> None:
    """Note that it is known whose account it is."""
    setattr(request, _ENDING, True)


def is_ending(request: Any) -> bool:
    """Say whether it was known whose account it is."""
    return bool(getattr(request, _ENDING, False))


def is_late(request: Any) -> bool:
    """Say whether the provider took too long, and was given up."""
    return bool(getattr(request, _LATE, False))


class Guard:
    """What stands around Synapse's handlers of answers."""

    def __init__(
        self, reactor: Any, start_of: StartOf, fail: Callable[[Any, Start, Trouble], None]
    ) -> None:
        self._reactor = reactor
        self._start_of = start_of
        self._fail = fail

    def around(
        self, handle: Callable[..., Awaitable[None]], request: Any, *args: Any, **kwargs: Any
    ) -> Awaitable[None]:
        """Let `handle` do its work, and say on our page where the provider keeps it from that."""
        start = self._start_of(request)
        if start is None:
            return handle(request, *args, **kwargs)
        return self._handle(start, request, handle(request, *args, **kwargs))

    async def _handle(self, start: Start, request: Any, handled: Any) -> None:
        working: Deferred[None] = ensureDeferred(handled)
        timer = self._reactor.callLater(PATIENCE, _give_up, request, working)
        try:
            await working
        except RedirectException:
            raise  # a mapping provider has pages of its own
        except Exception as error:
            if request.startedWriting:
                raise
            if getattr(request, _NAMED, False):
                logger.exception("A sign-in through provider %s failed here", start.provider_id)
            else:
                logger.warning(
                    "Provider %s gave no answer that makes sense", start.provider_id, exc_info=True
                )
            # What is cut off may look like anything: Synapse's client counts what it was told.
            trouble = Trouble.UNAVAILABLE if is_late(request) else trouble_of(error)
            self._fail(request, start, trouble)
        finally:
            if timer.active():
                timer.cancel()


def _give_up(request: Any, working: "Deferred[None]") -> None:
    if not getattr(request, _NAMED, False):
        setattr(request, _LATE, True)
        with PreserveLoggingContext():
            working.cancel()


def trouble_of(error: Exception) -> Trouble:
    """Return what it means for the person that a provider's answer could not be had or read."""
    if isinstance(error, SynapseError):
        return Trouble.BROKEN if error.code < 500 else Trouble.UNAVAILABLE
    return Trouble.BROKEN if isinstance(error, _NONSENSE) else Trouble.UNAVAILABLE
