"""Rate limits of our own: per network, over all processes, counted in the database."""

from collections import OrderedDict

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.oauth.networks import network
from synapse_nextgen_auth.oauth.rates import Rate
from synapse_nextgen_auth.store import throttle

# How many networks are remembered that have to wait; whoever is forgotten costs a query.
_MAX_REMEMBERED = 10_000


class Limiter:
    """Counts actions of one kind per network; whoever has to wait is refused from memory."""

    def __init__(self, homeserver: Homeserver, name: str, rate: Rate) -> None:
        self._homeserver = homeserver
        self._name = name
        self._rate = rate
        self._waiting: OrderedDict[str, tuple[int, int]] = OrderedDict()  # since, until

    async def count(self, address: str) -> int | None:
        """Count one action; return for how many seconds to wait if that was one too many."""
        key, now = f"{self._name} {network(address)}", self._homeserver.now()
        since, until = self._waiting.get(key, (0, 0))
        if since <= now < until:
            return until - now
        wait = await self._homeserver.settle(throttle.fill, key, self._rate, now=now)
        self._waiting.pop(key, None)
        if wait is not None:
            self._waiting[key] = (now, now + wait)
            if len(self._waiting) > _MAX_REMEMBERED:
                self._waiting.popitem(last=False)
        return wait
