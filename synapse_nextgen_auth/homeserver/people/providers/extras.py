"""What a mapping says beside the account (`get_extra_attributes`), for whoever asks `/login` then.

Synapse keeps it in the memory of the process that heard it, for two minutes: so do we, but for as long
as people may take on our pages before the client asks.
"""

from collections.abc import Mapping
from typing import Any

from synapse.handlers.auth import SsoLoginExtraAttributes

from synapse_nextgen_auth.homeserver.startup.needed import members

NEEDS = (*members("synapse.server", "HomeServer", "get_auth_handler", "get_clock"),)

# An attempt's hour, less what Synapse gives by itself; in milliseconds.
_LONGER = 58 * 60 * 1000


class Extras:
    """What the clients of a homeserver are told beside their tokens."""

    def __init__(self, hs: Any) -> None:
        self._hs = hs

    def keep(self, user_id: str, said: Mapping[str, Any] | None) -> None:
        """Keep what was said last of somebody, in place of what was said before."""
        if not said:
            return
        kept = SsoLoginExtraAttributes(self._hs.get_clock().time_msec() + _LONGER, dict(said))
        self._hs.get_auth_handler()._extra_attributes[user_id] = kept  # noqa: SLF001
