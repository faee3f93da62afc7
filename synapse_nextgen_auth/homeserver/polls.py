"""When devices polled last, kept out of the database so that polling writes nothing (RFC 8628).

Each process remembers what it saw; one that finds a device too fast writes that down, and then it is
slow everywhere.
"""

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import members

NEEDS = (*members("synapse.server", "HomeServer", "get_clock"),)

# A client that waits exactly the interval must never be too early because of a jitter (seconds).
_TOLERANCE = 0.5
_MAX = 50_000


class Polls:
    """The last polls of devices that wait, as far as this process answered them."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._clock = homeserver.hs.get_clock()
        self._last: dict[str, float] = {}

    def is_too_fast(self, grant_id: str, *, interval: int) -> bool:
        """Note a poll; say whether it came before the interval (seconds) was over."""
        now = self._clock.time_msec() / 1000
        last = self._last.pop(grant_id, None)
        if len(self._last) >= _MAX:
            del self._last[next(iter(self._last))]  # the one that polled longest ago
        self._last[grant_id] = now
        return last is not None and 0 <= now - last < interval - _TOLERANCE
