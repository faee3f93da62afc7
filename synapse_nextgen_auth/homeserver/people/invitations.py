"""Invitations beside Synapse's registration tokens: who may use one where, and the rooms behind it.

Synapse asks its store whether a token is good, at `/register` and where clients ask before: there one
that pins a name or an address is not, as nothing there looks at what it pins.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from synapse.api.errors import Codes, LoginError, SynapseError
from synapse.types import RoomAlias, RoomID, UserID, create_requester

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.works import JoinRoom
from synapse_nextgen_auth.config import Invitations
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts import invitations as rules
    from synapse_nextgen_auth.accounts.invitations import Invitation, Kept, OnTheWay
    from synapse_nextgen_auth.flows import invitations as flows
    from synapse_nextgen_auth.store import invitations
    from synapse_nextgen_auth.store.token_holds import Hold
else:
    rules, flows, invitations = late.files(
        "accounts.invitations", "flows.invitations", "store.invitations"
    )

NEEDS = (
    Needed("synapse.storage.databases.main", "DataStore.registration_token_is_valid", ("token",)),
    Needed("synapse.storage.databases.main", "DataStore.get_room", ("room_id",)),
    Needed("synapse.storage.databases.main", "DataStore.get_user_deactivated_status", ("user_id",)),
    Needed(
        "synapse.storage.databases.main", "DataStore.set_registration_token_pending", ("token",)
    ),
    Needed(
        "synapse.handlers.room_member",
        "RoomMemberHandler.update_membership",
        ("requester", "target", "room_id", "action", "remote_room_hosts", "ratelimit"),
    ),
    Needed("synapse.handlers.room_member", "RoomMemberHandler.lookup_room_alias", ("room_alias",)),
    Needed("synapse.types", "create_requester", ("user_id", "authenticated_entity")),
    *members("synapse.types", "RoomAlias", "from_string", "is_valid"),
    *members("synapse.types", "RoomID", "is_valid"),
    *members("synapse.server", "HomeServer", "get_room_member_handler"),
)

MOST_FORMER = 20

logger = logging.getLogger(__name__)

_by_our_pages: ContextVar[bool] = ContextVar("nextgen_by_our_pages", default=False)
_held: ContextVar["Hold | None"] = ContextVar("nextgen_held", default=None)


@contextmanager
def by_our_pages(held: "Hold | None" = None) -> Iterator[None]:
    """Let Synapse look at a token of whoever signs up here: what it pins is looked at here, too.

    Where Synapse counts it, `held` is the sign-up that it is counted for.
    """
    former, holding = _by_our_pages.set(True), _held.set(held)
    try:
        yield
    finally:
        _by_our_pages.reset(former)
        _held.reset(holding)


class Invites:
    """Who is invited."""

    def __init__(self, homeserver: Homeserver, options: Invitations) -> None:
        self._homeserver = homeserver
        self._store: Any = homeserver.store
        self._inviting = options
        self._stock_is_valid: Any = self._store.registration_token_is_valid

    def install(self) -> None:
        """Let pinned tokens work on our pages alone, and each use of a token be somebody's alone."""
        store = self._store
        self._stock_is_valid = patches.instead(store, "registration_token_is_valid", self._is_valid)
        patches.instead(store, "set_registration_token_pending", self._hold)

    async def find(self, token: str) -> "Invitation | None":
        """Return the invitation that a token is, whether it may be used or not."""
        return await self._homeserver.read(invitations.get, token)

    async def is_over(self, invitation: "Invitation") -> bool:
        """Say whether nobody gets in with it any more, whoever is on the way with it now."""
        found = await self._homeserver.read(invitations.find, invitation.token)
        if found is None or not found.is_open(self._homeserver.now()):
            return True
        return await self._homeserver.read(invitations.rests, invitation.token)

    async def on_the_way(self, token: str, *, browser: str | None) -> "OnTheWay | None":
        """Say whether others are on the way with all that is left of a token, which comes back then."""
        if await self._homeserver.read(invitations.rests, token):
            return None
        return await self._homeserver.read(
            invitations.on_the_way, token, browser=browser or "", now=self._homeserver.now()
        )

    @property
    def by_members(self) -> bool:
        """Whether everybody with an account may invite others."""
        return self._inviting.members

    @property
    def quota(self) -> int:
        """How many invitations of one member may be open at once."""
        return self._inviting.members_quota

    @property
    def lifetime(self) -> int:
        """How long (seconds) the invitation of a member is good."""
        return self._inviting.members_lifetime

    async def of_member(self, user_id: str) -> "Sequence[Kept]":
        """Return what a member made: all that are open, and some that were."""
        most = self.quota + MOST_FORMER
        return await self._homeserver.read(invitations.list_of, user_id, limit=most)

    def new_of_member(self, user_id: str, *, text: str | None = None) -> "Invitation":
        """Return an invitation of a member for one person, which is not there yet."""
        now = self._homeserver.now()
        return rules.Invitation(
            token=rules.new_token(),
            made_at=now,
            expires_at=now + self.lifetime,
            invited_by=user_id,
            text=text,
        )

    async def _is_valid(self, token: str) -> bool:
        if not await self._stock_is_valid(token):
            return False
        if await self._homeserver.read(invitations.rests, token):
            return False
        return _by_our_pages.get() or not await self._homeserver.read(invitations.pins, token)

    async def _hold(self, token: str) -> None:
        """Count who is on the way with a token; whoever comes too late for its last use is refused."""
        now = self._homeserver.now()
        if not await self._homeserver.settle(flows.hold, token, _held.get(), now=now):
            raise LoginError(401, "Invalid registration token", errcode=Codes.UNAUTHORIZED)

    async def resolve(self, room: str) -> bool:
        """Say whether there is such a room, by its id or alias."""
        if RoomID.is_valid(room):
            # Of a room that nobody here is in nothing but its id is known: that leads nowhere.
            return (await self._store.get_room(room)) is not None
        if not RoomAlias.is_valid(room):
            return False
        handler = self._homeserver.hs.get_room_member_handler()
        try:
            await handler.lookup_room_alias(RoomAlias.from_string(room))
        except SynapseError:
            return False
        return True

    async def join(self, work: JoinRoom) -> None:
        """Let a new account join a room, invited by whoever may where it is not public.

        A room that says no is in nobody's way: the account is made. One that was closed meanwhile
        joins none: Synapse has parted it from its rooms, and nobody would do so again.
        """
        if await self._homeserver.is_closed(work.user_id):
            return
        handler = self._homeserver.hs.get_room_member_handler()
        try:
            room_id, hosts = work.room, list[str]()
            if RoomAlias.is_valid(work.room):
                found, hosts = await handler.lookup_room_alias(RoomAlias.from_string(work.room))
                room_id = found.to_string()
            try:
                await self._change(work.user_id, work.user_id, room_id, hosts, "join")
            except SynapseError as error:
                inviter = work.invited_by or self._host
                if error.code != 403 or not inviter:
                    raise
                await self._change(inviter, work.user_id, room_id, hosts, "invite")
                await self._change(work.user_id, work.user_id, room_id, hosts, "join")
        except SynapseError as error:
            if error.code >= 500:
                raise
            why = str(getattr(error.errcode, "value", error.errcode))
            logger.info("%s did not join %s: %s", work.user_id, work.room, why)

    @property
    def _host(self) -> str | None:
        """Who invites new people where Synapse does it (`auto_join_mxid_localpart`)."""
        user_id: str | None = self._homeserver.hs.config.registration.auto_join_user_id
        return user_id

    async def _change(
        self, who: str, whom: str, room_id: str, hosts: list[str], action: str
    ) -> None:
        await self._homeserver.hs.get_room_member_handler().update_membership(
            requester=create_requester(who, authenticated_entity=self._homeserver.server_name),
            target=UserID.from_string(whom),
            room_id=room_id,
            action=action,
            remote_room_hosts=hosts,
            ratelimit=False,
        )
