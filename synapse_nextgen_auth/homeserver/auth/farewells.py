"""One line of the log for each session that ended, whatever ended it."""

import logging
from collections.abc import Collection

from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.homeserver import background
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.oauth.wording import logged

logger = logging.getLogger(__name__)


class Farewells:
    """Writes the lines in the background: what ends a session does not wait for them."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver

    def watch(self) -> None:
        """Hear of every session that ends on this process."""
        self._homeserver.when_sessions_end(self._ended)

    def _ended(self, session_ids: Collection[str]) -> None:
        background.begin(self._homeserver.hs, Background.FAREWELLS, self._tell, tuple(session_ids))

    async def _tell(self, session_ids: tuple[str, ...]) -> None:
        try:
            found = await self._homeserver.run(end_session.list_by_id, session_ids)
        except self._homeserver.database_errors:
            logger.warning("Could not look up what ended: %s", ", ".join(session_ids))
            return
        for session in found:
            logger.info(
                "Session %s ended: %s, client %s, account %s, device %s, address %s",
                session.session_id,
                session.end_reason,
                session.client_id,
                session.user_id,
                logged(session.device_id, 255),
                logged(session.address, 64),
            )
