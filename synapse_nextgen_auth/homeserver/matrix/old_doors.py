"""The ways in that ask for no second factor, and cannot: closed where an account needs one (C293).

Each is closed behind what it checks: nobody hears of a factor who has not the password, the token or
the mailbox. `/login` and User-Interactive Authentication are in `legacy_login.py` and `uia/gate.py`.
"""

from typing import TYPE_CHECKING, Any

from synapse.api.errors import Codes, SynapseError
from synapse.http.server import HttpServer
from synapse.rest.client.account import PasswordRestServlet
from synapse.rest.client.register import RegisterRestServlet

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.factors.policy import LegacyLogins
from synapse_nextgen_auth.accounts.legacy_login import NEEDS_FACTOR
from synapse_nextgen_auth.homeserver import http
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.database.outage import answered_503, come_back
from synapse_nextgen_auth.homeserver.no_answer import NoAnswer
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.events import Event, EventKind

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver.people.second_factors import SecondFactors
    from synapse_nextgen_auth.store import events, factor_mail
else:
    events, factor_mail = late.files("store.events", "store.factor_mail")

NEEDS = (
    Needed("synapse.rest.client.account", "PasswordRestServlet"),
    Needed(
        "synapse.handlers.set_password",
        "SetPasswordHandler.set_password",
        ("user_id", "password_hash", "logout_devices", "requester"),
    ),
    Needed(
        "synapse.rest.client.register",
        "RegisterRestServlet._create_registration_details",
        ("user_id", "params", "is_appservice_ghost", "should_issue_refresh_token"),
    ),
    *members("synapse.server", "HomeServer", "get_set_password_handler"),
)


class OldDoors:
    """Which accounts do not get in by one thing alone, and what becomes of whoever tries."""

    def __init__(
        self,
        homeserver: Homeserver,
        factors: "SecondFactors",
        rule: LegacyLogins,
        *,
        account_url: str,
    ) -> None:
        self._homeserver = homeserver
        self._factors = factors
        self._rule = rule
        self.account_url = account_url

    async def lacks(self, user_id: str) -> bool:
        """Say whether whoever proved one thing of this account needs a second factor."""
        with answered_503(self._homeserver):
            try:
                return await self._factors.lacks(user_id)
            except NoAnswer as silent:
                raise come_back() from silent

    async def stops(self, user_id: str, *, door: str) -> bool:
        """Say whether nobody gets in here; where the operator lets them, the owner is told, or not."""
        if self._rule is LegacyLogins.ALLOW or not await self.lacks(user_id):
            return False
        if self._rule is LegacyLogins.REFUSE:
            return True
        now, address = self._homeserver.now(), http.address_of_request()
        skipped = Event(EventKind.FACTOR_SKIPPED, now, user_id, address=address, detail=door)
        with answered_503(self._homeserver):
            await self._homeserver.run(events.add, skipped)
        return False

    async def sends_codes(self, user_id: str) -> bool:
        """Say whether a mailbox is the second factor of an account, perhaps beside others."""
        if not self._factors.is_on:
            return False
        with answered_503(self._homeserver):
            return await self._homeserver.read(factor_mail.get, user_id) is not None


class _ForgottenPassword:
    """Synapse's handler, for a servlet that sets passwords of people who are not signed in."""

    def __init__(self, handler: Any, doors: OldDoors) -> None:
        self._handler = handler
        self._doors = doors

    async def set_password(
        self,
        user_id: str,
        password_hash: str,
        logout_devices: bool,  # noqa: FBT001 (Synapse's)
        requester: Any = None,
    ) -> None:
        """Set it, unless it is that of an account with a factor that nobody proved here.

        Where codes go to a mailbox no operator lets them: who reads it would have both factors.
        """
        if requester is None and (
            await self._doors.sends_codes(user_id)
            or await self._doors.stops(user_id, door="/account/password")
        ):
            raise SynapseError(
                403,
                f"{NEEDS_FACTOR} Set a new password in the browser. Your account is at"
                f" {self._doors.account_url}",
                Codes.FORBIDDEN,
            )
        await self._handler.set_password(user_id, password_hash, logout_devices, requester)


class ForgottenPassword(PasswordRestServlet):
    """`/account/password`: without a token, a mailbox is no second factor, and takes none away."""

    def __init__(self, homeserver: Homeserver, doors: OldDoors) -> None:
        super().__init__(homeserver.hs)
        handler = homeserver.hs.get_set_password_handler()
        self._set_password_handler: Any = _ForgottenPassword(handler, doors)


class Register(RegisterRestServlet):
    """`/register`: a new account that needs a factor is made, and signs in in the browser."""

    def __init__(self, homeserver: Homeserver, doors: OldDoors) -> None:
        super().__init__(homeserver.hs)
        self._doors = doors

    async def _create_registration_details(
        self,
        user_id: str,
        params: dict[str, Any],
        is_appservice_ghost: bool = False,  # noqa: FBT001, FBT002 (Synapse's)
        should_issue_refresh_token: bool = False,  # noqa: FBT001, FBT002 (Synapse's)
    ) -> dict[str, Any]:
        """Answer as if the client had asked for no session, where it would be one without a factor."""
        wants_session = not is_appservice_ghost and not params.get("inhibit_login", False)
        if wants_session and await self._doors.stops(user_id, door="/register"):
            params = {**params, "inhibit_login": True}
        return await super()._create_registration_details(
            user_id, params, is_appservice_ghost, should_issue_refresh_token
        )


def register(homeserver: Homeserver, http_server: HttpServer, doors: OldDoors) -> None:
    """Serve them in the place of Synapse's, where those are."""
    Register(homeserver, doors).register(http_server)
    if homeserver.is_main:
        ForgottenPassword(homeserver, doors).register(http_server)
