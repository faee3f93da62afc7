"""Synapse's login tokens: how a client that knows only `m.login.sso` gets in (CS API 5.6.7)."""

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

NEEDS = (
    Needed(
        "synapse.handlers.auth",
        "AuthHandler.create_login_token_for_user_id",
        ("user_id", "auth_provider_id", "auth_provider_session_id"),
    ),
    Needed(
        "synapse.handlers.account_validity",
        "AccountValidityHandler.on_user_login",
        ("user_id", "auth_provider_type", "auth_provider_id"),
    ),
    *members("synapse.server", "HomeServer", "get_account_validity_handler", "get_auth_handler"),
)


class LoginTokens:
    """Login tokens, and which clients need no question (`sso.client_whitelist`)."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver
        # A prefix match, as Synapse has it.
        self._trusted = tuple(homeserver.hs.config.sso.sso_client_whitelist)

    def is_trusted(self, redirect_url: str) -> bool:
        """Say whether the operator trusts whoever waits there."""
        return redirect_url.startswith(self._trusted)

    async def make(
        self, user_id: str, *, provider: str | None = None, provider_session: str | None = None
    ) -> str:
        """Return a token that signs a client in once, within two minutes.

        Account-validity modules are told as Synapse tells them at this point.
        """
        hs = self._homeserver.hs
        token: str = await hs.get_auth_handler().create_login_token_for_user_id(
            user_id, auth_provider_id=provider, auth_provider_session_id=provider_session
        )
        await hs.get_account_validity_handler().on_user_login(
            user_id=user_id, auth_provider_type="m.login.sso", auth_provider_id=provider
        )
        return token
