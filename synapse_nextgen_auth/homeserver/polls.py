"""When devices polled last, remembered per process so that polling writes nothing (RFC 8628)."""

from synapse_nextgen_auth.homeserver.api import Homeserver

# A client that waits exactly the interval must never be too early because of a jitter (seconds).
_TOLERANCE = 0.5
_MAX = 50_000


class Polls:
    """The last polls that this process saw."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._clock = homeserver.hs.get_clock()
        self._last: dict[str, float] = {}

    def is_too_fast(self, grant_id: str, *, interval: int) -> bool:
        """Note a poll; say whether it came before the interval was over."""
        now = self._clock.time_msec() / 1000
        last = self._last.get(grant_id)
        if len(self._last) >= _MAX:
            self._last.clear()
        self._last[grant_id] = now
        return last is not None and now - last < interval - _TOLERANCE
