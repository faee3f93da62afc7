"""The background chores of one process: sweeping and key rotation, in small bites with pauses."""

import logging
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from synapse.util.duration import Duration

from synapse_nextgen_auth.accounts.browsers import BrowserLimits
from synapse_nextgen_auth.flows import housekeeping as flow
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.signing import Signing
from synapse_nextgen_auth.store import sessions, sweep
from synapse_nextgen_auth.store.txn import Txn

logger = logging.getLogger(__name__)

P = ParamSpec("P")

_PAUSE = Duration(milliseconds=200)
_EVERY = Duration(minutes=10)
_STRAYS_EVERY = Duration(hours=24)


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
        # A process that died may be why this one starts.
        hs.get_clock().looping_call(self._start_strays, _STRAYS_EVERY)
        hs.get_clock().call_when_running(self._start_strays)

    def _start_round(self) -> None:
        self._homeserver.hs.run_as_background_process("nextgen_housekeeping", self.round)

    def _start_strays(self) -> None:
        self._homeserver.hs.run_as_background_process("nextgen_strays", self.end_strays)

    async def end_strays(self) -> None:
        """Look through all sessions, a bite at a time, for those that a dead process left behind."""
        after: str | None = ""
        try:
            while after is not None:
                now = self._homeserver.now()
                after = await self._homeserver.transact(flow.end_strays, after=after, now=now)
                await self._homeserver.hs.get_clock().sleep(_PAUSE)
        except Exception:
            logger.warning("Could not look for stray sessions to the end", exc_info=True)

    async def round(self) -> None:
        """Do every chore once."""
        try:
            await self._signing.rotate()
            now = self._homeserver.now()
            for kind in sweep.KINDS:
                await self._drain(kind, sweep.stale, kind=kind, now=now)
            browsers_since = now - self._browsers.idle
            await self._drain("idle browsers", sweep.idle_browsers, idle_since=browsers_since)
            clients_since = now - self._unused_clients_after
            await self._drain(
                "unused clients", sweep.unused_clients, unused_since=clients_since, now=now
            )
            living = await self._homeserver.query(sessions.count_living)
            self._homeserver.metrics.sessions_living(living)
        except Exception:
            logger.warning("Housekeeping failed, the next round tries again", exc_info=True)

    async def _drain(
        self, name: str, bite: Callable[Concatenate[Txn, P], int], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Delete bite by bite, with pauses in which others get at the tables."""
        gone = sweep.BITE
        while gone == sweep.BITE:
            gone = await self._homeserver.query(bite, *args, **kwargs)
            self._homeserver.metrics.swept(name, gone)
            await self._homeserver.hs.get_clock().sleep(_PAUSE)
