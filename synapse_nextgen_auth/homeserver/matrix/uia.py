"""User-Interactive Authentication for our tokens: the browser takes its place (CS API, m.oauth).

Passwords and other stages can never complete it: a token of ours is bound to a scope, and the only
operation that the specification keeps is the cross-signing reset, approved on a page of ours.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from synapse.api.errors import AuthError, Codes, InteractiveAuthIncompleteError
from synapse.http.site import SynapseRequest
from synapse.types import Requester

from synapse_nextgen_auth.accounts.approvals import Approval, Operation
from synapse_nextgen_auth.flows import approve_operation
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth.token_check import TokenCheck, is_ours
from synapse_nextgen_auth.homeserver.colleagues import Away
from synapse_nextgen_auth.homeserver.database.outage import come_back
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.metadata import Endpoints
from synapse_nextgen_auth.secret import random_id

NEEDS = (
    Needed(
        "synapse.handlers.auth",
        "AuthHandler.validate_user_via_ui_auth",
        ("requester", "request", "request_body", "description", "can_skip_ui_auth"),
    ),
    Needed("synapse.api.auth.internal", "InternalAuth.get_access_token_from_request", ("request",)),
    *members("synapse.server", "HomeServer", "get_auth", "get_auth_handler"),
)

Validate = Callable[..., Awaitable[tuple[dict[str, Any], str | None]]]

_RESET_PATH = b"/keys/device_signing/upload"
# The second name is what clients used before the first one was specified (MSC4312).
_STAGES = ("m.oauth", "org.matrix.cross_signing_reset")


# Where people go on with what has no page of ours yet.
IN_ANOTHER_WAY = (
    "Use an application that signed in with a password, or ask the administrator of this server."
)
_DEVICES = re.compile(rb"/(delete_devices|devices/[^/]+)/?$")


class BrowserUiAuth:
    """The one gate for interactive re-authentication, for requests that carry a token of ours."""

    def __init__(self, homeserver: Homeserver, check: TokenCheck, endpoints: Endpoints) -> None:
        self._homeserver = homeserver
        self._check = check
        self._endpoints = endpoints
        self._auth = homeserver.hs.get_auth()
        handler: Any = homeserver.hs.get_auth_handler()
        self._stock: Validate = patches.instead(handler, "validate_user_via_ui_auth", self.validate)

    async def validate(
        self,
        requester: Requester,
        request: SynapseRequest,
        request_body: dict[str, Any],
        description: str,
        can_skip_ui_auth: bool = False,  # noqa: FBT001, FBT002 (Synapse's signature)
    ) -> tuple[dict[str, Any], str | None]:
        """Let the operation pass if its person approved it, say where to do so if not."""
        if not is_ours(requester):
            return await self._stock(
                requester, request, request_body, description, can_skip_ui_auth
            )
        if not (request.path or b"").endswith(_RESET_PATH):
            raise AuthError(403, self._refusal(request.path or b""), Codes.FORBIDDEN)
        return await self._reset(requester, request, request_body)

    def _refusal(self, path: bytes) -> str:
        """Say what does not work here, and where the same thing does."""
        if _DEVICES.search(path):
            page = self._endpoints.url("account")
            return (
                "This session was opened in the browser and cannot sign other devices out."
                f" Do that at {page}."
            )
        return (
            "This session was opened in the browser and cannot confirm this with a password."
            f" {IN_ANOTHER_WAY}"
        )

    async def _reset(
        self, requester: Requester, request: SynapseRequest, body: dict[str, Any]
    ) -> tuple[dict[str, Any], str | None]:
        token = self._check.read(self._auth.get_access_token_from_request(request))
        now = self._homeserver.now()
        user_id = requester.user.to_string()
        try:
            # Before the approval is used up: Synapse tells others of the new keys through them.
            colleagues = self._homeserver.colleagues
            await colleagues.expect(colleagues.for_new_devices, afresh=True)
        except Away as away:
            raise come_back() from away
        approved = await self._homeserver.run(
            approve_operation.use,
            user_id=user_id,
            session_id=token.session_id,
            operation=Operation.CROSS_SIGNING_RESET,
            now=now,
        )
        if approved:
            body.pop("auth", None)
            return body, None
        wanted = Approval(
            random_id(), user_id, token.session_id, Operation.CROSS_SIGNING_RESET, now
        )
        asked = await self._homeserver.run(approve_operation.ask, wanted)
        raise InteractiveAuthIncompleteError(asked.approval_id, self._challenge(asked))

    def _challenge(self, asked: Approval) -> dict[str, Any]:
        url = self._endpoints.url(f"approve?request={asked.approval_id}")
        return {
            "session": asked.approval_id,
            "completed": [],
            "flows": [{"stages": [stage]} for stage in _STAGES],
            "params": {stage: {"url": url} for stage in _STAGES},
            "msg": f"Approve the reset of your cryptographic identity at {url} and try again.",
        }
