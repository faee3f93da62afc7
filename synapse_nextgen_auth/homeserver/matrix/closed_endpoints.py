"""Synapse's endpoints that are not for our tokens, and what they answer them (C117).

Through them a token would outlive or outgrow itself; Synapse takes most of them away when sign-in is
delegated to another service. All endpoints that matter here, those that need nothing of this
included, are in docs/reference/matrix-endpoints.md.
"""

from typing import TYPE_CHECKING, Any

from synapse.api.errors import (
    AuthError,
    Codes,
)
from synapse.http.server import HttpServer
from synapse.http.servlet import RestServlet
from synapse.http.site import SynapseRequest
from synapse.rest.client.account import ThreepidDeleteRestServlet, ThreepidRestServlet
from synapse.rest.client.capabilities import CapabilitiesRestServlet
from synapse.rest.client.devices import DehydratedDeviceV2Servlet
from synapse.server import HomeServer
from synapse.types import Requester
from synapse.util.threepids import canonicalise_email

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.legacy_login import NEEDS_FACTOR
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth.mark import is_narrow, is_ours
from synapse_nextgen_auth.homeserver.database.outage import answered_503
from synapse_nextgen_auth.homeserver.matrix.asked_before import (
    AskedOnce,
    peek,
    refuse_ours,
    token_of_ours,
)
from synapse_nextgen_auth.homeserver.matrix.old_doors import OldDoors
from synapse_nextgen_auth.homeserver.matrix.set_pusher import SetPusher
from synapse_nextgen_auth.homeserver.people.accounts import People
from synapse_nextgen_auth.homeserver.startup import versions
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.scopes.permissions import SET_PROFILE

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver.auth import narrow
    from synapse_nextgen_auth.homeserver.matrix import get_login_token
    from synapse_nextgen_auth.store import factor_mail
else:
    narrow, get_login_token, factor_mail = late.files(
        "homeserver.auth.narrow", "homeserver.matrix.get_login_token", "store.factor_mail"
    )

NEEDS = (
    Needed("synapse.util.threepids", "canonicalise_email", ("address",)),
    Needed("synapse.rest.client.account", "ThreepidRestServlet.on_POST", ("request",)),
    Needed("synapse.rest.client.account", "ThreepidDeleteRestServlet.on_POST", ("request",)),
    Needed("synapse.rest.client.capabilities", "CapabilitiesRestServlet.on_GET", ("request",)),
    Needed("synapse.rest.client.devices", "DehydratedDeviceV2Servlet.on_PUT", ("request",)),
    Needed("synapse.storage.databases.main", "DataStore.get_dehydrated_device", ("user_id",)),
    Needed("synapse.api.auth.internal", "InternalAuth.get_user_by_req", ("request",)),
    *members("synapse.server", "HomeServer", "get_auth"),
)


class Threepids(ThreepidRestServlet):
    """`/account/3pid`: reading stays, adding an address does not.

    Synapse asks for no authentication there, and with an address of one's own one resets the
    password. So where legacy clients confirm such things in the browser they cannot do it here, either.
    """

    def __init__(self, hs: HomeServer, doors: OldDoors, *, confirm_legacy: bool) -> None:
        super().__init__(hs)
        self.auth: Any = AskedOnce(hs.get_auth())
        self._doors = doors
        self._confirm_legacy = confirm_legacy
        self._instead = f"Do that at {doors.account_url}."

    async def on_POST(self, request: SynapseRequest) -> tuple[int, dict[str, Any]]:  # noqa: N802 (Synapse's)
        """Refuse a token of ours, and of whoever confirms in the browser; leave others to Synapse."""
        await refuse_ours(self, request, "add an address this way", self._instead)
        requester: Requester = await self.auth.get_user_by_req(request)
        # A bridge has no token that Synapse counts.
        if requester.access_token_id is not None:
            if await self._doors.lacks(requester.user.to_string()):
                raise AuthError(403, f"{NEEDS_FACTOR} {self._instead}", Codes.FORBIDDEN)
            if self._confirm_legacy:
                raise AuthError(
                    403,
                    f"On this server an address is confirmed in the browser. {self._instead}",
                    Codes.FORBIDDEN,
                )
        return await super().on_POST(request)


class DeleteThreepid(ThreepidDeleteRestServlet):
    """`/account/3pid/delete`: the owner's way back stays (no authentication in Synapse either)."""

    def __init__(self, hs: HomeServer, homeserver: Homeserver, doors: OldDoors) -> None:
        super().__init__(hs)
        self.auth: Any = AskedOnce(hs.get_auth())
        self._homeserver = homeserver
        self._doors = doors
        self._instead = f"Do that at {doors.account_url}."

    async def on_POST(self, request: SynapseRequest) -> tuple[int, dict[str, Any]]:  # noqa: N802 (Synapse's)
        """Refuse a token of ours, leave any other to Synapse; but not of who has a second factor.

        Whoever has a token and the password would need that no more where a code goes to the address,
        and could take care that no mail tells the owner what becomes of it.
        """
        await refuse_ours(self, request, "remove an address", self._instead)
        requester: Requester = await self.auth.get_user_by_req(request)
        body, user_id = peek(request), requester.user.to_string()
        asked = body.get("address")
        if body.get("medium") == "email" and isinstance(asked, str):
            if await self._doors.stops(user_id, door="/account/3pid/delete"):
                raise AuthError(403, f"{NEEDS_FACTOR} {self._instead}", Codes.FORBIDDEN)
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


class DehydratedDevice(DehydratedDeviceV2Servlet):
    """`/dehydrated_device` (MSC3814): Synapse would let it overwrite, then delete, any device."""

    def __init__(self, hs: HomeServer, homeserver: Homeserver) -> None:
        super().__init__(hs)
        self.auth: Any = AskedOnce(hs.get_auth())
        self._homeserver = homeserver

    async def on_PUT(self, request: SynapseRequest) -> tuple[int, dict[str, Any]]:  # noqa: N802 (Synapse's)
        """Refuse a token of ours that names a device that somebody signed in to."""
        if token_of_ours(self, request) is not None:
            requester = await self.auth.get_user_by_req(request)
            await self._refuse_taken(requester.user.to_string(), peek(request).get("device_id"))
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
            await refuse_ours(self, request, "become another device", _SIGN_IN_THERE)
            answer: tuple[int, dict[str, Any]] = await super().on_POST(request)
            return answer

    return ClaimDehydratedDevice


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
                is_good = await get_login_token.may_have_login_tokens(self._people, requester)
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
    found: list[RestServlet] = [
        Threepids(hs, doors, confirm_legacy=confirm_legacy),
        Capabilities(hs, people),
    ]
    if hs.config.experimental.msc3814_enabled:
        found.append(DehydratedDevice(hs, homeserver))
    if claims := versions.dehydrated_device_claims(hs):
        found.append(_claim_refused(claims)(hs))
    if hs.config.worker.worker_app is None:
        found += [DeleteThreepid(hs, homeserver, doors), SetPusher(hs, homeserver)]
        if hs.config.auth.login_via_existing_enabled:
            found.append(
                get_login_token.GetLoginToken(
                    hs, homeserver, people, confirm_legacy=confirm_legacy, doors=doors
                )
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
