"""Synapse's handlers of providers, one kind after the other: what of each we hear, check or ask for."""

from typing import Any, Protocol

from synapse_nextgen_auth.homeserver.people.providers import afresh, identities, statements
from synapse_nextgen_auth.homeserver.people.providers.desk import Desk
from synapse_nextgen_auth.homeserver.people.providers.guard import Guard
from synapse_nextgen_auth.homeserver.people.providers.listing import (
    Kind,
    Providers,
    kind_of,
    speaks_openid,
)
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

NEEDS = (
    Needed(
        "synapse.handlers.oidc",
        "OidcProvider._complete_oidc_login",
        ("userinfo", "token", "request", "client_redirect_url", "sid"),
        once_loaded="synapse.handlers.oidc",
    ),
    Needed(
        "synapse.handlers.oidc",
        "OidcProvider._remote_id_from_userinfo",
        ("userinfo",),
        once_loaded="synapse.handlers.oidc",
    ),
    Needed(
        "synapse.handlers.oidc",
        "OidcProvider.handle_oidc_callback",
        ("request", "session_data", "code"),
        once_loaded="synapse.handlers.oidc",
    ),
    Needed(
        "synapse.handlers.oidc", "OidcProvider.load_metadata", once_loaded="synapse.handlers.oidc"
    ),
    Needed(
        "synapse.handlers.saml",
        "SamlHandler._handle_authn_response",
        ("request", "saml2_auth", "relay_state"),
        once_loaded="saml2.config",
    ),
    Needed(
        "synapse.handlers.oidc",
        "OidcHandler.handle_oidc_callback",
        ("request",),
        once_loaded="synapse.handlers.oidc",
    ),
    Needed(
        "synapse.handlers.saml",
        "SamlHandler.handle_saml_response",
        ("request",),
        once_loaded="saml2.config",
    ),
    Needed(
        "synapse.handlers.cas",
        "CasHandler.handle_ticket",
        ("request", "ticket", "client_redirect_url", "session"),
    ),
    *members("synapse.server", "HomeServer", "get_oidc_handler"),
)


class Failed(Protocol):
    """Says on a page what went wrong: `SsoHandler.render_error`."""

    def __call__(self, request: Any, error: str, error_description: str | None = None) -> None:
        """Say it."""


class Handlers:
    """Takes part in what each of them does with an answer."""

    def __init__(self, providers: Providers, desk: Desk, guard: Guard, failed: Failed) -> None:
        self._providers = providers
        self._desk = desk
        self._guard = guard
        self._failed = failed

    def take(self, hs: Any) -> None:
        """Begin."""
        take = {Kind.OPENID: self._openid, Kind.SAML: self._saml, Kind.CAS: self._cas}
        is_openid_guarded = False
        for handler in self._providers.handlers().values():
            if (kind := kind_of(handler)) in take:
                take[kind](handler)
                if kind is Kind.OPENID and not is_openid_guarded:
                    # One for all of them, which reads what comes back.
                    self._answers(hs.get_oidc_handler(), "handle_oidc_callback")
                    is_openid_guarded = True

    def _answers(self, handler: Any, name: str) -> None:
        async def handle(request: Any, *args: Any, **kwargs: Any) -> None:
            await self._guard.around(stock, request, *args, **kwargs)

        stock = patches.instead(handler, name, handle)

    def _openid(self, handler: Any) -> None:
        async def complete(
            userinfo: Any, token: Any, request: Any, client_redirect_url: str, sid: str | None
        ) -> None:
            statements.note(request, statements.of_id_token(token))
            await stock_complete(userinfo, token, request, client_redirect_url, sid)

        def remote_id(userinfo: Any) -> str:
            identities.check_subject(mapping.get_remote_user_id(userinfo))
            return str(stock_id(userinfo))

        async def callback(request: Any, session_data: Any, code: str) -> None:
            metadata = await handler.load_metadata()
            others = None if speaks_openid(handler) else self._providers.issuers()
            if identities.is_mixed_up(request, metadata, others):
                self._failed(request, "wrong_issuer", None)
                return
            await stock_callback(request, session_data, code)

        mapping = handler._user_mapping_provider  # noqa: SLF001 (as the handler asks it)
        stock_complete = patches.instead(handler, "_complete_oidc_login", complete)
        stock_id = patches.instead(handler, "_remote_id_from_userinfo", remote_id)
        stock_callback = patches.instead(handler, "handle_oidc_callback", callback)

    def _saml(self, handler: Any) -> None:
        async def respond(request: Any, saml2_auth: Any, relay_state: str) -> None:
            statements.note(request, statements.of_assertion(saml2_auth.session_info()))
            await stock(request, saml2_auth, relay_state)

        stock = patches.instead(handler, "_handle_authn_response", respond)
        afresh.ask_saml(handler, self._desk.start_of)
        self._answers(handler, "handle_saml_response")

    def _cas(self, handler: Any) -> None:
        afresh.ask_cas(handler, self._desk.start_of)
        self._answers(handler, "handle_ticket")
