"""The background chores of one process: sweeping and key rotation, in small bites with pauses."""

import logging
from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec

from synapse.util.duration import Duration

from synapse_nextgen_auth.accounts.browsers import BrowserLimits
from synapse_nextgen_auth.flows import housekeeping as flow
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.signing import Signing
from synapse_nextgen_auth.store import sweep
from synapse_nextgen_auth.store.txn import Txn

logger = logging.getLogger(__name__)

P = ParamSpec("P")

_EVERY = Duration(minutes=10)
_STRAYS_EVERY = Duration(hours=1)
# After each bite others get at the tables for four times as long as it took, so that the chores take
# a fifth of one connection's time at most: more on a fast database, less on one that is busy.
_SHARE = 4
_SHORTEST_PAUSE, _LONGEST_PAUSE = 20, 5000  # milliseconds


class Housekeeping:
    """What the process that runs Synapse's background tasks does for us."""

    def __init__(
        self,
        homeserver: Homeserver,
        signing: Signing,
        *,
        browsers: BrowserLimits,
        unused_clients_after: int,
        idle_without_device: int | None,
    ) -> None:
        self._homeserver = homeserver
        self._signing = signing
        self._browsers = browsers
        self._unused_clients_after = unused_clients_after
        self._idle_without_device = idle_without_device
        self._clock = homeserver.hs.get_clock()
        self._under_way: set[str] = set()

    def start(self) -> None:
        """Begin, if this is the process for background tasks."""
        hs = self._homeserver.hs
        if not hs.config.worker.run_background_tasks:
            return
        self._clock.looping_call(self._start_round, _EVERY)
        self._clock.call_when_running(self._start_round)
        # A process that died may be why this one starts.
        self._clock.looping_call(self._start_strays, _STRAYS_EVERY)
        self._clock.call_when_running(self._start_strays)

    def _start_round(self) -> None:
        self._start("nextgen_housekeeping", self.round)

    def _start_strays(self) -> None:
        self._start("nextgen_strays", self.end_strays)

    def _start(self, name: str, chore: Callable[[], Awaitable[None]]) -> None:
        """Begin a chore unless the last time is still under way."""
        if name not in self._under_way:
            self._under_way.add(name)
            self._homeserver.hs.run_as_background_process(name, self._do, name, chore)

    async def _do(self, name: str, chore: Callable[[], Awaitable[None]]) -> None:
        try:
            await chore()
        except Exception:
            logger.warning("Chore %s failed, the next time tries again", name, exc_info=True)
        finally:
            self._under_way.discard(name)

    async def end_strays(self) -> None:
        """Look through all sessions for those that nobody comes back to; count the others."""
        after: str | None = ""
        living = 0
        while after is not None:
            began, now = self._clock.time_msec(), self._homeserver.now()
            bite = await self._homeserver.transact(
                flow.end_strays, after=after, now=now, idle_limit=self._idle_without_device
            )
            after, living = bite.until, living + bite.living
            await self._rest(began)
        self._homeserver.metrics.sessions_living(living)

    async def round(self) -> None:
        """Do every chore once."""
        await self._signing.rotate()
        now = self._homeserver.now()
        for kind in sweep.KINDS:
            await self._drain(kind, sweep.stale, kind=kind, now=now)
        browsers_since = now - self._browsers.idle
        await self._drain("idle browsers", sweep.idle_browsers, idle_since=browsers_since)
        await self._drain_clients(now - self._unused_clients_after, now)

    async def _drain(
        self, name: str, bite: Callable[Concatenate[Txn, P], int], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Delete bite by bite, with pauses in which others get at the tables."""
        gone = sweep.BITE
        while gone == sweep.BITE:
            began = self._clock.time_msec()
            gone = await self._homeserver.query(bite, *args, **kwargs)
            self._homeserver.metrics.swept(name, gone)
            await self._rest(began)

    async def _drain_clients(self, unused_since: int, now: int) -> None:
        looked_at = sweep.BITE
        while looked_at == sweep.BITE:
            began = self._clock.time_msec()
            looked_at, gone = await self._homeserver.query(
                sweep.unused_clients, unused_since=unused_since, now=now
            )
            self._homeserver.metrics.swept("unused clients", gone)
            await self._rest(began)

    async def _rest(self, began: int) -> None:
        took = int(self._clock.time_msec()) - began
        pause = min(max(_SHORTEST_PAUSE, _SHARE * took), _LONGEST_PAUSE)
        await self._clock.sleep(Duration(milliseconds=pause))
