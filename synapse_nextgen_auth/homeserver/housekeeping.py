"""The background chores of one process: sweeping and key rotation, in small bites with pauses."""

import logging

from synapse.util.duration import Duration

from synapse_nextgen_auth.accounts.browsers import BrowserLimits
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.signing import Signing
from synapse_nextgen_auth.store import sweep

logger = logging.getLogger(__name__)

_PAUSE = Duration(milliseconds=200)
_EVERY = Duration(minutes=10)


class Housekeeping:
    """What the process that runs Synapse's background tasks does for us."""

    def __init__(
        self,
        homeserver: Homeserver,
        signing: Signing,
        *,
        browsers: BrowserLimits,
        unused_clients_after: int,
    ) -> None:
        self._homeserver = homeserver
        self._signing = signing
        self._browsers = browsers
        self._unused_clients_after = unused_clients_after

    def start(self) -> None:
        """Begin, if this is the process for background tasks."""
        hs = self._homeserver.hs
        if not hs.config.worker.run_background_tasks:
            return
        hs.get_clock().looping_call(self._start_round, _EVERY)
        hs.get_clock().call_when_running(self._start_round)

    def _start_round(self) -> None:
        self._homeserver.hs.run_as_background_process("nextgen_housekeeping", self.round)

    async def round(self) -> None:
        """Do every chore once."""
        try:
            await self._signing.rotate()
            for kind in sweep.KINDS:
                await self._drain(kind)
            await self._sweep_browsers()
            await self._sweep_clients()
        except Exception:
            logger.warning("Housekeeping failed, the next round tries again", exc_info=True)

    async def _drain(self, kind: str) -> None:
        now = self._homeserver.now()
        while await self._homeserver.query(sweep.stale, kind, now=now) == sweep.BITE:
            await self._pause()

    async def _sweep_browsers(self) -> None:
        idle_since = self._homeserver.now() - self._browsers.idle
        while (
            await self._homeserver.query(sweep.idle_browsers, idle_since=idle_since) == sweep.BITE
        ):
            await self._pause()

    async def _sweep_clients(self) -> None:
        now = self._homeserver.now()
        unused_since = now - self._unused_clients_after
        while (
            await self._homeserver.query(sweep.unused_clients, unused_since=unused_since, now=now)
            == sweep.BITE
        ):
            await self._pause()

    async def _pause(self) -> None:
        await self._homeserver.hs.get_clock().sleep(_PAUSE)
