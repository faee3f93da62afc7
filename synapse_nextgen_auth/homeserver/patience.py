"""Doing in the background what another process or the database keeps from being done now."""

import logging
from collections.abc import Awaitable, Callable

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup import versions
from synapse_nextgen_auth.homeserver.startup.needed import members

NEEDS = (*members("synapse.server", "HomeServer", "get_clock"),)

logger = logging.getLogger(__name__)

# First after a second, then once a minute, for a day. A process that stops meanwhile forgets it.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1, 60  # seconds
_TRIES = 24 * 60


async def insist(
    homeserver: Homeserver,
    attempt: Callable[[], Awaitable[None]],
    *,
    on_first_failure: Callable[[], None] = lambda: None,
) -> bool:
    """Try until it works; say whether it did. What an attempt did stays so."""
    clock = homeserver.hs.get_clock()
    pause = _SHORTEST_PAUSE
    for number in range(_TRIES):
        try:
            await attempt()
        except Exception:  # noqa: BLE001 (whatever is wrong, it may pass)
            if number == 0:
                on_first_failure()
            await versions.pause(clock, seconds=pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        else:
            return True
    return False
