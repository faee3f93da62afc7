"""Synapse's endpoints that are not for our tokens, and what they answer them (C117).

Through them a token would outlive or outgrow itself; Synapse takes most of them away when sign-in is
delegated to another service. All endpoints that matter here, those that need nothing of this
included, are in docs/reference/matrix-endpoints.md.
"""

from typing import TYPE_CHECKING, Any

from synapse.api.errors import (
    AuthError,
    Codes,
    InteractiveAuthIncompleteError,
    InvalidClientTokenError,
    SynapseError,
)
from synapse.http.server import HttpServer
from synapse.http.servlet import RestServlet, parse_json_object_from_request
from synapse.http.site import SynapseRequest
from synapse.push import PusherConfig
from synapse.rest.client.account import ThreepidDeleteRestServlet, ThreepidRestServlet
from synapse.rest.client.capabilities import CapabilitiesRestServlet
from synapse.rest.client.devices import DehydratedDeviceV2Servlet
from synapse.rest.client.login_token_request import LoginTokenRequestServlet
from synapse.rest.client.pusher import PushersSetRestServlet
from synapse.server import HomeServer
from synapse.types import Requester
from synapse.util.async_helpers import Linearizer
from synapse.util.threepids import canonicalise_email

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth.challenges import add_challenge, insufficient_scope
from synapse_nextgen_auth.homeserver.auth.mark import is_narrow, is_ours, may_administer
from synapse_nextgen_auth.homeserver.database.outage import answered_503
from synapse_nextgen_auth.homeserver.matrix.old_doors import WHY, OldDoors
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted, People
from synapse_nextgen_auth.homeserver.startup import versions
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, API, SET_PROFILE

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts.approvals import Approval
    from synapse_nextgen_auth.flows import approve_operation, begin_session
    from synapse_nextgen_auth.homeserver.auth import narrow
    from synapse_nextgen_auth.homeserver.matrix.uia import used
    from synapse_nextgen_auth.store import factor_mail
else:
    narrow, approve_operation, begin_session, used, factor_mail = late.files(
        "homeserver.auth.narrow",
        "flows.approve_operation",
        "flows.begin_session",
        "homeserver.matrix.uia.used",
        "store.factor_mail",
    )

NEEDS = (
    Needed("synapse.util.threepids", "canonicalise_email", ("address",)),
    Needed("synapse.rest.client.login_token_request", "LoginTokenRequestServlet.on_POST"),
    Needed(
        "synapse.handlers.auth",
        "AuthHandler.validate_user_via_ui_auth",
        ("requester", "request", "request_body", "description"),
    ),
    Needed("synapse.rest.client.account", "ThreepidRestServlet.on_POST", ("request",)),
    Needed("synapse.rest.client.account", "ThreepidDeleteRestServlet.on_POST", ("request",)),
    Needed("synapse.rest.client.capabilities", "CapabilitiesRestServlet.on_GET", ("request",)),
    Needed("synapse.rest.client.devices", "DehydratedDeviceV2Servlet.on_PUT", ("request",)),
    Needed("synapse.rest.client.pusher", "PushersSetRestServlet.on_POST", ("request",)),
    Needed("synapse.api.auth.internal", "InternalAuth.has_access_token", ("request",)),
    Needed("synapse.api.auth.internal", "InternalAuth.get_access_token_from_request", ("request",)),
    Needed("synapse.api.auth.internal", "InternalAuth.get_user_by_access_token", ("token",)),
    Needed("synapse.api.auth.internal", "InternalAuth.get_user_by_req", ("request",)),
    Needed("synapse.storage.databases.main", "DataStore.get_dehydrated_device", ("user_id",)),
    Needed("synapse.storage.databases.main", "DataStore.get_pushers_by_user_id", ("user_id",)),
    Needed("synapse.push.pusherpool", "PusherPool.remove_pusher", ("app_id", "pushkey", "user_id")),
    Needed("synapse.push", "PusherConfig"),
    Needed(
        "synapse.storage.database",
        "DatabasePool.simple_update",
        ("table", "keyvalues", "updatevalues", "desc"),
    ),
    *members("synapse.server", "HomeServer", "get_auth", "get_clock"),
)


def _token_of_ours(servlet: Any, request: SynapseRequest) -> str | None:
    """Return the token of the request if it claims to be ours, living or not."""
    auth = servlet.hs.get_auth()
    if not auth.has_access_token(request):
        return None
    text: str = auth.get_access_token_from_request(request)
    return text if auth.is_token_of_ours(text) else None


async def _refuse_ours(servlet: Any, request: SynapseRequest, what: str, instead: str) -> None:
    """Refuse a token of ours, a dead one as every endpoint does; any other is Synapse's matter."""
    if _token_of_ours(servlet, request) is None:
        return
    await servlet.hs.get_auth().get_user_by_req(request)
    raise AuthError(
        403,
        f"A session that was opened in the browser cannot {what}. {instead}",
        Codes.FORBIDDEN,
    )


def _peek(request: SynapseRequest) -> dict[str, Any]:
    """Return what a request says, and leave it for Synapse to read."""
    body: dict[str, Any] = parse_json_object_from_request(request)
    assert request.content is not None  # noqa: S101 (read just now)
    request.content.seek(0)
    return body


class _AskedOnce:
    """Synapse's auth object for a servlet that asks before Synapse does: a request has one answer."""

    def __init__(self, auth: Any) -> None:
        self._auth = auth

    async def get_user_by_req(self, request: SynapseRequest) -> Requester:
        """Return who sends the request, by Synapse's whole check."""
        known = request.requester
        if isinstance(known, Requester):
            return known
        requester: Requester = await self._auth.get_user_by_req(request)
        return requester


class Threepids(ThreepidRestServlet):
    """`/account/3pid`: reading stays, adding an address does not.

    Synapse asks for no authentication there, and with an address of one's own one resets the
    password.
    """

    def __init__(self, hs: HomeServer, page: str) -> None:
        super().__init__(hs)
        self._instead = f"Do that at {page}."

    async def on_POST(self, request: SynapseRequest) -> tuple[int, dict[str, Any]]:  # noqa: N802 (Synapse's)
        """Refuse a token of ours, leave any other to Synapse."""
        await _refuse_ours(self, request, "add an address this way", self._instead)
        return await super().on_POST(request)


class DeleteThreepid(ThreepidDeleteRestServlet):
    """`/account/3pid/delete`: the owner's way back stays (no authentication in Synapse either)."""

    def __init__(self, hs: HomeServer, homeserver: Homeserver, doors: OldDoors) -> None:
        super().__init__(hs)
        self.auth: Any = _AskedOnce(hs.get_auth())
        self._homeserver = homeserver
        self._doors = doors
        self._instead = f"Do that at {doors.account_url}."

    async def on_POST(self, request: SynapseRequest) -> tuple[int, dict[str, Any]]:  # noqa: N802 (Synapse's)
        """Refuse a token of ours, leave any other to Synapse; but not of who has a second factor.

        Whoever has a token and the password would need that no more where a code goes to the address,
        and could take care that no mail tells the owner what becomes of it.
        """
        await _refuse_ours(self, request, "remove an address", self._instead)
        requester: Requester = await self.auth.get_user_by_req(request)
        body, user_id = _peek(request), requester.user.to_string()
        asked = body.get("address")
        if body.get("medium") == "email" and isinstance(asked, str):
            if await self._doors.stops(user_id, door="/account/3pid/delete"):
                raise AuthError(403, f"{WHY} {self._instead}", Codes.FORBIDDEN)
            with answered_503(self._homeserver):
                goes_to = await self._homeserver.read(factor_mail.get, user_id)
            if goes_to is not None and _is_same(asked, goes_to.address):
                raise AuthError(
                    403,
                    f"Codes go to this address that are a second factor. {self._instead}",
                    Codes.FORBIDDEN,
                )
        return await super().on_POST(request)


def _is_same(asked: str, address: str) -> bool:
    """Say whether Synapse takes what is asked for this address; of what is none it makes nothing."""
    try:
        return bool(canonicalise_email(asked) == canonicalise_email(address))
    except ValueError:
        return False


_SIGN_IN_THERE = "Begin the sign-in on the other device: it opens this server's pages."


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
        self.auth: Any = _AskedOnce(hs.get_auth())
        self._homeserver = homeserver
        self._people = people
        self._confirm_legacy = confirm_legacy
        self._doors = doors

    async def on_POST(self, request: SynapseRequest) -> tuple[int, dict[str, Any]]:  # noqa: N802 (Synapse's)
        """Ask the person, whatever Synapse is set to; leave to it whom no page of ours asks."""
        is_ours = _token_of_ours(self, request) is not None
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
            body = _peek(request)
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


class DehydratedDevice(DehydratedDeviceV2Servlet):
    """`/dehydrated_device` (MSC3814): Synapse would let it overwrite, then delete, any device."""

    def __init__(self, hs: HomeServer, homeserver: Homeserver) -> None:
        super().__init__(hs)
        self.auth: Any = _AskedOnce(hs.get_auth())
        self._homeserver = homeserver

    async def on_PUT(self, request: SynapseRequest) -> tuple[int, dict[str, Any]]:  # noqa: N802 (Synapse's)
        """Refuse a token of ours that names a device that somebody signed in to."""
        if _token_of_ours(self, request) is not None:
            requester = await self.auth.get_user_by_req(request)
            await self._refuse_taken(requester.user.to_string(), _peek(request).get("device_id"))
        return await super().on_PUT(request)

    async def _refuse_taken(self, user_id: str, device_id: object) -> None:
        if not isinstance(device_id, str) or "\0" in device_id:
            return  # Synapse says what is wrong with it
        dehydrated = await self._homeserver.store.get_dehydrated_device(user_id)
        if dehydrated is not None and dehydrated[0] == device_id:
            return
        if await self._homeserver.device_name(user_id, device_id) is not None:
            raise AuthError(
                403, "A device that somebody signed in to cannot be dehydrated", Codes.FORBIDDEN
            )


def _claim_refused(servlet: type[Any]) -> type[Any]:
    """Return a servlet in place of this one, of old releases: a token of ours is not a row to change.

    Synapse would delete the dehydrated device before it notices.
    """

    class ClaimDehydratedDevice(servlet):  # type: ignore[misc]
        """`/dehydrated_device/claim` (MSC2697)."""

        async def on_POST(self, request: SynapseRequest) -> tuple[int, dict[str, Any]]:  # noqa: N802 (Synapse's)
            """Refuse a token of ours, leave any other to Synapse."""
            await _refuse_ours(self, request, "become another device", _SIGN_IN_THERE)
            answer: tuple[int, dict[str, Any]] = await super().on_POST(request)
            return answer

    return ClaimDehydratedDevice


class SetPusher(PushersSetRestServlet):
    """`/pushers/set`: a pusher belongs to who turned it where it leads, and goes with that session.

    Synapse lets a pusher that another device set keep that device, so that it would stay after the
    session that turned it to a gateway of its own.
    """

    def __init__(self, hs: HomeServer, homeserver: Homeserver) -> None:
        super().__init__(hs)
        self.auth: Any = _AskedOnce(hs.get_auth())
        self._homeserver = homeserver
        # Only the main process writes pushers, so what is compared with what is written stays so.
        self._turns = Linearizer(name="nextgen_pushers", clock=hs.get_clock())

    async def on_POST(self, request: SynapseRequest) -> tuple[int, dict[str, Any]]:  # noqa: N802 (Synapse's)
        """Let Synapse set the pusher; what a token of ours must not leave behind is undone then."""
        requester = await self.auth.get_user_by_req(request)
        async with self._turns.queue(requester.user.to_string()):
            if _token_of_ours(self, request) is None:
                return await super().on_POST(request)
            body = _peek(request)
            wanted = (body.get("app_id"), body.get("pushkey"))
            if any(value is not None and not isinstance(value, str) for value in wanted):
                # SQLite would find the pusher of a text by a number; nobody compares those here.
                raise SynapseError(400, "app_id and pushkey are strings", Codes.INVALID_PARAM)
            before = await self._find(requester, wanted)
            try:
                return await super().on_POST(request)
            finally:
                # Also after a failure: that may have come when the pusher was written already.
                with answered_503(self._homeserver):
                    await self._own(requester, before, wanted)
                    await self._refuse_ended(request, requester, wanted)

    async def _find(self, requester: Requester, wanted: tuple[Any, Any]) -> PusherConfig | None:
        for pusher in await self._store.get_pushers_by_user_id(requester.user.to_string()):
            if (pusher.app_id, pusher.pushkey) == wanted:
                return pusher
        return None

    async def _own(
        self, requester: Requester, before: PusherConfig | None, wanted: tuple[Any, Any]
    ) -> None:
        """Make the pusher of another device one of this device if it now leads elsewhere.

        What is in memory does not know its device: the row alone decides what a pusher goes with.
        """
        if before is None or before.device_id == requester.device_id:
            return
        after = await self._find(requester, wanted)
        if after is None or (after.kind, after.data) == (before.kind, before.data):
            return
        user_id = requester.user.to_string()
        try:
            await self._store.db_pool.simple_update(
                table="pushers",
                keyvalues={"user_name": user_id, "app_id": wanted[0], "pushkey": wanted[1]},
                updatevalues={"device_id": requester.device_id, "access_token": None},
                desc="nextgen_own_pusher",
            )
        except self._homeserver.database_errors:
            await self.pusher_pool.remove_pusher(*wanted, user_id)
            raise

    async def _refuse_ended(
        self, request: SynapseRequest, requester: Requester, wanted: tuple[Any, Any]
    ) -> None:
        """Undo it if the session ended after its token was checked (C117).

        Whatever removes the pushers of an ended session looks for them after its end is committed,
        and here the session is looked up after the pusher is: whichever comes second sees the other.
        """
        auth: Any = self.hs.get_auth()  # ours, see `auth.install`
        session_id = auth.session_of(request)
        if await self._homeserver.read(begin_session.is_living, session_id):
            return
        pusher = await self._find(requester, wanted)
        if pusher is None or pusher.device_id == requester.device_id:
            # Also when the row is gone: it may have been started in memory after that.
            await self.pusher_pool.remove_pusher(*wanted, requester.user.to_string())
        self._homeserver.live.forget_here((session_id,))
        try:
            await auth.get_user_by_access_token(auth.get_access_token_from_request(request))
            raise InvalidClientTokenError("The session has ended")
        except InvalidClientTokenError as error:
            add_challenge(error)
            raise


# What people do on the account page, though the requests pass once they approved them. Clients show
# forms for what is true here.
_ON_THE_PAGES = ("m.change_password", "m.3pid_changes")
_OF_THE_PROFILE = (
    "m.set_displayname",
    "m.set_avatar_url",
    "m.profile_fields",
    "uk.tcpip.msc4133.profile_fields",
)
_LOGIN_TOKEN = "m.get_login_token"  # noqa: S105 - a capability


class Capabilities(CapabilitiesRestServlet):
    """`/capabilities` says what this token may do, not what some other may."""

    def __init__(self, hs: HomeServer, people: People) -> None:
        super().__init__(hs)
        self._people = people

    async def on_GET(self, request: SynapseRequest) -> tuple[int, dict[str, Any]]:  # noqa: N802 (Synapse's)
        """Answer as Synapse does, without what our tokens do on our pages."""
        status, answer = await super().on_GET(request)
        requester = request.requester
        if isinstance(requester, Requester) and is_ours(requester):
            told = answer["capabilities"]
            told.update({name: {"enabled": False} for name in _ON_THE_PAGES})
            if told.get(_LOGIN_TOKEN, {}).get("enabled"):
                is_good = await may_have_login_tokens(self._people, requester)
                told[_LOGIN_TOKEN] = {"enabled": is_good}
            if is_narrow(requester) and not narrow.of(requester).has_everywhere(SET_PROFILE):
                told.update({name: {"enabled": False} for name in _OF_THE_PROFILE if name in told})
        return status, answer


def servlets(
    hs: HomeServer,
    homeserver: Homeserver,
    people: People,
    doors: OldDoors,
    *,
    confirm_legacy: bool,
) -> list[RestServlet]:
    """Return what this process serves in place of Synapse's own."""
    page = doors.account_url  # where people go on
    found: list[RestServlet] = [Threepids(hs, page), Capabilities(hs, people)]
    if hs.config.experimental.msc3814_enabled:
        found.append(DehydratedDevice(hs, homeserver))
    if claims := versions.dehydrated_device_claims(hs):
        found.append(_claim_refused(claims)(hs))
    if hs.config.worker.worker_app is None:
        found += [DeleteThreepid(hs, homeserver, doors), SetPusher(hs, homeserver)]
        if hs.config.auth.login_via_existing_enabled:
            found.append(
                GetLoginToken(hs, homeserver, people, confirm_legacy=confirm_legacy, doors=doors)
            )
    return found


def close(
    homeserver: Homeserver,
    people: People,
    http_server: HttpServer,
    doors: OldDoors,
    *,
    confirm_legacy: bool,
) -> None:
    """Register these after Synapse's own: an equal pattern takes the place of the earlier one."""
    for servlet in servlets(
        homeserver.hs, homeserver, people, doors, confirm_legacy=confirm_legacy
    ):
        servlet.register(http_server)
