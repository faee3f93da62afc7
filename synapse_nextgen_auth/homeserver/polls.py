"""When devices polled last, remembered in memory so that polling writes no row (RFC 8628).

Workers share it through their Redis; without Redis there is one process only.
"""

import logging

from synapse_nextgen_auth.homeserver.api import Homeserver

logger = logging.getLogger(__name__)

# A client that waits exactly the interval must never be too early because of a jitter (seconds).
_TOLERANCE = 0.5
_MAX = 50_000
_NAME = "nextgen_polls"


class Polls:
    """The last polls that this process saw, and those that the others saw."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._clock = homeserver.hs.get_clock()
        self._shared = homeserver.hs.get_external_cache()
        self._last: dict[str, float] = {}

    async def is_too_fast(self, grant_id: str, *, interval: int) -> bool:
        """Note a poll; say whether it came before the interval was over."""
        pause = interval - _TOLERANCE
        here = self._was_here(grant_id, pause)
        return await self._was_elsewhere(grant_id, pause) or here

    def _was_here(self, grant_id: str, pause: float) -> bool:
        now = self._clock.time_msec() / 1000
        last = self._last.get(grant_id)
        if len(self._last) >= _MAX:
            self._last.clear()
        self._last[grant_id] = now
        return last is not None and now - last < pause

    async def _was_elsewhere(self, grant_id: str, pause: float) -> bool:
        """Ask what the workers share: a key that lives for the pause, whatever their clocks say."""
        if not self._shared.is_enabled():
            return False
        try:
            found = await self._shared.get(_NAME, grant_id)
            await self._shared.set(_NAME, grant_id, 1, expiry_ms=int(pause * 1000))
        except Exception:
            # Redis is away: a device that polls too fast does no harm until it is back.
            logger.debug("Could not share a poll", exc_info=True)
            return False
        return found is not None
