"""`/login/get_token`: a session that opens another one, with as much power at the most."""

from typing import TYPE_CHECKING, Any

from synapse.api.errors import Codes, InteractiveAuthIncompleteError, SynapseError
from synapse.http.site import SynapseRequest
from synapse.rest.client.login_token_request import LoginTokenRequestServlet
from synapse.server import HomeServer
from synapse.types import Requester

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth.challenges import insufficient_scope
from synapse_nextgen_auth.homeserver.auth.mark import may_administer
from synapse_nextgen_auth.homeserver.database.outage import answered_503
from synapse_nextgen_auth.homeserver.matrix.asked_before import AskedOnce, peek, token_of_ours
from synapse_nextgen_auth.homeserver.matrix.old_doors import OldDoors
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted, People
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, API

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts.approvals import Approval
    from synapse_nextgen_auth.flows import approve_operation
    from synapse_nextgen_auth.homeserver.matrix.uia import used
else:
    approve_operation, used = late.files("flows.approve_operation", "homeserver.matrix.uia.used")

NEEDS = (
    Needed("synapse.rest.client.login_token_request", "LoginTokenRequestServlet.on_POST"),
    Needed(
        "synapse.handlers.auth",
        "AuthHandler.validate_user_via_ui_auth",
        ("requester", "request", "request_body", "description"),
    ),
    Needed("synapse.api.auth.internal", "InternalAuth.get_user_by_req", ("request",)),
    *members("synapse.server", "HomeServer", "get_auth"),
)


class GetLoginToken(LoginTokenRequestServlet):
    """`/login/get_token` makes a token of full access and perhaps without an end (MSC3882, C334).

    So it takes a session that has as much, and its person, on a page that says so. Where legacy clients
    confirm in the browser, or have a second factor, their people are asked as well.
    """

    def __init__(
        self,
        hs: HomeServer,
        homeserver: Homeserver,
        people: People,
        *,
        confirm_legacy: bool,
        doors: OldDoors,
    ) -> None:
        super().__init__(hs)
        self.hs = hs
        self.auth: Any = AskedOnce(hs.get_auth())
        self._homeserver = homeserver
        self._people = people
        self._confirm_legacy = confirm_legacy
        self._doors = doors

    async def on_POST(self, request: SynapseRequest) -> tuple[int, dict[str, Any]]:  # noqa: N802 (Synapse's)
        """Ask the person, whatever Synapse is set to; leave to it whom no page of ours asks."""
        is_ours = token_of_ours(self, request) is not None
        requester: Requester = await self.auth.get_user_by_req(request)
        if not is_ours and requester.access_token_id is None:
            return await super().on_POST(request)  # a bridge: there is nobody to ask
        user_id = requester.user.to_string()
        if is_ours or self._confirm_legacy or await self._doors.lacks(user_id):
            if is_ours and not await may_have_login_tokens(self._people, requester):
                raise insufficient_scope(
                    "This session has less power than a login token would have", ADMIN
                )
            # Before the person is asked, for an approval that leads to "too often" would be used up.
            await self._ratelimiter.ratelimit(None, user_id.lower(), update=False)
            body = peek(request)
            if not self.hs.config.auth.login_via_existing_require_ui_auth:
                try:
                    await self.auth_handler.validate_user_via_ui_auth(
                        requester, request, body, "issue a new access token for your account"
                    )
                except InteractiveAuthIncompleteError as incomplete:
                    return 401, incomplete.result
        status, answer = await super().on_POST(request)
        approval = used.of(request)
        if approval is not None and "login_token" in answer:
            await self._note(approval, answer["login_token"])
        return status, answer

    async def _note(self, approval: "Approval", token: str) -> None:
        """Make the token end with the session that asked, and with who approved that."""
        now = self._homeserver.now()
        with answered_503(self._homeserver):
            is_good = await self._homeserver.run(
                approve_operation.give_login_token, approval, token, now=now
            )
        if not is_good:
            raise SynapseError(403, "This was taken back meanwhile", Codes.FORBIDDEN)


async def may_have_login_tokens(people: People, requester: Requester) -> bool:
    """Say whether a token opens as much of its account as a login token would: all of the API.

    For an administrator that is the server, which most of their sessions were not granted.
    """
    if API not in requester.scope:
        return False
    try:
        account = await people.admit(requester.user.to_string(), Intent.MATRIX_API)
    except NotAdmitted:
        return False
    return not account.is_admin or may_administer(requester)
