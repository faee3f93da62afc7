"""Stopping with manners: what is under way is answered first, what comes late is told to come back."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from synapse.server import HomeServer
from twisted.internet.defer import Deferred

from synapse_nextgen_auth.homeserver import background
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.startup.needed import members

NEEDS = (*members("synapse.server", "HomeServer", "get_reactor"),)

logger = logging.getLogger(__name__)

PATIENCE = 5  # seconds that a process waits for its last answers
_LAST_CHORES = 5  # seconds that it waits for what is to be done after those
_LAST_BYTES = 0.1  # seconds that a finished answer gets to leave


class Drain:
    """The requests of ours that this process has not answered yet (C382).

    It asks the reactor itself: a trigger through Synapse's clock would not be waited for.
    """

    def __init__(self, hs: HomeServer) -> None:
        self._hs = hs
        self._reactor = cast("Any", hs.get_reactor())
        self._under_way = 0
        self._chores: list[Callable[[], Awaitable[None]]] = []
        self._is_empty = False
        self._stop: Deferred[None] | None = None
        self._reactor.addSystemEventTrigger("before", "shutdown", self._begin)

    @property
    def is_closed(self) -> bool:
        """Whether the process was asked to stop."""
        return self._stop is not None

    def at_last(self, chore: Callable[[], Awaitable[None]]) -> None:
        """Do this between the last answer and the end, within limits."""
        self._chores.append(chore)

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
        if self._is_empty:
            return
        self._is_empty = True
        background.begin(self._hs, Background.LAST_CHORES, self._do_last)
        self._reactor.callLater(_LAST_CHORES, self._let_go)

    async def _do_last(self) -> None:
        for chore in self._chores:
            try:
                await chore()
            except Exception:
                logger.warning("Could not finish before the end", exc_info=True)
        # Not from here: what stops next runs at once, and not as a part of this chore.
        self._reactor.callLater(0, self._let_go)

    def _let_go(self) -> None:
        if self._stop is not None and not self._stop.called:
            self._stop.callback(None)
