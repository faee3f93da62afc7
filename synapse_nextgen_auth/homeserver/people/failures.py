"""Failed sign-ins, collected in memory and written in batches after their answers.

An attempt at a known account takes no longer than one at an unknown one, which has nothing to write
(C227). What waits is written within about a second, and before the process stops.
"""

import logging

from synapse.util.async_helpers import Linearizer

from synapse_nextgen_auth.flows import sign_in
from synapse_nextgen_auth.flows.sign_in import Failure
from synapse_nextgen_auth.homeserver import background
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.startup import versions
from synapse_nextgen_auth.homeserver.startup.needed import members
from synapse_nextgen_auth.oauth.events import in_order
from synapse_nextgen_auth.secret import random_id

NEEDS = (*members("synapse.server", "HomeServer", "get_clock"),)

logger = logging.getLogger(__name__)

_EVERY = 1  # seconds
_BATCH = 200
# More than the password checks of an hour, which are slow and limited.
_MAX_WAITING = 10_000


class Failures:
    """The failures that this process did not write down yet."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver
        self._waiting: list[Failure] = []
        self._clock = clock = homeserver.hs.get_clock()
        # The last one, before the process stops, waits for the one that is under way.
        self._flushes = Linearizer(name="nextgen_failed_sign_ins", clock=clock)
        versions.call_every(clock, self._start_flush, seconds=_EVERY)
        homeserver.drain.at_last(self.flush)

    def note(self, user_id: str, address: str) -> None:
        """Note that somebody tried a wrong password on this account."""
        if len(self._waiting) < _MAX_WAITING:
            now = self._homeserver.now()
            event_id = in_order(random_id(), at=int(self._clock.time_msec()))
            self._waiting.append(Failure(user_id, now, address, event_id))

    def _start_flush(self) -> None:
        if self._waiting:
            background.begin(self._homeserver.hs, Background.FAILED_SIGN_INS, self.flush)

    async def flush(self) -> None:
        """Write down what waits; what cannot be written now waits on."""
        async with self._flushes.queue(()):
            await self._write()

    async def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        while waiting:
            batch, waiting = tuple(waiting[:_BATCH]), waiting[_BATCH:]
            try:
                await self._homeserver.run(sign_in.fail, batch)
            except Exception:
                logger.warning("Could not note failed sign-ins yet", exc_info=True)
                self._waiting = [*batch, *waiting, *self._waiting]
                return
