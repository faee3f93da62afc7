"""Hearing that a provider ended a sign-in of its own, where Synapse hears it.

Synapse does what it does for legacy devices first; then the browsers that signed in there are signed
out, and what began in them is ended as the operator wants it.
"""

import logging
from typing import TYPE_CHECKING, Any

from synapse_nextgen_auth import late
from synapse_nextgen_auth.config import ProviderLogout
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.devices.matrix_devices import Devices
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.sessions import End

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows import provider_logout
    from synapse_nextgen_auth.homeserver.people.providers import statements
else:
    provider_logout, statements = late.files(
        "flows.provider_logout",
        "homeserver.people.providers.statements",
    )

NEEDS = (
    Needed(
        "synapse.handlers.sso",
        "SsoHandler.revoke_sessions_for_provider_session_id",
        ("auth_provider_id", "auth_provider_session_id", "expected_user_id"),
    ),
    *members("synapse.server", "HomeServer", "get_sso_handler"),
)

logger = logging.getLogger(__name__)

_WHY = {
    ProviderLogout.SOFT: End.PROVIDER,
    ProviderLogout.DELETE: End.LOGOUT,
    ProviderLogout.IGNORE: None,
}


class ProviderLogouts:
    """What becomes of sign-ins that their provider ends."""

    def __init__(self, homeserver: Homeserver, devices: Devices, option: ProviderLogout) -> None:
        self._homeserver = homeserver
        self._devices = devices
        self._option = option

    def watch(self) -> None:
        """Listen from now on."""
        sso = self._homeserver.hs.get_sso_handler()
        patches.after(sso, "revoke_sessions_for_provider_session_id", self._ended)

    async def _ended(
        self,
        _result: Any,
        auth_provider_id: str,
        auth_provider_session_id: str,
        expected_user_id: str | None = None,
    ) -> None:
        if statements.session(auth_provider_session_id) is None:
            return  # no sign-in was ever kept under such a name
        ended = provider_logout.Ended(auth_provider_id, auth_provider_session_id, expected_user_id)
        over = await self._homeserver.run(
            provider_logout.end, ended, why=_WHY[self._option], now=self._homeserver.now()
        )
        logger.info("Provider %s ended a sign-in; sessions over: %d", auth_provider_id, len(over))
        if self._option is not ProviderLogout.DELETE:
            return
        for session in over:
            if session.device_id is not None:
                await self._devices.remove(session.user_id, session.device_id, is_over=True)
