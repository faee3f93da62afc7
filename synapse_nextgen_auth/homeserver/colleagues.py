"""The processes that this one needs for what only they may write, and whether they are there.

Synapse itself goes on asking one that is away for a minute, longer than clients and proxies wait. So
it is asked first, before anything is spent or deleted, and nobody waits for one that does not answer.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from synapse.api.errors import HttpResponseException
from synapse.config.workers import MAIN_PROCESS_INSTANCE_NAME
from synapse.logging.context import (
    PreserveLoggingContext,
    make_deferred_yieldable,
    run_in_background,
)
from synapse.server import HomeServer
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

NEEDS = (
    *members(
        "synapse.server", "HomeServer", "get_instance_name", "get_reactor", "get_replication_client"
    ),
    Needed("synapse.http.client", "ReplicationClient.get_raw", ("uri",)),
    Needed("synapse.config.workers", "WriterLocations", ("device_lists", "events")),
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PATIENCE = 2  # seconds that an answer to "are you there?" may take
_GOOD_FOR = 1  # seconds that nobody asks again after a yes; a no is never remembered
_LOOK_EVERY = 1  # seconds
_LONGEST = 15  # seconds that anything may take of one that answers the question, and only that


class Away(Exception):
    """A process that this one needs does not answer; the message names it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the process {name} does not answer")


def needed_writers(writers: Sequence[str], here: str) -> tuple[str, ...]:
    """Return the writers of device lists that must be there before a process may change one.

    A writer writes by itself, and has the first of them wake up who tells other homeservers. Any
    other process asks one of them at random, so that each must be there (`DeviceHandler`,
    `DeviceWriterHandler`).
    """
    return (writers[0],) if here in writers else tuple(writers)


class Colleagues:
    """The other processes of this homeserver."""

    def __init__(self, hs: HomeServer) -> None:
        self._hs = hs
        self._reactor: Any = hs.get_reactor()
        self._said_yes: dict[str, float] = {}
        # Who writes the lists of devices, and who deletes pushers.
        lists = needed_writers(hs.config.worker.writers.device_lists, hs.get_instance_name())
        self.for_new_devices = self._others(*lists)
        self.for_old_devices = self._others(*lists, MAIN_PROCESS_INSTANCE_NAME)
        self.for_profiles = self._others(hs.config.worker.writers.events[0])

    def _others(self, *names: str) -> tuple[str, ...]:
        return tuple(sorted(set(names) - {self._hs.get_instance_name()}))

    async def expect(self, names: tuple[str, ...], *, afresh: bool = False) -> None:
        """Raise `Away` unless all of these are there, or unless `afresh` were a moment ago."""
        for name in names:
            if (
                afresh
                or not 0 <= self._reactor.seconds() - self._said_yes.get(name, -1e9) < _GOOD_FOR
            ):
                await self._ask(name)

    async def work_with(self, names: tuple[str, ...], do: Callable[[], Awaitable[T]]) -> T:
        """Do what needs these for as long as they are there; else raise `Away`, halfway perhaps."""
        if not names:
            return await do()
        outcome: list[Any] = []
        doing = run_in_background(do)
        doing.addBoth(outcome.append)
        until = self._reactor.seconds() + _LONGEST
        try:
            while not outcome:
                await self._pause(doing)
                if not outcome:
                    for name in names:
                        await self._ask(name)
                    if self._reactor.seconds() > until:
                        raise Away(" and ".join(names))
        except Away:
            # What it does in the database is finished; what it waits for is given up.
            with PreserveLoggingContext():
                doing.cancel()
            raise
        if isinstance(outcome[0], Failure):
            outcome[0].raiseException()
        done: T = outcome[0]
        return done

    async def _ask(self, name: str) -> None:
        asked = run_in_background(
            self._hs.get_replication_client().get_raw, f"synapse-replication://{name}/health"
        )
        asked.addTimeout(_PATIENCE, self._reactor)
        try:
            await make_deferred_yieldable(asked)
        except HttpResponseException:
            pass  # whatever it says, it is there
        except Exception as error:
            self._said_yes.pop(name, None)
            logger.warning("The process %s does not answer: %r", name, error)
            raise Away(name) from error
        self._said_yes[name] = self._reactor.seconds()

    async def _pause(self, doing: "Deferred[Any]") -> None:
        """Wait until it is done, or for a moment."""
        over: Deferred[None] = Deferred()
        timer = self._reactor.callLater(_LOOK_EVERY, over.callback, None)

        def woken(result: Any) -> Any:
            if timer.active():
                timer.cancel()
                over.callback(None)
            return result

        doing.addBoth(woken)
        await make_deferred_yieldable(over)
