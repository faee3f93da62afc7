"""What waits for an answer is shown to the account, in its room for server notices, until it is over.

Who asks names an account, and hears nothing of whether there is one: the main process looks that up
later, out of the outbox. A notice answers nothing: its link leads to the page that asks.
"""

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.approvals import Approval
from synapse_nextgen_auth.accounts.mail import names
from synapse_nextgen_auth.accounts.mail.letters import Letter, Over, Waiting
from synapse_nextgen_auth.accounts.notices import Question, outcome
from synapse_nextgen_auth.accounts.outbox import NotYet
from synapse_nextgen_auth.accounts.people import meant
from synapse_nextgen_auth.accounts.works import Ask, EndQuestion, ShowQuestion
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.flows import notices as flow
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.live import UnknownSession
from synapse_nextgen_auth.homeserver.notices import Sources, called
from synapse_nextgen_auth.homeserver.notices_room import Room, Said
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.grants.device_grants import DeviceGrant
from synapse_nextgen_auth.oauth.metadata import Endpoints
from synapse_nextgen_auth.store import approvals, device_grants


class Questions:
    """Shows accounts what waits for them; main process only."""

    def __init__(
        self,
        homeserver: Homeserver,
        config: Config,
        sources: Sources,
        room: Room,
        endpoints: Endpoints,
    ) -> None:
        options = config.notices
        self._homeserver = homeserver
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
        """Let it be shown, unless that is over, or nobody is meant.

        Raises `NotYet` while the account is shown another like it.
        """
        asked = await self._asked(work.question, work.its_id)
        user_id = await self._whom(asked) if asked is not None else None
        if asked is None or user_id is None:
            return
        notice = ShowQuestion(user_id, work.question, work.its_id, asked.expires_at)
        if not await self._homeserver.settle(flow.show, notice, now=self._homeserver.now()):
            raise NotYet

    async def say(self, work: ShowQuestion) -> None:
        """Say what waits, unless that is over by now."""
        asked = await self._asked(work.question, work.its_id)
        reads = await self._sources.reading.of(work.user_id)
        words = await self._words(work.user_id, asked, reads.language) if asked else None
        said = None
        if words is not None:
            letter = Letter(work.user_id, reads.language, words, reads.time_zone)
            said = await self._room.say(letter, work.its_id)
        now = self._homeserver.now()
        if said is None:
            await self._homeserver.settle(flow.ended, work, now=now)
            return
        ending = EndQuestion(
            *(work.user_id, work.question, work.its_id),
            *(said.room_id, said.event_id, work.until),
        )
        await self._homeserver.run(flow.shown, ending, now=now)

    async def end(self, work: EndQuestion) -> None:
        """Say what became of it, in the place of what was said."""
        row = await self._row(work.question, work.its_id)
        if row is not None:
            reads = await self._sources.reading.of(work.user_id)
            words = await self._ending(work, row, reads.language)
            letter = Letter(work.user_id, reads.language, words, reads.time_zone)
            await self._room.correct(letter, Said(work.room_id, work.event_id))
        await self._homeserver.settle(flow.ended, work, now=self._homeserver.now())

    async def _row(self, question: str, its_id: str) -> Approval | DeviceGrant | None:
        if Question(question) is Question.APPROVAL:
            return await self._homeserver.read(approvals.get, its_id)
        return await self._homeserver.read(device_grants.get, its_id)

    async def _asked(self, question: str, its_id: str) -> Approval | DeviceGrant | None:
        """Return what waits, `None` once it does no more."""
        row = await self._row(question, its_id)
        return row if row is not None and row.is_open(self._homeserver.now()) else None

    async def _whom(self, asked: Approval | DeviceGrant) -> str | None:
        """Return the account that is meant if it could sign in: none that is closed, or a bridge's."""
        user_id: str | None = asked.user_id
        if isinstance(asked, DeviceGrant):
            user_id = asked.asked_for or await self._hinted(asked.login_hint)
        if user_id is None:
            return None
        try:
            await self._sources.people.admit(user_id, Intent.SIGN_IN)
        except NotAdmitted:
            return None
        return user_id

    async def _hinted(self, login_hint: str | None) -> str | None:
        found = meant(login_hint, server_name=self._homeserver.server_name)
        # Of an address nobody shall learn by a message that it is that of an account here.
        if found is None or found.user_id is None:
            return None
        return await self._sources.people.passwords.spelled(found.user_id)

    async def _words(
        self, user_id: str, asked: Approval | DeviceGrant, language: str
    ) -> Waiting | None:
        """Return what the message says; `None` where who asks is gone."""
        if isinstance(asked, DeviceGrant):
            return Waiting(
                user_id=user_id,
                question=Question.DEVICE.value,
                operation=None,
                application=await self._application(asked, language),
                device=None,
                address=asked.address,
                place=self._sources.places.of(asked.address, language),
                at=asked.created_at,
                expires=asked.expires_at,
                # Without the code: whoever has the device sees it there.
                url=self._endpoints.url("link"),
            )
        try:
            application = await self._application(asked, language)
        except UnknownSession:
            return None
        device = None
        if asked.device_id is not None:
            name = await self._homeserver.device_name(user_id, asked.device_id)
            device = names.of_device(asked.device_id, name)
        return Waiting(
            user_id=user_id,
            question=Question.APPROVAL.value,
            operation=asked.operation.value,
            application=application,
            device=device,
            address=asked.address,
            place=self._sources.places.of(asked.address, language),
            at=asked.requested_at,
            expires=asked.expires_at,
            url=self._endpoints.url(f"approve?request={asked.approval_id}"),
        )

    async def _ending(self, work: EndQuestion, row: Approval | DeviceGrant, language: str) -> Over:
        try:
            application = await self._application(row, language)
        except UnknownSession:
            application = None
        if isinstance(row, DeviceGrant):
            operation, at = None, row.created_at
        else:
            operation, at = row.operation.value, row.requested_at
        return Over(
            user_id=work.user_id,
            question=work.question,
            operation=operation,
            outcome=outcome(
                approved_at=row.approved_at,
                refused_at=row.refused_at,
                answered_by=row.user_id,
                user_id=work.user_id,
            ).value,
            application=application,
            address=row.address,
            at=at,
            url=self._sources.account_url,
        )

    async def _application(self, asked: Approval | DeviceGrant, language: str) -> str | None:
        """Return what the application that asks calls itself; raises `UnknownSession`."""
        if isinstance(asked, DeviceGrant):
            client_id = asked.client_id
        elif asked.is_legacy:
            return None
        else:
            client_id = (await self._homeserver.live.find(asked.session_id)).client_id
        client = await self._sources.clients.find(client_id)
        return called(client, language) if client is not None else None
