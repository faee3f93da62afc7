"""Accounts are told what happened to them: by mail, and in their room for server notices.

The main process does it, out of the outbox, and asks then what there is to tell: the events of the
account since the first that is not told yet.
"""

from collections.abc import Sequence
from typing import Any

from synapse_nextgen_auth.accounts import notices as rules
from synapse_nextgen_auth.accounts.mail import names
from synapse_nextgen_auth.accounts.mail.letters import Letter, Mail, SecurityNotice
from synapse_nextgen_auth.accounts.notices import Notice
from synapse_nextgen_auth.accounts.works import Tell, Work
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.flows import notices as flow
from synapse_nextgen_auth.homeserver import mail
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.clients.registered import Clients
from synapse_nextgen_auth.homeserver.mail import MailUnreadable
from synapse_nextgen_auth.homeserver.notices_room import Room
from synapse_nextgen_auth.homeserver.people.accounts import People
from synapse_nextgen_auth.homeserver.people.mailboxes import Mailboxes
from synapse_nextgen_auth.homeserver.people.reading import Reading
from synapse_nextgen_auth.homeserver.places import Places
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.events import Event
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.store import events


def called(client: Client, language: str) -> str:
    """Return what a notice calls an application; what it chose itself leads nowhere."""
    name = client.name_for((language,))
    return name if client.is_configured else names.plain(name)


@frozen
class Sources:
    """Where a notice gets its words from; `account_url` is the page that it leads to."""

    people: People
    clients: Clients
    mailboxes: Mailboxes
    places: Places
    reading: Reading
    account_url: str


class Notices:
    """What accounts are told."""

    def __init__(
        self, homeserver: Homeserver, config: Config, keys: Keyring, sources: Sources, room: Room
    ) -> None:
        options = config.notices
        self._homeserver = homeserver
        self._keys = keys
        self._sources = sources
        self.room = room
        self._by_mail = options.by_mail and mail.is_configured(homeserver.hs.config)
        self._in_matrix = options.in_matrix and room.is_configured
        switches = {
            Notice.NEW_DEVICE: options.new_device,
            Notice.PASSWORD: options.password,
            Notice.ADDRESSES: options.addresses,
            Notice.PROVIDERS: options.providers,
            Notice.FACTORS: options.factors,
            Notice.REUSE: options.reuse,
            Notice.APPROVALS: options.approvals,
            Notice.PERSONAL_TOKENS: options.personal_tokens,
            Notice.DOWNLOADS: options.downloads,
            Notice.DEACTIVATION: options.deactivation,
        }
        on = {notice for notice in Notice if switches[notice]}
        self._told = rules.told(on if self._by_mail or self._in_matrix else ())

    def begin(self, also: frozenset[str] = frozenset()) -> None:
        """Let whatever happens from now on be told; `also` are the questions that are shown."""
        self._homeserver.tell_of(self._told | also)

    async def tell(self, work: Tell) -> None:
        """Write the notices of what happened, one for each address, and one for Matrix."""
        about = Notice(work.about)
        happened = await self._happened(work, about)
        letters = await self._letters(work, happened) if happened else []
        now = self._homeserver.now()
        if letters:
            await self._homeserver.run(flow.post, letters, now=now)
        else:
            await self._homeserver.settle(flow.told_nobody, work, now=now)

    async def _letters(self, work: Tell, happened: Sequence[Event]) -> Sequence[Work]:
        letters: list[Work] = []
        reads = await self._sources.reading.of(work.user_id)
        for address in await self._addresses(work):
            mailed = [
                each
                for each in happened
                if work.also_to or each.kind not in rules.HAVE_A_MAIL_OF_THEIR_OWN
            ]
            if mailed:
                words = await self._words(work, mailed, reads.language)
                letter = Letter(address, reads.language, words, reads.time_zone)
                letters.append(letter.posted(self._keys))
        if self._in_matrix and not work.also_to:
            words = await self._words(work, happened, reads.language)
            letter = Letter(work.user_id, reads.language, words, reads.time_zone)
            letters.append(self.room.posted(self._keys, letter))
        return letters

    async def _addresses(self, work: Tell) -> Sequence[str]:
        if not self._by_mail:
            return ()
        if not work.also_to:
            return await self._sources.mailboxes.of(work.user_id)
        addresses = rules.unseal_addresses(self._keys, work.also_to)
        if addresses is None:
            raise MailUnreadable
        return addresses

    async def _happened(self, work: Tell, about: Notice) -> list[Event]:
        """Return what there is to tell, the newest first."""
        kinds, is_device = rules.kinds_of(about), about is Notice.NEW_DEVICE
        found = await self._homeserver.read(
            events.list_devices_since if is_device else events.list_since,
            work.user_id,
            kinds,
            since=work.since,
            limit=5 * rules.MOST,
        )
        return await self._new_devices(work, found, kinds) if is_device else found

    async def _new_devices(
        self, work: Tell, found: Sequence[Event], kinds: Sequence[str]
    ) -> list[Event]:
        """Leave out devices that were there before, and the first one of somebody new.

        Whoever signs in chooses the id of the device, and the ids of others can be read: so it is the
        same only where it comes from the same network address.
        """
        details = sorted({each.detail for each in found if each.detail is not None})
        if not details:
            return []
        known = await self._homeserver.read(
            events.list_of_details, work.user_id, kinds, details, before=work.since
        )
        new = {
            each.detail: each
            for each in reversed(found)
            if (each.detail, each.address) not in known
        }
        made_at = await self._sources.people.made_at(work.user_id)
        if made_at is None:
            return []
        first = made_at + rules.NEWCOMER
        return [each for each in reversed(new.values()) if each.happened_at >= first]

    async def _words(self, work: Tell, happened: Sequence[Event], language: str) -> Mail:
        shown = happened[: rules.MOST]
        ids = {each.client_id for each in shown if each.client_id is not None}
        clients = await self._sources.clients.find_all(ids)
        return SecurityNotice(
            user_id=work.user_id,
            about=work.about,
            events=[await self._event(each, clients, language) for each in shown],
            more=len(happened) - len(shown),
            url=self._sources.account_url,
        )

    async def _event(self, event: Event, clients: dict[str, Any], language: str) -> dict[str, Any]:
        device_id = rules.device_of(event.detail)
        client = clients.get(event.client_id or "")
        device = None
        if device_id is not None:
            name = await self._homeserver.device_name(event.user_id or "", device_id)
            device = names.of_device(device_id, name)
        return {
            "kind": event.kind.value,
            "at": event.happened_at,
            "application": called(client, language) if client is not None else None,
            "device": device,
            "address": event.address,
            "place": self._sources.places.of(event.address, language),
            "detail": rules.operation_of(event.detail) or event.detail,
        }
