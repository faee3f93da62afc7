"""What endpoints and pages stand on."""

from collections.abc import Collection, Mapping

import attrs

from synapse_nextgen_auth.accounts.browsers import BrowserLimits
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.flows import register_client
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.devices import Devices
from synapse_nextgen_auth.homeserver.known_clients import KnownClients
from synapse_nextgen_auth.homeserver.limits import Limiter
from synapse_nextgen_auth.homeserver.people import People
from synapse_nextgen_auth.homeserver.polls import Polls
from synapse_nextgen_auth.homeserver.signing import Signing
from synapse_nextgen_auth.homeserver.tokens import TokenCheck
from synapse_nextgen_auth.oauth import uris
from synapse_nextgen_auth.oauth.client_metadata import RegistrationRules
from synapse_nextgen_auth.oauth.clients import Client
from synapse_nextgen_auth.oauth.metadata import Abilities, Endpoints
from synapse_nextgen_auth.oauth.sessions import Limits
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.web.browser import Cookies
from synapse_nextgen_auth.web.templates import Templates


@attrs.frozen
class Site:
    """One homeserver's authorization server, ready to answer."""

    homeserver: Homeserver
    config: Config
    endpoints: Endpoints
    abilities: Abilities
    registration_rules: RegistrationRules
    document: bytes
    keys: Keyring
    limits: Limits
    templates: Templates
    people: People
    devices: Devices
    signing: Signing
    check: TokenCheck
    registrations: Limiter
    authorizations: Limiter
    device_requests: Limiter
    polls: Polls
    static_clients: Mapping[str, Client]
    known_clients: KnownClients

    @property
    def server_name(self) -> str:
        """The homeserver's name, as it stands in Matrix ids."""
        return self.homeserver.server_name

    @property
    def origin(self) -> str:
        """Where browsers believe us to be, as they write it."""
        return uris.origin(self.endpoints.issuer)

    @property
    def cookies(self) -> Cookies:
        """How our cookie looks."""
        return Cookies(is_https=self.origin.startswith("https:"))

    @property
    def browser_limits(self) -> BrowserLimits:
        """How long browsers stay signed in."""
        sessions = self.config.sessions
        return BrowserLimits(sessions.browser_idle_lifetime, sessions.browser_lifetime)

    def now(self) -> int:
        """Return the time in seconds since the epoch."""
        return self.homeserver.now()

    def is_configured(self, client: Client) -> bool:
        """Say whether the operator wrote this client down; anybody may register another one."""
        return client.client_id in self.static_clients

    async def client(self, client_id: str | None, *, is_kept: bool = False) -> Client | None:
        """Return the configured or registered client with this id.

        One that has a session or a device that waits is kept, so memory will do.
        """
        if not client_id or len(client_id) > 255:
            return None
        if client_id in self.static_clients:
            return self.static_clients[client_id]
        if is_kept:
            return await self.known_clients.find(client_id)
        return await self.homeserver.query(register_client.find, client_id)

    async def clients(self, client_ids: Collection[str]) -> dict[str, Client]:
        """Return the clients with these ids, as many as there are, with one query at most."""
        configured = {
            client_id: self.static_clients[client_id]
            for client_id in client_ids
            if client_id in self.static_clients
        }
        others = tuple(sorted(set(client_ids) - set(configured)))
        if not others:
            return configured
        return configured | await self.homeserver.query(register_client.find_all, others)
