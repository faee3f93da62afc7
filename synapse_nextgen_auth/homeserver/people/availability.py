"""Whether a name is free, for somebody who is about to choose one.

It tells no more than stock's `/register/available`, and no faster.
"""

import secrets

from synapse.api.errors import Codes, SynapseError
from synapse.api.ratelimiting import Ratelimiter
from synapse.config.ratelimiting import RatelimitSettings

from synapse_nextgen_auth.accounts import new_names
from synapse_nextgen_auth.accounts.new_names import Availability
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.networks import network

NEEDS = (
    Needed(
        "synapse.handlers.register",
        "RegistrationHandler.check_username",
        ("localpart", "inhibit_user_in_use_error"),
    ),
    Needed(
        "synapse.config.ratelimiting", "RatelimitSettings", ("key", "per_second", "burst_count")
    ),
    Needed("synapse.api.ratelimiting", "Ratelimiter.__init__", ("store", "clock", "cfg")),
    Needed("synapse.api.ratelimiting", "Ratelimiter.can_do_action", ("requester", "key")),
    *members("synapse.server", "HomeServer", "get_clock", "get_registration_handler"),
)

# What stock answers of one address without making it wait, and as many more as somebody types in a
# minute who cannot make up their mind.
_PER_SECOND, _BURST = 0.5, 30
_SUGGESTIONS, _TRIES = 3, 6
_OF_CODES: dict[str, Availability] = {
    Codes.USER_IN_USE: Availability.TAKEN,
    Codes.EXCLUSIVE: Availability.RESERVED,
}


class Names:
    """The names that accounts have here, as far as strangers may know."""

    def __init__(self, homeserver: Homeserver) -> None:
        hs = homeserver.hs
        self._clock = hs.get_clock()
        self._registration_handler = hs.get_registration_handler()
        self._tells = not hs.config.registration.inhibit_user_in_use_error
        # In memory of this process, as stock's: a look writes nothing.
        self._limiter = Ratelimiter(
            store=homeserver.store,
            clock=self._clock,
            cfg=RatelimitSettings("nextgen_availability", _PER_SECOND, _BURST),
        )

    async def wait(self, address: str) -> int | None:
        """Count one question; return for how many seconds to wait if that was one too many."""
        allowed, after = await self._limiter.can_do_action(None, key=network(address))
        if allowed:
            return None
        return max(1, int(after - self._clock.time()) + 1)

    async def look(self, localpart: str) -> Availability:
        """Say whether somebody can be called that."""
        try:
            await self._registration_handler.check_username(
                localpart, inhibit_user_in_use_error=not self._tells
            )
        except SynapseError as error:
            return _OF_CODES.get(error.errcode, Availability.INVALID)
        return Availability.AVAILABLE if self._tells else Availability.UNKNOWN

    async def suggest(self, localpart: str) -> tuple[str, ...]:
        """Return a few names like a taken one that are free; nothing where that is not told."""
        if not self._tells:
            return ()
        found: list[str] = []
        some = range(new_names.FEWEST, new_names.MOST + 1)
        numbers = secrets.SystemRandom().sample(some, _TRIES)
        for name in new_names.near(localpart, numbers):
            if await self.look(name) is Availability.AVAILABLE:
                found.append(name)
            if len(found) == _SUGGESTIONS:
                break
        return tuple(found)
