"""Registered clients, from memory for whoever has a session or waits for one."""

from synapse.module_api import cached

from synapse_nextgen_auth.flows import register_client
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.caches import recall
from synapse_nextgen_auth.oauth.clients import Client


class UnknownClient(Exception):
    """There is no such client; raised, because a cache keeps results and not errors (C359)."""


class KnownClients:
    """The clients this process remembers.

    They are not forgotten when their row goes: a registration never changes, and it stays as long as
    a session of it lives or a device waits. So memory will do for a client that refreshes or polls,
    and for nobody else.
    """

    def __init__(self, homeserver: Homeserver) -> None:
        self.server_name = homeserver.server_name
        self.clock = homeserver.hs.get_clock()
        self._homeserver = homeserver

    async def find(self, client_id: str) -> Client | None:
        """Return the client as it registered."""
        try:
            client: Client = await recall(self.nextgen_client, client_id)
        except UnknownClient:
            return None
        return client

    # The name stands in Synapse's metrics, and `caches.per_cache_factors` knows it.
    @cached(max_entries=10_000)
    async def nextgen_client(self, client_id: str) -> Client:
        """Read the client from the database."""
        client = await self._homeserver.query(register_client.find, client_id)
        if client is None:
            raise UnknownClient
        return client
