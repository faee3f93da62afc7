"""Accounts are told that somebody wants their second factors removed as lost, in every way there is.

The main process does it, out of the outbox: at once, and again before the end. What `notices` says of
other notices does not matter to these: without them nobody may ask.
"""

import logging
from collections.abc import Sequence

from synapse_nextgen_auth.accounts.factors.lost import Request
from synapse_nextgen_auth.accounts.mail.letters import FactorsLost, Letter
from synapse_nextgen_auth.accounts.outbox import TellLost, Work
from synapse_nextgen_auth.flows import lost_factors as flows
from synapse_nextgen_auth.homeserver import mail
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.mail import MailUnreadable
from synapse_nextgen_auth.homeserver.notices_room import Room
from synapse_nextgen_auth.homeserver.people.mailboxes import Mailboxes
from synapse_nextgen_auth.homeserver.places import Places
from synapse_nextgen_auth.secret import Keyring, Purpose
from synapse_nextgen_auth.store import devices, lost_factors

_ENGLISH = "en"

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
    signed_in: list[str] = await homeserver.read(devices.list_ids, user_id)
    return len(signed_in) > 0


class LostFactors:
    """Tells the owners; `page_url` is the page that stops it."""

    def __init__(
        self,
        homeserver: Homeserver,
        keys: Keyring,
        mailboxes: Mailboxes,
        places: Places,
        room: Room,
        *,
        page_url: str,
    ) -> None:
        self._homeserver = homeserver
        self._keys = keys
        self._mailboxes = mailboxes
        self._places = places
        self._room = room
        self._page_url = page_url

    async def tell(self, work: TellLost) -> None:
        """Write the notices, unless what they tell of is over."""
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
            await self._homeserver.run(flow, request, letters, now=now)
        else:
            logger.warning(
                "Nobody can be told that the second factors of %s are to be removed as lost: they stay",
                work.user_id,
            )

    async def _letters(self, request: Request, *, is_again: bool) -> Sequence[Work]:
        secret = self._keys.unseal(Purpose.LOST_FACTORS, request.secret)
        if secret is None:
            raise MailUnreadable
        said = FactorsLost(
            user_id=request.user_id,
            is_again=is_again,
            at=request.asked_at,
            ready_at=request.ready_at,
            address=request.address,
            place=self._places.of(request.address, _ENGLISH),
            url=f"{self._page_url}?link={secret.decode('ascii')}",
        )
        letters: list[Work] = []
        if mail.is_configured(self._homeserver.hs.config):
            letters += [
                Letter(address, _ENGLISH, said).posted(self._keys, expires=request.expires_at)
                for address in await self._mailboxes.of(request.user_id)
            ]
        seen_by = await self._homeserver.read(devices.list_ids, request.user_id)
        if self._room.is_configured and seen_by:
            letters.append(self._room.posted(self._keys, Letter(request.user_id, _ENGLISH, said)))
        return letters
