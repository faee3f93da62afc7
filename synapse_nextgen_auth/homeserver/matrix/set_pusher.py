"""`/pushers/set`: what a session turned elsewhere goes with it (C117)."""

from typing import TYPE_CHECKING, Any

from synapse.api.errors import Codes, InvalidClientTokenError, SynapseError
from synapse.http.site import SynapseRequest
from synapse.push import PusherConfig
from synapse.rest.client.pusher import PushersSetRestServlet
from synapse.server import HomeServer
from synapse.types import Requester
from synapse.util.async_helpers import Linearizer

from synapse_nextgen_auth import late
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth.challenges import add_challenge
from synapse_nextgen_auth.homeserver.database.outage import answered_503
from synapse_nextgen_auth.homeserver.matrix.asked_before import AskedOnce, peek, token_of_ours
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows import begin_session
else:
    begin_session = late.file("flows.begin_session")

NEEDS = (
    Needed("synapse.rest.client.pusher", "PushersSetRestServlet.on_POST", ("request",)),
    Needed("synapse.api.auth.internal", "InternalAuth.get_user_by_access_token", ("token",)),
    Needed("synapse.storage.databases.main", "DataStore.get_pushers_by_user_id", ("user_id",)),
    Needed("synapse.push.pusherpool", "PusherPool.remove_pusher", ("app_id", "pushkey", "user_id")),
    Needed("synapse.push", "PusherConfig"),
    Needed(
        "synapse.storage.database",
        "DatabasePool.simple_update",
        ("table", "keyvalues", "updatevalues", "desc"),
    ),
    Needed("synapse.api.auth.internal", "InternalAuth.get_access_token_from_request", ("request",)),
    Needed("synapse.api.auth.internal", "InternalAuth.get_user_by_req", ("request",)),
    *members("synapse.server", "HomeServer", "get_auth", "get_clock"),
)


class SetPusher(PushersSetRestServlet):
    """`/pushers/set`: a pusher belongs to who turned it where it leads, and goes with that session.

    Synapse lets a pusher that another device set keep that device, so that it would stay after the
    session that turned it to a gateway of its own.
    """

    def __init__(self, hs: HomeServer, homeserver: Homeserver) -> None:
        super().__init__(hs)
        self.auth: Any = AskedOnce(hs.get_auth())
        self._homeserver = homeserver
        # Only the main process writes pushers, so what is compared with what is written stays so.
        self._turns = Linearizer(name="nextgen_pushers", clock=hs.get_clock())

    async def on_POST(self, request: SynapseRequest) -> tuple[int, dict[str, Any]]:  # noqa: N802 (Synapse's)
        """Let Synapse set the pusher; what a token of ours must not leave behind is undone then."""
        requester = await self.auth.get_user_by_req(request)
        async with self._turns.queue(requester.user.to_string()):
            if token_of_ours(self, request) is None:
                return await super().on_POST(request)
            body = peek(request)
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
