"""Pushers go with the session that set them, also where its device stays.

Synapse deletes them with the device. When a session ends and the device stays for the person to come
back to, a pusher would go on telling whoever set it what is said in rooms without encryption.
"""

import logging
from collections.abc import Collection
from functools import partial

from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.homeserver import background
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.patience import insist
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.sessions import DEVICE_STAYS, Session, is_left_behind
from synapse_nextgen_auth.store import sessions

NEEDS = (
    *members("synapse.server", "HomeServer", "get_clock", "get_pusherpool"),
    Needed("synapse.push.pusherpool", "PusherPool.remove_pusher", ("app_id", "pushkey", "user_id")),
    Needed("synapse.storage.databases.main", "DataStore.get_pushers_by_user_id", ("user_id",)),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.get_pushers_by_app_id_and_pushkey",
        ("app_id", "pushkey"),
    ),
)

logger = logging.getLogger(__name__)


class Pushers:
    """What the end of a session does to the pushers of its device."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver
        self._clock = homeserver.hs.get_clock()

    def watch(self) -> None:
        """Hear of every session that ends on this process."""
        self._homeserver.when_sessions_end(self._ended)

    def _ended(self, session_ids: Collection[str]) -> None:
        """Begin in the background: no refusal waits for it.

        What a request on its way sets after this is undone by that request (`closed_endpoints.py`).
        """
        background.begin(
            self._homeserver.hs,
            Background.PUSHERS,
            self._remove_all,
            tuple(session_ids),
            self._clock.time_msec(),
        )

    async def _remove_all(self, session_ids: Collection[str], ended: int) -> None:
        for session_id in session_ids:
            await self._remove(session_id, ended)

    async def _remove(self, session_id: str, ended: int) -> None:
        """Remove them, also where the main process or the database is away."""

        def told() -> None:
            logger.warning(
                "Could not remove the pushers of session %s yet",
                session_id,
                exc_info=True,  # noqa: LOG014 (called while the failure is handled)
            )

        if not await insist(
            self._homeserver, partial(self._try, session_id, ended), on_first_failure=told
        ):
            logger.error("Gave up removing the pushers of session %s", session_id)

    async def _try(self, session_id: str, ended: int) -> None:
        session: Session | None = await self._homeserver.read(sessions.get, session_id)
        if session is None or session.device_id is None or session.end_reason not in DEVICE_STAYS:
            return
        pool, store = self._homeserver.hs.get_pusherpool(), self._homeserver.store
        # First what there is, then who has the device: nobody else can have set it before.
        found = list(await store.get_pushers_by_user_id(session.user_id))
        since = await self._homeserver.run(end_session.taken_over_since, session)
        now = self._homeserver.now()
        for pusher in found:
            if pusher.device_id != session.device_id:
                continue
            if is_left_behind(pusher.ts, since=since, ended=ended, now=now):
                again = await store.get_pushers_by_app_id_and_pushkey(pusher.app_id, pusher.pushkey)
                if any(one.id == pusher.id for one in again):  # else it was set anew meanwhile
                    await pool.remove_pusher(pusher.app_id, pusher.pushkey, session.user_id)
