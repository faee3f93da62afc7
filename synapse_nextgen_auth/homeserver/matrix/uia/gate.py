"""User-Interactive Authentication for our tokens: the browser takes its place (CS API, MSC4312).

Passwords and other stages can never complete it: who has the token of a session and a password could
be anybody who found both. A page says what the session wants, and its person approves that one request.

With `legacy_login.confirm_in_browser` it is the same for legacy tokens, and always for those of accounts
that have a second factor: a password that is typed into an app would do without it. No session of
Synapse's is ever completed by it: Synapse would take any request for the same address, for as long as
it keeps that one.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import attrs
from synapse.api.errors import AuthError, Codes, InteractiveAuthIncompleteError, SynapseError
from synapse.http.site import SynapseRequest
from synapse.types import Requester

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.legacy_login import NEEDS_FACTOR
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth.mark import is_ours
from synapse_nextgen_auth.homeserver.auth.token_check import TokenCheck
from synapse_nextgen_auth.homeserver.colleagues import Away
from synapse_nextgen_auth.homeserver.database.outage import answered_503, come_back
from synapse_nextgen_auth.homeserver.matrix.old_doors import OldDoors
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.metadata import Endpoints
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind
from synapse_nextgen_auth.secret import random_id

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts import approvals
    from synapse_nextgen_auth.accounts.approvals import Approval, Operation
    from synapse_nextgen_auth.flows import approve_operation
    from synapse_nextgen_auth.homeserver.matrix.uia import asked as reading
    from synapse_nextgen_auth.homeserver.matrix.uia import used
    from synapse_nextgen_auth.homeserver.matrix.uia.asked import Asked
else:
    approvals, approve_operation, reading, used = late.files(
        "accounts.approvals",
        "flows.approve_operation",
        "homeserver.matrix.uia.asked",
        "homeserver.matrix.uia.used",
    )

NEEDS = (
    Needed(
        "synapse.handlers.auth",
        "AuthHandler.validate_user_via_ui_auth",
        ("requester", "request", "request_body", "description", "can_skip_ui_auth"),
    ),
    Needed("synapse.api.auth.internal", "InternalAuth.get_access_token_from_request", ("request",)),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.create_ui_auth_session",
        ("clientdict", "uri", "method", "description"),
    ),
    *members("synapse.server", "HomeServer", "get_auth", "get_auth_handler"),
)

Validate = Callable[..., Awaitable[tuple[dict[str, Any], str | None]]]

# What the specification has for a reset (the second name is older than it, MSC4312), and what every
# client can show for all else: it opens a page.
_OF_RESET = ("m.oauth", "org.matrix.cross_signing_reset")
_OF_OTHERS = ("m.login.sso",)
REFUSED = "This was refused in the browser. Nothing was changed."


class BrowserUiAuth:
    """The one gate for interactive re-authentication, for requests that carry a token of ours."""

    def __init__(
        self,
        homeserver: Homeserver,
        check: TokenCheck,
        endpoints: Endpoints,
        *,
        confirm_legacy: bool,
        doors: OldDoors,
    ) -> None:
        self._homeserver = homeserver
        self._check = check
        self._endpoints = endpoints
        self._auth = homeserver.hs.get_auth()
        self._promises = late.made(lambda: reading.Promises(homeserver))
        handler: Any = homeserver.hs.get_auth_handler()
        self._stock: Validate = patches.instead(handler, "validate_user_via_ui_auth", self.validate)
        self._confirm_legacy = confirm_legacy
        self._doors = doors

    async def validate(
        self,
        requester: Requester,
        request: SynapseRequest,
        request_body: dict[str, Any],
        description: str,
        can_skip_ui_auth: bool = False,  # noqa: FBT001, FBT002 (Synapse's signature)
    ) -> tuple[dict[str, Any], str | None]:
        """Let the request pass if its person approved it, say where to do so if not."""
        asked = None
        if is_ours(requester):
            token = self._check.read(self._auth.get_access_token_from_request(request))
            if token.kind is Kind.PERSONAL:
                raise AuthError(403, self._personal, Codes.FORBIDDEN)
            asked = reading.read(requester, request, token.session_id, self._check.keys)
            if asked is None:
                raise AuthError(403, self._unknown, Codes.FORBIDDEN)
        # A bridge has no token that Synapse counts, and no person who could be asked.
        elif requester.access_token_id is not None:
            user_id = requester.user.to_string()
            has_factor = await self._doors.lacks(user_id)
            if has_factor or self._confirm_legacy:
                asked = reading.read(requester, request, user_id, self._check.keys)
            if has_factor and asked is None:
                raise AuthError(403, self._needs_factor, Codes.FORBIDDEN)
        if asked is None:
            return await self._stock(
                requester, request, request_body, description, can_skip_ui_auth
            )
        with answered_503(self._homeserver):
            if not asked.is_empty:
                await self._pass(asked, request, description)
        request_body.pop("auth", None)
        # No session of Synapse's: it would look for what the first request said, and this one did.
        return request_body, None

    @property
    def _unknown(self) -> str:
        page = self._endpoints.url("account")
        return (
            f"A session that was opened in the browser cannot do this. Your account is at {page}."
        )

    @property
    def _personal(self) -> str:
        page = self._endpoints.url("account")
        return f"A personal token cannot do this. The account is at {page}."

    @property
    def _needs_factor(self) -> str:
        return f"{NEEDS_FACTOR} Your account is at {self._endpoints.url('account')}."

    async def _pass(self, asked: "Asked", request: SynapseRequest, description: str) -> None:
        """Raise the challenge unless its person approved the request, which uses that up.

        Nothing is written while they decide, and one query is all that a repeated request costs.
        """
        now = self._homeserver.now()
        answer, approval = await self._homeserver.read(
            approve_operation.look, asked.request, ui_session=asked.ui_session, now=now
        )
        if approval is not None and answer is approvals.Answer.REFUSE:
            await self._homeserver.settle(approve_operation.hear, approval, now=now)
            raise SynapseError(403, REFUSED, Codes.FORBIDDEN)
        if approval is not None and answer is approvals.Answer.PASS:
            await self._expect_colleagues(asked.request.operation)
            if await self._homeserver.settle(approve_operation.use, approval, now=now):
                used.note(request, approval)
                return
            approval = None  # a copy of the request was faster
        challenge = self._said(approval or await self._ask(asked, description, now))
        raise InteractiveAuthIncompleteError(challenge["session"], challenge)

    async def _expect_colleagues(self, operation: "Operation") -> None:
        """Look, before an approval is used up, whether those are there who do what it is for."""
        colleagues = self._homeserver.colleagues
        is_reset = operation is approvals.Operation.CROSS_SIGNING_RESET
        names = colleagues.for_new_devices if is_reset else colleagues.for_old_devices
        try:
            await colleagues.expect(names, afresh=True)
        except Away as away:
            raise come_back() from away

    async def _ask(self, asked: "Asked", description: str, now: int) -> "Approval":
        details = await self._promises.details(asked)
        question = approvals.Approval.asked(
            asked.request.question(now),
            asked.request,
            ui_session=None,
            details=details.sealed(self._check.keys),
            address=asked.address,
            now=now,
        )
        # Looked at before Synapse writes a row that nothing would use, and again where ours is written.
        approval = None
        if await self._homeserver.read(approve_operation.has_room, question, now=now):
            # A session of Synapse's own: where a password is changed, it keeps something under its id.
            session = await self._homeserver.store.create_ui_auth_session(
                {}, asked.request.path, asked.request.method, description
            )
            approval = await self._homeserver.settle(
                approve_operation.ask,
                attrs.evolve(question, ui_session=session.session_id),
                otherwise=random_id(),
                now=now,
            )
        if approval is None:
            said = "Too much waits for an approval in the browser"
            headers = {"Retry-After": "60"}
            raise SynapseError(429, said, Codes.LIMIT_EXCEEDED, headers=headers)
        return approval

    def _said(self, approval: "Approval") -> dict[str, Any]:
        url = self._endpoints.url(f"approve?request={approval.approval_id}")
        is_reset = approval.operation is approvals.Operation.CROSS_SIGNING_RESET
        # A client that signed in the old way may be older than `m.oauth`.
        stages = _OF_RESET if is_reset and not approval.is_legacy else _OF_OTHERS
        said = (
            f"Approve the reset of your cryptographic identity at {url} and try again."
            if is_reset
            else f"Approve this at {url} and try again."
        )
        return {
            "session": approval.ui_session or approval.approval_id,
            "completed": [],
            "flows": [{"stages": [stage]} for stage in stages],
            "params": {stage: {"url": url} for stage in stages},
            "msg": said,
        }
