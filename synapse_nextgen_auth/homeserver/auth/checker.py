"""Synapse's auth checker, taught to accept our tokens."""

import logging
from typing import Any

from synapse.api.auth.internal import InternalAuth
from synapse.api.errors import MissingClientTokenError, SynapseError
from synapse.http.site import SynapseRequest
from synapse.types import Requester
from synapse.util.cancellation import cancellable
from twisted.web.server import Request

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth.challenges import add_challenge
from synapse_nextgen_auth.homeserver.auth.token_check import TokenCheck, is_ours, may_administer
from synapse_nextgen_auth.homeserver.database.outage import come_back
from synapse_nextgen_auth.homeserver.http import address, user_agent
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.tokens import bearer, session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import surrogate

NEEDS = (
    Needed("synapse.api.auth.internal", "InternalAuth.get_user_by_req", ("request",)),
    Needed(
        "synapse.api.auth.internal",
        "InternalAuth.get_user_by_access_token",
        ("token", "allow_expired"),
    ),
    Needed("synapse.api.auth.internal", "InternalAuth.is_server_admin", ("requester",)),
    Needed("synapse.api.auth.internal", "InternalAuth._record_request", ("request", "requester")),
    Needed("synapse.api.auth.internal", "InternalAuth.get_access_token_from_request", ("request",)),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.insert_client_ip",
        ("access_token", "ip", "user_agent", "device_id"),
    ),
    Needed("synapse.storage.databases.main", "DataStore.get_app_service_by_token", ("token",)),
    *members("synapse.server", "HomeServer", "get_auth"),
)

logger = logging.getLogger(__name__)


class SessionAuth(InternalAuth):
    """The stock checker, with our tokens beside its own.

    Locked and expired accounts, application services, guests and consent to terms stay with the
    parent: a token of ours gets there what a stock one gets.
    """

    _nextgen: TokenCheck

    @cancellable
    async def get_user_by_req(
        self, request: SynapseRequest, *args: Any, **kwargs: Any
    ) -> Requester:
        """Return who sends a request; a database that is away is a failure of ours, so a 503."""
        try:
            return await super().get_user_by_req(request, *args, **kwargs)
        except SynapseError as error:
            add_challenge(error)
            raise
        except self._nextgen.homeserver.database_errors as error:
            if session_tokens.kind_of(self.get_access_token_from_request(request)) is None:
                raise
            logger.warning("Could not look up the session of a request: %r", error)
            raise come_back() from error

    async def get_user_by_access_token(self, token: str, allow_expired: bool = False) -> Requester:  # noqa: FBT001, FBT002
        """Return who sends a request with this token; the signature is Synapse's."""
        if session_tokens.kind_of(token) is None:
            return await super().get_user_by_access_token(token, allow_expired)
        return await self._nextgen.requester(token, allow_expired=allow_expired)

    # Static in Synapse, which always asks the object.
    def get_access_token_from_request(self, request: Request) -> str:  # type: ignore[override]
        """Return the token of a request; bytes that are no ASCII are no token, not a 500 (C115).

        A token of ours counts in the header alone: an address ends up in histories and logs (RFC
        9700 section 4.3.2). Refused as if none had come: `M_UNKNOWN_TOKEN` would make clients drop
        their keys or refresh in circles, though nothing is wrong with the session.
        """
        try:
            text = InternalAuth.get_access_token_from_request(request)
        except UnicodeDecodeError:
            raise MissingClientTokenError("The access token is not ASCII.") from None
        if request.requestHeaders.hasHeader(b"Authorization") or not self.is_token_of_ours(text):
            return text
        raise MissingClientTokenError(bearer.IN_THE_HEADER)

    def is_token_of_ours(self, text: str) -> bool:
        """Say whether a token claims to be ours; a bridge may call its own what it likes (C119)."""
        return (
            session_tokens.kind_of(text) is not None
            and self.store.get_app_service_by_token(text) is None
        )

    def session_of(self, request: Request) -> str:
        """Return the id of the session of a request that carries a token of ours."""
        return self._nextgen.read(self.get_access_token_from_request(request)).session_id

    async def is_server_admin(self, requester: Requester) -> bool:
        """Ask for the account's flag, and of our tokens for the scope too (C113)."""
        if not is_ours(requester):
            return await super().is_server_admin(requester)
        if not may_administer(requester) or not await super().is_server_admin(requester):
            return False
        self._nextgen.activity.administered(requester.user.to_string(), requester.device_id)
        return True

    async def is_admin_without_scope(self, requester: Requester) -> bool:
        """Say whether it is the token alone that keeps an administrator from administering."""
        if not is_ours(requester) or may_administer(requester):
            return False
        return await super().is_server_admin(requester)

    async def _record_request(self, request: SynapseRequest, requester: Requester) -> None:
        if not is_ours(requester):
            return await super()._record_request(request, requester)
        seen_from = address(request)
        if seen_from:
            token = self._nextgen.read(self.get_access_token_from_request(request))
            await self.store.insert_client_ip(
                user_id=requester.authenticated_entity,
                access_token=surrogate(token.session_id),
                ip=seen_from,
                user_agent=user_agent(request),
                device_id=requester.device_id,
            )
        return None


def install(homeserver: Homeserver, check: TokenCheck) -> None:
    """Turn the living auth object into ours; handlers that hold it already see the new behaviour."""
    auth: Any = homeserver.hs.get_auth()
    patches.instead(auth, "__class__", SessionAuth)
    auth._nextgen = check  # noqa: SLF001 (our own attribute)
