"""What password providers want to be called with when somebody signed in (Synapse's `check_auth`).

A provider returns a function together with its "yes", for when device and token exist. Here the
password is typed into a page and the session begins later, maybe on another process. So the function
waits where the password was checked, and the process where the session begins says so to all.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from synapse_nextgen_auth.homeserver import background
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.database import news
from synapse_nextgen_auth.homeserver.live import UnknownSession
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.oauth.tokens.session_tokens import surrogate
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.txn import Txn

NEEDS = (
    Needed(
        "synapse.storage.databases.main",
        "DataStore.register_external_cached_function",
        ("cache_name", "func"),
    ),
    *members("synapse.server", "HomeServer", "get_auth_handler"),
)

logger = logging.getLogger(__name__)

Callback = Callable[[Any], Awaitable[None]]

# As long as a grant lives; who signs in and goes to no application calls nothing.
_LIFETIME = 3600
_MAX_KEPT = 1000
# Between the check of a password and the sign-in of the browser that follows it lies this at most.
_NEAR = 60


@frozen
class _Kept:
    user_id: str
    callback: Callback | None
    at: int


class LoginCallbacks:
    """The functions that wait on this process; a restart forgets them."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver
        self._store = homeserver.store
        self._kept: list[_Kept] = []
        # News between processes travel as invalidations of caches; this is none, and hears them.
        hears: Any = self
        self._store.register_external_cached_function(news.SESSION_BEGUN, hears)

    def keep(self, user_id: str, callback: Callback | None) -> None:
        """Let a function wait for the session that the sign-in leads to.

        A sign-in with none is only worth knowing where an earlier one of the account has one.
        """
        if callback is None and all(kept.user_id != user_id for kept in self._kept):
            return
        now = self._homeserver.now()
        living = [kept for kept in self._kept if now - _LIFETIME <= kept.at <= now]
        self._kept = [*living[-_MAX_KEPT + 1 :], _Kept(user_id, callback, now)]

    def begun(self, session: Session) -> None:
        """Call what waits for a session that began on this process, here or elsewhere."""
        background.begin(self._homeserver.hs, Background.LOGIN_CALLBACK, self._begun, session)

    def invalidate(self, key: tuple[str, ...]) -> None:
        """Hear that a session began on another process."""
        if self._kept:
            background.begin(self._homeserver.hs, Background.LOGIN_CALLBACK, self._heard, key[0])

    def invalidate_all(self) -> None:
        """Do nothing; Synapse wants every cache to have this."""

    async def _begun(self, session: Session) -> None:
        if not await self._call(session) and self._has_providers:
            try:
                await self._homeserver.run(self._tell, session.session_id)
            except self._homeserver.database_errors:
                logger.warning("Could not tell that session %s began", session.session_id)

    def _tell(self, txn: Txn, session_id: str) -> None:
        news.tell(self._store, txn.cursor, news.SESSION_BEGUN, [session_id])

    async def _heard(self, session_id: str) -> None:
        try:
            session = await self._homeserver.live.find(session_id)
        except UnknownSession:
            return
        await self._call(session)

    async def _call(self, session: Session) -> bool:
        """Call the function that waits for this session, if it waits here; say whether it did."""
        kept = self._take(session)
        if kept is None:
            return False
        if kept.callback is None:
            return True
        try:
            await kept.callback(
                {
                    "user_id": session.user_id,
                    "device_id": session.device_id,
                    "home_server": self._homeserver.server_name,
                    # Never the token itself: a module would have all of its power.
                    "access_token": surrogate(session.session_id),
                }
            )
        except Exception:
            logger.exception("The login callback of a password provider failed")
        return True

    def _take(self, session: Session) -> _Kept | None:
        """Return what was kept for the sign-in that this session came from, once."""
        since = session.auth_time - _NEAR
        for kept in reversed(self._kept):
            if kept.user_id == session.user_id and since <= kept.at <= session.auth_time:
                self._kept.remove(kept)
                return kept
        return None

    @property
    def _has_providers(self) -> bool:
        providers = self._homeserver.hs.get_auth_handler().password_auth_provider
        return bool(providers.auth_checker_callbacks or providers.check_3pid_auth_callbacks)
