"""Stopping with manners: what is under way is answered first, what comes late is told to come back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from synapse.server import HomeServer
from twisted.internet.defer import Deferred

PATIENCE = 5  # seconds that a process waits for its last answers
_LAST_BYTES = 0.1  # seconds that a finished answer gets to leave


class Drain:
    """The requests of ours that this process has not answered yet (C382).

    It asks the reactor itself: a trigger through Synapse's clock would not be waited for.
    """

    def __init__(self, hs: HomeServer) -> None:
        self._reactor = cast("Any", hs.get_reactor())
        self._under_way = 0
        self._stop: Deferred[None] | None = None
        self._reactor.addSystemEventTrigger("before", "shutdown", self._begin)

    @property
    def is_closed(self) -> bool:
        """Whether the process was asked to stop."""
        return self._stop is not None

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Keep the process from stopping while this lasts, within limits."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if self._stop is not None and self._under_way == 0:
                self._reactor.callLater(_LAST_BYTES, self._end)

    def _begin(self) -> "Deferred[None]":
        self._stop = Deferred()
        if self._under_way == 0:
            self._end()
        else:
            self._reactor.callLater(PATIENCE, self._end)
        return self._stop

    def _end(self) -> None:
        if self._stop is not None and not self._stop.called:
            self._stop.callback(None)
