"""What the schema takes while the homeserver runs: indexes on large tables, and backfills.

Nothing waits for them; they are done once, by the process that runs Synapse's background tasks.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from synapse.logging.context import defer_to_thread
from synapse.storage.engines import PostgresEngine

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.database import schema
from synapse_nextgen_auth.homeserver.startup.needed import members
from synapse_nextgen_auth.store import migrations
from synapse_nextgen_auth.store.steps import Backfill, Index

NEEDS = (*members("synapse.server", "HomeServer", "get_clock", "get_reactor"),)

logger = logging.getLogger(__name__)


class LaterSteps:
    """Does what is left of the schema; `rest(began)` is the pause after each bite."""

    def __init__(self, homeserver: Homeserver, rest: Callable[[int], Awaitable[None]]) -> None:
        self._homeserver = homeserver
        self._rest = rest
        self._clock = homeserver.hs.get_clock()
        self._is_done = False

    async def run(self) -> None:
        """Do all that is left, in order; what fails is tried again the next time."""
        if self._is_done:
            return
        for step in await self._homeserver.read(migrations.later, migrations.known()):
            logger.info("Step %d of the tables: %s begins", step.version, step.name)
            if isinstance(step, Backfill):
                changed = await self._fill(step)
                logger.info("Step %d of the tables: %s rows filled", step.version, changed)
            elif not await self._build(step):
                logger.info(
                    "Step %d of the tables: %s is under way elsewhere", step.version, step.name
                )
                return
            await self._homeserver.run(migrations.done, step, now=self._homeserver.now())
            logger.info("Step %d of the tables: %s is done", step.version, step.name)
        self._is_done = True

    async def _fill(self, backfill: Backfill) -> int:
        total = 0
        while True:
            began = int(self._clock.time_msec())
            changed = await self._homeserver.run(backfill.bite)
            if not changed:
                return total
            total += changed
            await self._rest(began)

    async def _build(self, index: Index) -> bool:
        hs = self._homeserver.hs
        if not isinstance(self._homeserver.store.database_engine, PostgresEngine):
            await self._homeserver.run(index.apply, is_postgres=False)
            return True
        # Synapse waits for its threads before it ends.
        interrupts: list[Callable[[], None]] = []
        reactor = cast("Any", hs.get_reactor())
        reactor.addSystemEventTrigger("before", "shutdown", _call, interrupts)
        try:
            return await defer_to_thread(
                reactor, schema.build, hs, index, when_begun=interrupts.append
            )
        finally:
            interrupts.clear()


def _call(interrupts: list[Callable[[], None]]) -> None:
    for interrupt in interrupts:
        interrupt()
