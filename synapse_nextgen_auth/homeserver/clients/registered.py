"""Which clients there are: those that the operator wrote down, and those that registered."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.clients.known_clients import KnownClients
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import clients

if TYPE_CHECKING:
    from synapse_nextgen_auth.oauth.clients.registration_rules import RegistrationRules

_MAX_ID = 255


@frozen
class Clients:
    """Every client, by its id; `registration_rules` say who may become one."""

    homeserver: Homeserver
    configured: Mapping[str, Client]
    known: KnownClients
    registration_rules: "RegistrationRules"

    def is_configured(self, client: Client) -> bool:
        """Say whether the operator wrote this client down; anybody may register another one."""
        return client.client_id in self.configured

    async def find(self, client_id: str | None, *, is_kept: bool = False) -> Client | None:
        """Return the configured or registered client with this id, unless it is blocked.

        One that has a session or a device that waits is kept, so memory will do.
        """
        if not client_id or len(client_id) > _MAX_ID:
            return None
        if client_id in self.configured:
            return self.configured[client_id]
        if is_kept:
            return await self.known.find(client_id)
        return await self.homeserver.read(clients.admitted, client_id)

    async def is_blocked(self, client_id: str | None) -> bool:
        """Say whether whoever runs the server shut this client out."""
        if not client_id or len(client_id) > _MAX_ID or client_id in self.configured:
            return False
        return await self.homeserver.read(clients.is_blocked, client_id)

    async def find_all(self, client_ids: Collection[str]) -> dict[str, Client]:
        """Return the clients with these ids, as many as there are, with one query at most."""
        configured = {
            client_id: self.configured[client_id]
            for client_id in client_ids
            if client_id in self.configured
        }
        others = tuple(sorted(set(client_ids) - set(configured)))
        if not others:
            return configured
        found = await self.homeserver.read(clients.list_by_ids, others)
        return configured | {client.client_id: client for client in found}
