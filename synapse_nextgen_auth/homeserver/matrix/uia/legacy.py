"""User-Interactive Authentication of legacy tokens on our page (`legacy_login.confirm_in_browser`).

It stays Synapse's, with its sessions and its answers; but the one stage that is offered is
`m.login.sso`, which every client can show, and its page is ours. What was approved there is one request,
once.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import attrs
from synapse.api.constants import LoginType
from synapse.api.errors import Codes, InteractiveAuthIncompleteError, SynapseError
from synapse.http.site import SynapseRequest
from synapse.types import Requester, UserID

from synapse_nextgen_auth.accounts.approvals import Approval
from synapse_nextgen_auth.flows import approve_operation
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.database.outage import answered_503
from synapse_nextgen_auth.homeserver.matrix.uia import asked as reading
from synapse_nextgen_auth.homeserver.matrix.uia.asked import Asked, Promises
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.secret import Keyring, random_id
from synapse_nextgen_auth.store import approvals

NEEDS = (
    Needed("synapse.handlers.auth", "AuthHandler._get_available_ui_auth_types", ("user",)),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.mark_ui_auth_stage_complete",
        ("session_id", "stage_type", "result"),
    ),
    Needed("synapse.api.constants", "LoginType.SSO"),
    *members("synapse.server", "HomeServer", "get_auth_handler"),
)

Validate = Callable[..., Awaitable[tuple[dict[str, Any], str | None]]]

_CHANGED = "Requested operation has changed during the UI authentication session."
_USED = "This was approved for one request, which was sent already, or too long ago."
_REFUSED = "This was refused in the browser. Nothing was changed."


class LegacyUiAuth:
    """Synapse's interactive authentication, with our page for its only stage."""

    def __init__(
        self,
        homeserver: Homeserver,
        keys: Keyring,
        promises: Promises,
        stock: Validate,
        *,
        is_on: bool,
    ) -> None:
        self._homeserver = homeserver
        self._keys = keys
        self._promises = promises
        self._stock = stock
        handler: Any = homeserver.hs.get_auth_handler()
        self._stock_types = patches.instead(handler, "_get_available_ui_auth_types", self.types)
        self._is_on = is_on

    async def types(self, user: UserID) -> Iterable[str]:
        """Offer the browser alone, also to an account that no provider knows."""
        if self._is_on:
            return {LoginType.SSO}
        found: Iterable[str] = await self._stock_types(user)
        return found

    async def validate(
        self,
        requester: Requester,
        request: SynapseRequest,
        request_body: dict[str, Any],
        description: str,
        can_skip_ui_auth: bool = False,  # noqa: FBT001, FBT002 (Synapse's signature)
    ) -> tuple[dict[str, Any], str | None]:
        """Let Synapse decide, once the stage that its session waits for is complete, or not."""
        asked = None
        if self._is_on:
            asked = reading.read(requester, request, requester.user.to_string(), self._keys)
        if asked is None:
            return await self._stock(
                requester, request, request_body, description, can_skip_ui_auth
            )
        with answered_503(self._homeserver):
            held = await self._held(asked)
            if held is not None:
                await self._resume(held, asked)
        try:
            params, session_id = await self._stock(
                requester, request, request_body, description, can_skip_ui_auth
            )
        except InteractiveAuthIncompleteError as incomplete:
            if held is None:
                await self._ask(asked, incomplete.session_id)
            raise
        if held is not None and session_id is not None:
            await self._use(held)
        return params, session_id

    async def _held(self, asked: Asked) -> Approval | None:
        """Return what the session that the client names is about, if it is one of this account."""
        if asked.ui_session is None:
            return None
        held = await self._homeserver.read(approvals.of_ui_session, asked.ui_session)
        if held is None or not held.is_legacy or held.user_id != asked.request.user_id:
            return None
        return held

    async def _resume(self, held: Approval, asked: Asked) -> None:
        """Complete the stage if its person approved this request, and no other."""
        now = self._homeserver.now()
        request = asked.request
        if asked.says_nothing and held.body is not None:
            # Synapse goes on with what it was told at first, which is what the page described.
            request = attrs.evolve(request, body=held.body)
        if not held.is_for(request):
            raise SynapseError(403, _CHANGED, Codes.FORBIDDEN)
        if held.is_refused(now):
            await self._homeserver.settle(approve_operation.hear, held, now=now)
            raise SynapseError(403, _REFUSED, Codes.FORBIDDEN)
        if held.lets_pass(now):
            await self._homeserver.store.mark_ui_auth_stage_complete(
                held.ui_session or "", LoginType.SSO, held.user_id
            )

    async def _use(self, held: Approval) -> None:
        """Let one request pass, of all that this session of Synapse's is good for."""
        with answered_503(self._homeserver):
            now = self._homeserver.now()
            if not await self._homeserver.settle(approve_operation.use, held, now=now):
                raise SynapseError(403, _USED, Codes.FORBIDDEN)

    async def _ask(self, asked: Asked, ui_session: str) -> None:
        details = await self._promises.details(asked)
        approval = Approval.asked(
            random_id(),
            asked.request,
            ui_session=ui_session,
            details=details.sealed(self._keys),
            address=asked.address,
            now=self._homeserver.now(),
        )
        with answered_503(self._homeserver):
            await self._homeserver.run(approvals.add, approval)
