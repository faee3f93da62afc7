"""What waits for an answer is shown to the account, in its room for server notices.

Who asks names an account, and hears nothing of whether there is one: the main process looks that up
later, out of the outbox. A notice answers nothing: its link leads to the page that asks.
"""

import attrs

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.mail import names
from synapse_nextgen_auth.accounts.mail.letters import Letter, Waiting
from synapse_nextgen_auth.accounts.notices import Question
from synapse_nextgen_auth.accounts.outbox import Ask
from synapse_nextgen_auth.accounts.people import meant
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.flows import notices as flow
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.live import UnknownSession
from synapse_nextgen_auth.homeserver.notices import Room, Sources, called
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.metadata import Endpoints
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.store import approvals, device_grants

_ENGLISH = "en"


@attrs.frozen
class _Asked:
    """What waits, whose answer it needs, and what is known of who asks."""

    user_id: str
    words: Waiting


class Questions:
    """Shows accounts what waits for them; main process only."""

    def __init__(
        self,
        homeserver: Homeserver,
        config: Config,
        keys: Keyring,
        sources: Sources,
        room: Room,
        endpoints: Endpoints,
    ) -> None:
        options = config.notices
        self._homeserver = homeserver
        self._keys = keys
        self._sources = sources
        self._room = room
        self._endpoints = endpoints
        is_on = options.in_matrix and room.is_configured
        switches = {
            Question.APPROVAL: options.approval_questions,
            Question.DEVICE: options.device_questions,
        }
        self.told = frozenset(each.value for each in Question if is_on and switches[each])

    async def show(self, work: Ask) -> None:
        """Show it, unless that is over, nobody is meant, or the account is shown something else."""
        question = Question(work.question)
        asked = (
            await self._approval(work.its_id)
            if question is Question.APPROVAL
            else await self._device(work.its_id)
        )
        if asked is None:
            return
        letter, until = Letter(asked.user_id, _ENGLISH, asked.words), asked.words.expires
        notice = self._room.posted(self._keys, letter, expires=until)
        await self._homeserver.settle(
            flow.show, asked.user_id, question, notice, until=until, now=self._homeserver.now()
        )

    async def _approval(self, approval_id: str) -> _Asked | None:
        approval = await self._homeserver.read(approvals.get, approval_id)
        if approval is None or not approval.is_open(self._homeserver.now()):
            return None
        user_id = await self._admitted(approval.user_id)
        if user_id is None:
            return None
        client_id = None
        if not approval.is_legacy:
            try:
                client_id = (await self._homeserver.live.find(approval.session_id)).client_id
            except UnknownSession:
                return None
        device = None
        if approval.device_id is not None:
            name = await self._homeserver.device_name(user_id, approval.device_id)
            device = names.of_device(approval.device_id, name)
        return _Asked(
            user_id,
            Waiting(
                user_id=user_id,
                question=Question.APPROVAL.value,
                operation=approval.operation.value,
                application=await self._application(client_id),
                device=device,
                address=approval.address,
                place=self._sources.places.of(approval.address, _ENGLISH),
                at=approval.requested_at,
                expires=approval.expires_at,
                url=self._endpoints.url(f"approve?request={approval_id}"),
            ),
        )

    async def _device(self, grant_id: str) -> _Asked | None:
        grant = await self._homeserver.read(device_grants.get, grant_id)
        if grant is None or not grant.is_open(self._homeserver.now()):
            return None
        named = grant.asked_for
        if named is None:
            found = meant(grant.login_hint, server_name=self._homeserver.server_name)
            # Of an address nobody shall learn by a message that it is that of an account here.
            if found is None or found.user_id is None:
                return None
            named = await self._sources.people.passwords.spelled(found.user_id)
        user_id = await self._admitted(named) if named is not None else None
        if user_id is None:
            return None
        return _Asked(
            user_id,
            Waiting(
                user_id=user_id,
                question=Question.DEVICE.value,
                operation=None,
                application=await self._application(grant.client_id),
                device=None,
                address=grant.address,
                place=self._sources.places.of(grant.address, _ENGLISH),
                at=grant.created_at,
                expires=grant.expires_at,
                # Without the code: whoever has the device sees it there.
                url=self._endpoints.url("link"),
            ),
        )

    async def _admitted(self, user_id: str) -> str | None:
        """Return the account if it could sign in: not one that is closed, or a bridge's."""
        try:
            await self._sources.people.admit(user_id, Intent.SIGN_IN)
        except NotAdmitted:
            return None
        return user_id

    async def _application(self, client_id: str | None) -> str | None:
        if client_id is None:
            return None
        client = await self._sources.clients.find(client_id)
        return called(client, _ENGLISH) if client is not None else None
