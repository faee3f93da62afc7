"""Accounts are told that somebody wants their second factors removed as lost, in every way there is.

The main process does it, out of the outbox: at once, and again before the end. What `notices` says of
other notices does not matter to these: without them nobody may ask.
"""

import logging
from collections.abc import Callable, Sequence

from synapse_nextgen_auth.accounts.factors.lost import Request
from synapse_nextgen_auth.accounts.mail.letters import FactorsLost, Letter
from synapse_nextgen_auth.accounts.works import SendMail, SendNotice, TellLost, Work
from synapse_nextgen_auth.flows import lost_factors as flows
from synapse_nextgen_auth.homeserver import mail
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.mail import Mailer, MailUnreadable
from synapse_nextgen_auth.homeserver.notices_room import Room
from synapse_nextgen_auth.homeserver.people.mailboxes import Mailboxes
from synapse_nextgen_auth.homeserver.people.reading import Reading
from synapse_nextgen_auth.homeserver.places import Places
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose
from synapse_nextgen_auth.store import devices, lost_factors

logger = logging.getLogger(__name__)


async def can_be_told(homeserver: Homeserver, mailboxes: Mailboxes, user_id: str) -> bool:
    """Say whether the owner of an account would hear of it.

    That is by mail, or in Matrix where a device is signed in that shows it.
    """
    config = homeserver.hs.config
    if mail.is_configured(config) and await mailboxes.of(user_id):
        return True
    if config.servernotices.server_notices_mxid is None:
        return False
    signed_in: list[str] = await homeserver.read(devices.list_read, user_id)
    return len(signed_in) > 0


@frozen
class Sources:
    """Where notices go, and what stands in them."""

    mailboxes: Mailboxes
    places: Places
    reading: Reading
    room: Room
    mailer: Callable[[], Mailer]


class Refused(Exception):
    """Every address of an account is refused for ever, and in Matrix nobody reads it."""


class LostFactors:
    """Tells the owners; `page_url` is the page that stops it."""

    def __init__(
        self,
        homeserver: Homeserver,
        keys: Keyring,
        sources: Sources,
        *,
        page_url: str,
    ) -> None:
        self._homeserver = homeserver
        self._keys = keys
        self._mailboxes = sources.mailboxes
        self._places = sources.places
        self._reading = sources.reading
        self._room = sources.room
        self._mailer = sources.mailer
        self._page_url = page_url

    async def tell(self, work: TellLost) -> None:
        """Tell the owner, unless what that is about is over; raise where no way of doing it works now.

        The time runs from the moment on at which one notice was taken by where it goes; those that
        were not are tried again.
        """
        request = await self._homeserver.read(lost_factors.get, work.user_id)
        now = self._homeserver.now()
        if request is None or request.request_id != work.request or not request.is_open(now):
            return
        flow, request = (
            (flows.reminded, request.reminded(now))
            if work.again
            else (flows.told, request.told(now))
        )
        letters = await self._letters(request, is_again=bool(work.again))
        if letters:
            left = await self._send(letters)
            await self._homeserver.run(flow, request, left, now=now)
        else:
            logger.warning(
                "Nobody can be told that the second factors of %s are to be removed as lost: they stay",
                work.user_id,
            )

    async def _send(self, letters: Sequence[Work]) -> Sequence[Work]:
        """Send what can be sent now, and return what is to be tried again."""
        left: list[Work] = []
        failure: Exception = Refused()
        taken = False
        for letter in letters:
            try:
                if isinstance(letter, SendMail):
                    is_taken = await self._mailer().send(letter)
                else:
                    is_taken = isinstance(letter, SendNotice) and await self._room.send(letter)
            except Exception as error:  # noqa: BLE001 (whatever one way fails of, another may work)
                left.append(letter)
                failure = error
            else:
                taken = taken or is_taken
        if not taken:
            raise failure
        return left

    async def _letters(self, request: Request, *, is_again: bool) -> Sequence[Work]:
        secret = self._keys.unseal(Purpose.LOST_FACTORS, request.secret)
        if secret is None:
            raise MailUnreadable
        reads = await self._reading.of(request.user_id)
        said = FactorsLost(
            user_id=request.user_id,
            is_again=is_again,
            at=request.asked_at,
            ready_at=request.ready_at,
            address=request.address,
            place=self._places.of(request.address, reads.language),
            url=f"{self._page_url}?link={secret.decode('ascii')}",
        )
        letters: list[Work] = []
        if mail.is_configured(self._homeserver.hs.config):
            letters += [
                Letter(address, reads.language, said, reads.time_zone).posted(
                    self._keys, expires=request.expires_at
                )
                for address in await self._mailboxes.of(request.user_id)
            ]
        seen_by = await self._homeserver.read(devices.list_read, request.user_id)
        if self._room.is_configured and seen_by:
            letter = Letter(request.user_id, reads.language, said, reads.time_zone)
            letters.append(self._room.posted(self._keys, letter))
        return letters
