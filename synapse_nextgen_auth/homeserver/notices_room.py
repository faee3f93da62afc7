"""The room in which Synapse itself speaks to an account (`server_notices`); main process only."""

from collections.abc import Callable
from typing import Any

from synapse.api.constants import Membership

from synapse_nextgen_auth.accounts.mail.letters import Letter
from synapse_nextgen_auth.accounts.works import SendNotice
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.mail import MailUnreadable, WrittenMail
from synapse_nextgen_auth.homeserver.people.accounts import People
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, random_id

NEEDS = (
    Needed(
        "synapse.server_notices.server_notices_manager",
        "ServerNoticesManager.send_notice",
        ("user_id", "event_content", "txn_id"),
    ),
    Needed(
        "synapse.server_notices.server_notices_manager",
        "ServerNoticesManager.maybe_get_notice_room_for_user",
        ("user_id",),
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.get_rooms_for_local_user_where_membership_is",
        ("user_id", "membership_list"),
    ),
    *members("synapse.server", "HomeServer", "get_server_notices_manager"),
)


@frozen
class Said:
    """A message in a room."""

    room_id: str
    event_id: str


class Room:
    """Says things in it, in plain text: every client shows that, and makes links of addresses."""

    def __init__(
        self,
        homeserver: Homeserver,
        people: People,
        keys: Keyring,
        write: Callable[[Letter], WrittenMail],
    ) -> None:
        self._people = people
        self._homeserver = homeserver
        self._keys = keys
        self._write = write
        self._sender = homeserver.hs.config.servernotices.server_notices_mxid
        self.is_configured = self._sender is not None

    def posted(self, keys: Keyring, letter: Letter) -> SendNotice:
        """Return what a flow puts into the outbox."""
        return SendNotice(random_id(), letter.seal(keys), 0)

    async def send(self, work: SendNotice) -> bool:
        """Say what was posted; False where nobody can be told, or it is too late."""
        if 0 < work.expires <= self._homeserver.now():
            return False
        letter = Letter.unseal(self._keys, work.letter)
        if letter is None:
            raise MailUnreadable
        return await self.say(letter, work.notice) is not None

    async def say(self, letter: Letter, its_id: str) -> Said | None:
        """Say it; `None` where nobody can be told."""
        if not await self._has_somebody(letter.to):
            return None
        event = await self._notices.send_notice(letter.to, self._content(letter), txn_id=its_id)
        return Said(event.room_id, event.event_id)

    async def correct(self, letter: Letter, said: Said) -> None:
        """Let a message that was said before be replaced by this, for whoever is still in that room."""
        if not await self._has_somebody(letter.to) or not await self._reads(letter.to, said):
            return
        content = self._content(letter)
        relation = {"rel_type": "m.replace", "event_id": said.event_id}
        edit = {**content, "body": f"* {content['body']}", "m.new_content": content}
        await self._notices.send_notice(
            letter.to, {**edit, "m.relates_to": relation}, txn_id=random_id()
        )

    @property
    def _notices(self) -> Any:
        return self._homeserver.hs.get_server_notices_manager()

    async def _has_somebody(self, user_id: str) -> bool:
        is_possible = self.is_configured and user_id != self._sender
        return is_possible and await self._people.made_at(user_id) is not None

    async def _reads(self, user_id: str, said: Said) -> bool:
        """Say whether that is their room, and they did not leave it: else they were asked back."""
        if await self._notices.maybe_get_notice_room_for_user(user_id) != said.room_id:
            return False
        rooms = await self._homeserver.store.get_rooms_for_local_user_where_membership_is(
            user_id, [Membership.INVITE, Membership.JOIN]
        )
        return any(room.room_id == said.room_id for room in rooms)

    def _content(self, letter: Letter) -> dict[str, Any]:
        written = self._write(letter)
        return {"msgtype": "m.text", "body": f"{written.subject}\n\n{written.said}"}
