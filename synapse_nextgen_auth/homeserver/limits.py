"""Rate limits of our own, counted by Synapse's limiter."""

from synapse.api.errors import LimitExceededError
from synapse.api.ratelimiting import Ratelimiter
from synapse.config.ratelimiting import RatelimitSettings

from synapse_nextgen_auth.homeserver.api import Homeserver


class Limiter:
    """Counts actions of one kind per network address, on this process."""

    def __init__(self, homeserver: Homeserver, name: str, *, per_second: float, burst: int) -> None:
        settings = RatelimitSettings(key=name, per_second=per_second, burst_count=burst)
        self._limiter = Ratelimiter(
            store=homeserver.store, clock=homeserver.hs.get_clock(), cfg=settings
        )

    async def count(self, address: str) -> int | None:
        """Count one action; return for how many seconds to wait if that was one too many."""
        try:
            await self._limiter.ratelimit(None, address)
        except LimitExceededError as error:
            return max(1, -(-(error.retry_after_ms or 1000) // 1000))
        return None
