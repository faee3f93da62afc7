"""Synapse's auth checker, taught to accept our tokens."""

import logging
from typing import TYPE_CHECKING, Any

from synapse.api.auth.internal import InternalAuth
from synapse.api.errors import MissingClientTokenError, SynapseError
from synapse.http.site import SynapseRequest
from synapse.types import Requester
from synapse.util.cancellation import cancellable
from twisted.web.server import Request

from synapse_nextgen_auth import late
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth import steps
from synapse_nextgen_auth.homeserver.auth.challenges import add_challenge
from synapse_nextgen_auth.homeserver.auth.joined import Joined
from synapse_nextgen_auth.homeserver.auth.mark import (
    has_admin_scope,
    is_ours,
    mark_unproven,
    may_administer,
)
from synapse_nextgen_auth.homeserver.auth.token_check import TokenCheck
from synapse_nextgen_auth.homeserver.database.outage import come_back
from synapse_nextgen_auth.homeserver.http import address, user_agent
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.scopes.permissions import API, SERVER_ADMIN
from synapse_nextgen_auth.oauth.sessions import stand_in_of
from synapse_nextgen_auth.oauth.step_up import StepUp
from synapse_nextgen_auth.oauth.tokens import bearer, session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, surrogate

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver.auth import application_services, narrow
else:
    application_services, narrow = late.files(
        "homeserver.auth.application_services", "homeserver.auth.narrow"
    )

NEEDS = (
    Needed(
        "synapse.api.auth.internal",
        "InternalAuth.get_user_by_req",
        ("request", "allow_guest", "allow_expired", "allow_locked"),
    ),
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
    Needed(
        "synapse.handlers.account_validity", "AccountValidityHandler.is_user_expired", ("user_id",)
    ),
    Needed("synapse.http.site", "SynapseRequest.requester"),
    *members("synapse.server", "HomeServer", "get_auth"),
)

logger = logging.getLogger(__name__)

_BEARER = b"Bearer "
_BEARERS_OF_OURS = tuple(_BEARER + kind.value.encode() for kind in (Kind.ACCESS, Kind.PERSONAL))


class SessionAuth(InternalAuth):
    """The stock checker, with our tokens beside its own.

    Locked and expired accounts, application services, guests and consent to terms stay with the
    parent: a token of ours gets there what a stock one gets. The short way is for those that all of
    this is nothing to.
    """

    _nextgen: TokenCheck
    _nextgen_is_short: bool | None = None

    def __setattr__(self, name: str, value: object) -> None:
        """Take what another module puts here for a step of its own, however late it comes."""
        super().__setattr__(name, value)
        if steps.is_replaced(name):
            self._nextgen_is_short = False

    @cancellable
    async def get_user_by_req(
        self,
        request: SynapseRequest,
        allow_guest: bool = False,  # noqa: FBT001, FBT002 (Synapse's)
        allow_expired: bool = False,  # noqa: FBT001, FBT002 (Synapse's)
        allow_locked: bool = False,  # noqa: FBT001, FBT002 (Synapse's)
        **more: Any,
    ) -> Requester:
        """Return who sends a request; a database that is away is a failure of ours, so a 503."""
        try:
            known = None if more else self._warm(request)
            if known is not None and (
                allow_expired
                or not await self._account_validity_handler.is_user_expired(known.session.user_id)
            ):
                await self._record(request, known.session.user_id, known.surrogate, known.device_id)
                requester = known.requester()
                request.requester = requester
            else:
                requester = await super().get_user_by_req(
                    request, allow_guest, allow_expired, allow_locked, **more
                )
            is_whole = API in requester.scope and SERVER_ADMIN not in requester.scope
            if not is_whole and is_ours(requester):
                requester = await narrow.check(self, self.store, request, requester)
            if self._nextgen.step_up is None:
                return requester
            return await self._insist(request, requester, self._nextgen.step_up)
        except SynapseError as error:
            add_challenge(error)
            raise
        except self._nextgen.homeserver.database_errors as error:
            if session_tokens.kind_of(self.get_access_token_from_request(request)) is None:
                raise
            logger.warning("Could not look up the session of a request: %r", error)
            raise come_back() from error

    async def _insist(
        self, request: SynapseRequest, requester: Requester, step_up: StepUp
    ) -> Requester:
        """Stop a request of ours that takes more than its session; others take what they always took."""
        if not is_ours(requester):
            return requester
        method, path = request.method.decode("ascii"), request.path.decode("latin-1")
        is_admin = has_admin_scope(requester)
        required = step_up.asks(method, path, is_admin=is_admin)
        if required is not None:
            await self._nextgen.insist(self.get_access_token_from_request(request), required)
        needed = step_up.asks_of_admins(method) if is_admin else None
        if needed is None or await self._nextgen.has_proved(
            self.get_access_token_from_request(request), needed
        ):
            return requester
        # What everybody may ask for does more where an administrator asks; here it does not.
        return mark_unproven(requester)

    def _warm(self, request: SynapseRequest) -> Joined | None:
        """Return the session of a request that nothing is special about, `None` for all others."""
        headers = request.requestHeaders.getRawHeaders(b"Authorization")
        if headers is None or len(headers) != 1 or not headers[0].startswith(_BEARERS_OF_OURS):
            return None
        if b"access_token" in request.args or not self._is_short():
            return None
        text = headers[0][len(_BEARER) :].decode("latin-1")
        if self.store.get_app_service_by_token(text) is not None:
            return None
        return self._nextgen.warm(text)

    def _is_short(self) -> bool:
        """Say whether there is a short way; asked at the first request, when all modules are there."""
        if self._nextgen_is_short is None:
            self._nextgen_is_short = steps.are_known(self.hs.config, vars(self))
        return self._nextgen_is_short

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
        if request.requestHeaders.hasHeader(b"Authorization") or not self._is_made_here(text):
            return text
        raise MissingClientTokenError(bearer.IN_THE_HEADER)

    def is_token_of_ours(self, text: str) -> bool:
        """Say whether a token claims to be ours; a bridge may call its own what it likes (C119)."""
        return (
            session_tokens.kind_of(text) is not None
            and self.store.get_app_service_by_token(text) is None
        )

    def _is_made_here(self, text: str) -> bool:
        """Say the same of a token that stands for `as_token`, too."""
        if session_tokens.kind_of(text) is None:
            return False
        service = self.store.get_app_service_by_token(text)
        return service is None or service.token != text

    def session_of(self, request: Request) -> str:
        """Return the id of the session of a request that carries a token of ours."""
        return self._nextgen.read(self.get_access_token_from_request(request)).session_id

    async def is_server_admin(self, requester: Requester) -> bool:
        """Ask for the account's flag, and of our tokens for the scope too (C113), and for the proof.

        It must not raise: many callers only do less for whoever is none.
        """
        if not is_ours(requester):
            return await super().is_server_admin(requester)
        if not may_administer(requester) or not await super().is_server_admin(requester):
            return False
        self._nextgen.activity.administered(requester.user.to_string(), requester.device_id)
        return True

    async def is_admin_without_scope(self, requester: Requester) -> bool:
        """Say whether it is the token alone that keeps an administrator from administering."""
        if not is_ours(requester) or has_admin_scope(requester):
            return False
        return await super().is_server_admin(requester)

    async def _record_request(self, request: SynapseRequest, requester: Requester) -> None:
        if not is_ours(requester):
            return await self._record_other(request, requester)
        token = self._nextgen.read(self.get_access_token_from_request(request))
        return await self._record(
            request,
            requester.authenticated_entity,
            surrogate(token.session_id),
            requester.device_id if requester.device_id != stand_in_of(token.session_id) else None,
        )

    async def _record_other(self, request: SynapseRequest, requester: Requester) -> None:
        if self._track_appservice_user_ips:
            text = self.get_access_token_from_request(request)
            if session_tokens.kind_of(text) is Kind.SERVICE:
                return await application_services.record(
                    self.store, request, requester, also_whom_it_is=self._track_puppeted_user_ips
                )
        return await super()._record_request(request, requester)

    async def _record(
        self, request: SynapseRequest, user_id: str, token: str, device_id: str | None
    ) -> None:
        seen_from = address(request)
        if seen_from:
            await self.store.insert_client_ip(
                user_id=user_id,
                access_token=token,
                ip=seen_from,
                user_agent=user_agent(request),
                device_id=device_id,
            )


def install(homeserver: Homeserver, check: TokenCheck) -> None:
    """Turn the living auth object into ours; handlers that hold it already see the new behaviour."""
    auth: Any = homeserver.hs.get_auth()
    patches.instead(auth, "__class__", SessionAuth)
    auth._nextgen = check  # noqa: SLF001 (our own attribute)
