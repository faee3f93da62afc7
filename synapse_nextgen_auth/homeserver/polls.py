"""When devices polled last, kept out of the database so that polling writes nothing (RFC 8628).

Each process remembers what it saw. Where there are several, they share it through Synapse's Redis; as
long as that does not answer, each relies on itself.
"""

from typing import Any

from synapse.logging.context import make_deferred_yieldable
from twisted.internet.defer import Deferred

from synapse_nextgen_auth.homeserver.api import Homeserver

# A client that waits exactly the interval must never be too early because of a jitter (seconds).
_TOLERANCE = 0.5
_MAX = 50_000
# How long a poll waits for Redis, and how long nobody asks it after it did not answer (seconds).
_PATIENCE = 0.5
_PAUSE = 10


class Polls:
    """The last polls of devices that wait."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._hs = homeserver.hs
        self._last: dict[str, float] = {}
        self._failed_at = -float(_PAUSE)

    async def is_too_fast(self, grant_id: str, *, interval: int) -> bool:
        """Note a poll; say whether it came before the interval was over."""
        seconds = interval - _TOLERANCE
        if self._is_too_fast_here(grant_id, seconds):
            return True
        return await self._is_too_fast_elsewhere(grant_id, seconds)

    def _is_too_fast_here(self, grant_id: str, seconds: float) -> bool:
        now = self._now()
        last = self._last.pop(grant_id, None)
        if len(self._last) >= _MAX:
            del self._last[next(iter(self._last))]  # the one that polled longest ago
        self._last[grant_id] = now
        return last is not None and 0 <= now - last < seconds

    async def _is_too_fast_elsewhere(self, grant_id: str, seconds: float) -> bool:
        """Set a key that lives as long as the interval; it is there already after a hasty poll."""
        if not self._hs.config.redis.redis_enabled or 0 <= self._now() - self._failed_at < _PAUSE:
            return False
        # Made late: Synapse may become a daemon after modules are loaded, and then connects anew.
        redis: Any = self._hs.get_outbound_redis_connection()
        try:
            is_set = await self._answer_of(
                redis.set(
                    f"synapse_nextgen_auth:poll:{grant_id}",
                    "1",
                    pexpire=int(seconds * 1000),
                    only_if_not_exists=True,
                )
            )
        except Exception:  # noqa: BLE001 (whatever is wrong with Redis, devices sign in)
            self._failed_at = self._now()
            return False
        return is_set is None

    async def _answer_of(self, asked: "Deferred[Any]") -> object:
        """Wait for Redis, but not for long; a late answer is nobody's any more."""
        answer: Deferred[object] = Deferred()
        asked.addBoth(lambda said: None if answer.called else answer.callback(said))
        answer.addTimeout(_PATIENCE, self._hs.get_reactor())
        return await make_deferred_yieldable(answer)

    def _now(self) -> float:
        return self._hs.get_clock().time_msec() / 1000
