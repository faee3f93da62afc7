"""Registered clients, from memory for whoever has a session or waits for one."""

from collections.abc import Collection

from synapse.module_api import cached

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.database import news
from synapse_nextgen_auth.homeserver.database.caches import recall
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.clients.record import Client

NEEDS = (
    Needed(
        "synapse.storage.databases.main",
        "DataStore.register_external_cached_function",
        ("cache_name", "func"),
    ),
    *members("synapse.server", "HomeServer", "get_clock"),
)


class UnknownClient(Exception):
    """There is no such client; raised, because a cache keeps results and not errors (C359)."""


class KnownClients:
    """The clients this process remembers.

    A registration never changes, and it stays as long as a session of it lives or a device waits. So
    memory will do for a client that refreshes or polls, and for nobody else.
    """

    def __init__(self, homeserver: Homeserver) -> None:
        self.server_name = homeserver.server_name
        self.clock = homeserver.hs.get_clock()
        self._homeserver = homeserver
        self._store = homeserver.store
        self._store.register_external_cached_function(news.CLIENT_GONE, self.nextgen_client)
        homeserver.when_clients_go(self.forget_here)

    async def find(self, client_id: str) -> Client | None:
        """Return the client as it registered."""
        try:
            client: Client = await recall(self.nextgen_client, client_id)
        except UnknownClient:
            return None
        return client

    def forget_here(self, client_ids: Collection[str]) -> None:
        """Forget these clients on this process."""
        for client_id in client_ids:
            self.nextgen_client.invalidate((client_id,))

    # The name stands in Synapse's metrics, and `caches.per_cache_factors` knows it.
    @cached(max_entries=10_000)
    async def nextgen_client(self, client_id: str) -> Client:
        """Read the client from the database."""
        client = await self._homeserver.lookups.client(client_id)
        if client is None:
            raise UnknownClient
        return client
