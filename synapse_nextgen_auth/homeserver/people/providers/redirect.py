"""The way to a provider: Synapse's redirect endpoint, for the addresses that our pages lead to.

Our page calls no provider itself: a proxy sends Synapse's sign-in paths to one process, which keeps what
a provider's answer is compared with, and may send ours to another.
"""

import logging
from typing import Any

from synapse.http import get_request_uri
from synapse.http.server import HttpServer
from synapse.http.site import SynapseRequest
from synapse.rest.client.login import SsoRedirectServlet
from synapse.server import HomeServer
from twisted.internet.defer import Deferred, ensureDeferred

from synapse_nextgen_auth.accounts.attempts.arrivals import Trouble
from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.accounts.people import hinted
from synapse_nextgen_auth.homeserver.http import Outgoing, send
from synapse_nextgen_auth.homeserver.matrix.legacy_login import SsoGate, SsoRedirect
from synapse_nextgen_auth.homeserver.people.providers import afresh
from synapse_nextgen_auth.homeserver.people.providers.desk import Desk
from synapse_nextgen_auth.homeserver.people.providers.listing import (
    Kind,
    Providers,
    kind_of,
    speaks_openid,
)
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

NEEDS = (
    Needed("synapse.rest.client.login", "SsoRedirectServlet.on_GET", ("request", "idp_id")),
    Needed(
        "synapse.handlers.sso",
        "SsoIdentityProvider.handle_redirect_request",
        ("request", "client_redirect_url", "ui_auth_session_id"),
    ),
    Needed(
        "synapse.handlers.oidc", "OidcProvider.load_metadata", once_loaded="synapse.handlers.oidc"
    ),
    *members("synapse.server", "HomeServer", "get_reactor"),
)

logger = logging.getLogger(__name__)

# A person waits for it.
_PATIENCE = 10


class ToProvider(SsoRedirectServlet):
    """`/login/sso/redirect`: our addresses go straight to their provider, all others Synapse's way."""

    def __init__(
        self,
        hs: HomeServer,
        providers: Providers,
        desk: Desk,
        legacy: SsoRedirect | None,
        gate: SsoGate,
    ) -> None:
        super().__init__(hs)
        self._legacy = legacy
        self._gate = gate
        self._hs = hs
        self._providers = providers
        self._desk = desk

    async def on_GET(  # noqa: N802 (Synapse's name)
        self, request: SynapseRequest, idp_id: str | None = None
    ) -> None:
        """Send the browser to the provider."""
        start = self._start(request)
        if start is None:
            if self._legacy is None and await self._gate.stops(request):
                return
            stock = super().on_GET if self._legacy is None else self._legacy.on_GET
            await stock(request, idp_id)
            return
        if start.provider_id != idp_id:
            self._desk.fail(request, start, Trouble.OTHER_PROVIDER)
            return
        if not self._is_at_home(request):
            await super().on_GET(request, idp_id)
            return
        try:
            url = await self._url(request, start)
        except Exception:
            logger.exception("Provider %s cannot be asked", idp_id)
            url = Trouble.UNAVAILABLE
        if isinstance(url, Trouble):
            self._desk.fail(request, start, url)
            return
        send(request, Outgoing(303, headers=(("Location", url), ("Cache-Control", "no-store"))))

    def _start(self, request: Any) -> Start | None:
        addresses = (request.args or {}).get(b"redirectUrl", [])
        if len(addresses) != 1:
            return None
        return self._desk.start_of(addresses[0].decode("utf-8", "replace"))

    def _is_at_home(self, request: Any) -> bool:
        """Say whether this is the host that cookies are for; Synapse sends browsers there."""
        home = (self._hs.config.server.public_baseurl or "").encode("utf-8")
        return get_request_uri(request).startswith(home)

    async def _url(self, request: Any, start: Start) -> str | Trouble:
        asked_for = await self._desk.asked(request, start)
        if isinstance(asked_for, Trouble):
            return asked_for
        handler = self._providers.handlers().get(start.provider_id)
        if handler is None:
            return Trouble.UNAVAILABLE
        asked: Deferred[str] = ensureDeferred(
            handler.handle_redirect_request(request, self._desk.url(start).encode("ascii"), None)
        )
        asked.addTimeout(_PATIENCE, self._hs.get_reactor())
        url = await asked
        kind = kind_of(handler)
        if kind is Kind.CAS and (start.is_fresh or start.asks_who):
            return afresh.asking(url, renew="true")
        if kind is Kind.OPENID:
            asks = {}
            if start.is_fresh:
                asks = {"prompt": "login", "max_age": "0"}
            elif start.asks_who:
                known = await handler.load_metadata()
                is_openid = speaks_openid(handler)
                asks = {"prompt": afresh.prompt_for_another(known, is_openid=is_openid)}
            whom = hinted(asked_for.text, server_name=self._hs.hostname)
            return afresh.asking(url, **asks, **({"login_hint": whom} if whom else {}))
        return url


def serve(
    hs: HomeServer,
    http_server: HttpServer,
    *,
    providers: Providers,
    desk: Desk,
    legacy: SsoRedirect | None,
    gate: SsoGate,
) -> None:
    """Serve it in place of Synapse's, on a listener.

    Where `legacy` clients are led to our pages it has the same address, and comes first.
    """
    ToProvider(hs, providers, desk, legacy, gate).register(http_server)
