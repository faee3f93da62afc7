"""Sessions as every request needs them: from memory, and forgotten everywhere when they end."""

from collections.abc import Awaitable, Callable, Collection, Iterable

from synapse.module_api import cached
from synapse.server import HomeServer

from synapse_nextgen_auth.homeserver.database import news
from synapse_nextgen_auth.homeserver.database.caches import recall
from synapse_nextgen_auth.homeserver.startup import versions
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.store.txn import Cursor

NEEDS = (
    Needed(
        "synapse.storage.databases.main",
        "DataStore.register_external_cached_function",
        ("cache_name", "func"),
    ),
    *members("synapse.server", "HomeServer", "get_clock", "get_datastores", "get_notifier"),
    *members("synapse.server", "HomeServer", "get_replication_command_handler"),
    Needed("synapse.replication.tcp.handler", "ReplicationCommandHandler.connected", ()),
)


class UnknownSession(Exception):
    """There is no such session; raised, because a cache keeps results and not errors (C359)."""


class LiveSessions:
    """The sessions this process remembers.

    A refresh changes nothing here: only what never changes in a session, and whether it ended, may
    be relied on. So the first use of a fresh token costs no query on any worker.
    """

    def __init__(
        self,
        hs: HomeServer,
        read: Callable[[str], Awaitable[Session | None]],
    ) -> None:
        self._hs = hs
        self._read = read
        self.server_name = hs.hostname
        self.clock = hs.get_clock()
        self._store = hs.get_datastores().main
        self._notifier = hs.get_notifier()
        self._store.register_external_cached_function(news.SESSION_CHANGED, self.nextgen_session)

    def watch(self, *, every: int) -> None:
        """Believe nothing for longer than this (seconds) while no news of other processes arrive.

        A personal token that another process revoked would open this one for as long as Redis is away.
        """
        if self._hs.config.redis.redis_enabled:
            versions.call_every(self.clock, self.doubt, seconds=every)

    def doubt(self) -> None:
        """Forget all sessions if nobody could tell that one is over: they are looked up again."""
        if not self._hs.get_replication_command_handler().connected():
            self.nextgen_session.invalidate_all()

    async def find(self, session_id: str) -> Session:
        """Return the session, living or ended; raise `UnknownSession` if there is none."""
        session: Session = await recall(self.nextgen_session, session_id)
        return session

    # The name stands in Synapse's metrics, and `caches.per_cache_factors` knows it.
    @cached(max_entries=100_000)
    async def nextgen_session(self, session_id: str) -> Session:
        """Read the session from the database."""
        session = await self._read(session_id)
        if session is None:
            raise UnknownSession
        return session

    def forget_here(self, session_ids: Collection[str], *, is_news: bool = False) -> None:
        """Forget these sessions on this process, and let the others see what is in the database."""
        for session_id in session_ids:
            self.nextgen_session.invalidate((session_id,))
        if session_ids or is_news:
            self._notifier.on_new_replication_data()

    def forget(self, cursor: Cursor, session_ids: Iterable[str]) -> None:
        """Forget these sessions on every other process as soon as the transaction commits."""
        news.tell(self._store, cursor, news.SESSION_CHANGED, session_ids)
