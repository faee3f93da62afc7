"""Application services that prove themselves by a key: their tokens stand for `as_token` in Synapse.

Synapse asks whose token it is before anything else, `/register` too, and asks without waiting. So all
that the answer takes is in memory: who is configured, and which tokens were revoked. Whatever Synapse
knows of the service, what it may do and from where, is as it is with `as_token`.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from synapse.appservice import ApplicationService
from synapse.http.site import SynapseRequest
from synapse.types import Requester

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth.remembered import Remembered
from synapse_nextgen_auth.homeserver.database import news, schema
from synapse_nextgen_auth.homeserver.http import address, user_agent
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.tokens import service_tokens, session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token, surrogate
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Secret, random_id
from synapse_nextgen_auth.store import revoked_tokens
from synapse_nextgen_auth.store.revoked_tokens import RevokedToken
from synapse_nextgen_auth.store.txn import Txn

NEEDS = (
    Needed("synapse.storage.databases.main", "DataStore.get_app_service_by_token", ("token",)),
    Needed("synapse.storage.databases.main", "DataStore.get_app_service_by_id", ("as_id",)),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.register_external_cached_function",
        ("cache_name", "func"),
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.insert_client_ip",
        ("user_id", "access_token", "ip", "user_agent", "device_id"),
    ),
)

logger = logging.getLogger(__name__)

_PREFIX = Kind.SERVICE.value
# What Synapse notes as the device of an application service that acts as none.
_NO_DEVICE = "dummy-device"


@frozen
class Entitled:
    """A client of the configuration, and the application service that it is."""

    client_id: str
    service: ApplicationService

    @property
    def user_id(self) -> str:
        """Return who it is where it acts as nobody else."""
        return self.service.sender.to_string()


@frozen
class Good:
    """A token that is good now, and who has it."""

    token: Token
    holder: Entitled


class ApplicationServices:
    """The application services that have a key, and what their tokens open in this process."""

    def __init__(self, homeserver: Homeserver, keys: Keyring, clients: Iterable[Client]) -> None:
        self._homeserver = homeserver
        self._keys = keys
        self._authentic = Remembered()
        self._entitled: dict[str, Entitled] = {}
        self._refused: set[str] = set()
        self._revoked: dict[str, int] = {}
        self._stock: Callable[[str], ApplicationService | None] = (
            homeserver.store.get_app_service_by_token
        )
        for client in clients:
            self._entitle(client)

    def _entitle(self, client: Client) -> None:
        written = client.application_service
        if written is None:
            return
        service = self._homeserver.store.get_app_service_by_id(written.service_id)
        if service is None:  # whoever starts us has looked
            return
        tag = service_tokens.tag(client.client_id, written.service_id)
        self._entitled[tag] = Entitled(client.client_id, service)
        if written.refuses_as_token:
            self._refused.add(written.service_id)

    def install(self) -> None:
        """Let Synapse know their tokens, and no `as_token` that is refused."""
        homeserver = self._homeserver
        # News between processes travel as invalidations of caches; this is none, and hears them.
        hears: Any = self
        homeserver.store.register_external_cached_function(news.SERVICE_REVOKED, hears)
        # Whatever is revoked after this process began to listen comes as news.
        with schema.reading(schema.database_of(homeserver.hs), homeserver.server_name) as cursor:
            for each in revoked_tokens.list_all(Txn.reading(cursor), now=homeserver.now()):
                self._forget(each)
        self._stock = patches.instead(
            homeserver.store, "get_app_service_by_token", self.service_by_token
        )

    def service_by_token(self, token: str) -> ApplicationService | None:
        """Return whose token this is; the signature is Synapse's."""
        if token.startswith(_PREFIX):
            good = self.find(token)
            if good is not None:
                return good.holder.service
        service = self._stock(token)
        return None if service is not None and service.id in self._refused else service

    def find(self, text: str) -> Good | None:
        """Return what is known of a token of ours, `None` if it opens nothing (any more)."""
        token = self._authentic.get(text) or self._read(text)
        if token is None or token.is_expired(self._homeserver.now()):
            return None
        holder = self._entitled.get(service_tokens.tag_of(token))
        if holder is None or service_tokens.id_of(token) in self._revoked:
            return None
        return Good(token, holder)

    def _read(self, text: str) -> Token | None:
        token = session_tokens.read(self._keys, text)
        if token is None or token.kind is not Kind.SERVICE:
            return None
        self._authentic.add(text, token)
        return token

    def mint(self, client_id: str, service_id: str, *, lifetime: int) -> Secret:
        """Make a token for this client, which stands for this application service."""
        tag = service_tokens.tag(client_id, service_id)
        expires_at = self._homeserver.now() + lifetime
        token = service_tokens.token_of(tag, drawn=random_id(), expires_at=expires_at)
        made = session_tokens.mint(self._keys, token)
        self._authentic.add(made.reveal(), token)
        return made

    async def revoke(self, text: str) -> None:
        """Let a token be worth nothing from now on, on every process; whoever has it may."""
        good = self.find(text)
        if good is None:
            return
        revoked = RevokedToken(service_tokens.id_of(good.token), good.token.expires_at)

        def nextgen_revoke(txn: Txn) -> None:
            revoked_tokens.add(txn, revoked)
            key = f"{revoked.token_id} {revoked.expires_at}"
            news.tell(self._homeserver.store, txn.cursor, news.SERVICE_REVOKED, [key])

        await self._homeserver.run(nextgen_revoke)
        self._forget(revoked)
        self._homeserver.live.forget_here((), is_news=True)
        logger.info(
            "A token of application service %s was revoked: client %s",
            good.holder.service.id,
            good.holder.client_id,
        )

    def invalidate(self, key: tuple[str, ...]) -> None:
        """Hear that a token was revoked on another process."""
        token_id, _, expires_at = key[0].partition(" ")
        self._forget(RevokedToken(token_id, int(expires_at)))

    def invalidate_all(self) -> None:
        """Do nothing; Synapse wants every cache to have this."""

    def _forget(self, revoked: RevokedToken) -> None:
        """Know of a token that it was revoked, and no longer of those that are over anyway."""
        now = self._homeserver.now()
        if any(expires_at <= now for expires_at in self._revoked.values()):
            self._revoked = {key: end for key, end in self._revoked.items() if end > now}
        self._revoked[revoked.token_id] = revoked.expires_at


async def record(
    store: Any, request: SynapseRequest, requester: Requester, *, also_whom_it_is: bool
) -> None:
    """Note for Synapse from where a service was here, as with `as_token`, without its token (C337)."""
    seen_from = address(request)
    if not seen_from:
        return
    itself, acting = requester.authenticated_entity, requester.user.to_string()
    seen: list[tuple[str, str | None]] = [(itself, requester.device_id or _NO_DEVICE)]
    if also_whom_it_is and acting != itself:
        seen.append((acting, requester.device_id))
    for user_id, device_id in seen:
        await store.insert_client_ip(
            user_id=user_id,
            access_token=surrogate(itself),
            ip=seen_from,
            user_agent=user_agent(request),
            device_id=device_id,
        )
