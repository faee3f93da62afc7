"""What an account is signed in with: everything there is, with one query for each table."""

from collections.abc import Sequence
from typing import Any

import attrs

from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.accounts.signed_in import Entry, How, Kind
from synapse_nextgen_auth.accounts.user_agents import describe
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.sessions import Began, Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import devices as synapses
from synapse_nextgen_auth.store import personal_tokens, sessions, sign_ins
from synapse_nextgen_auth.store.devices import Begun
from synapse_nextgen_auth.web.pages.account.devices.page import Line
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.site import Site

_HOW = {
    Began.CODE: How.BROWSER,
    Began.DEVICE: How.CODE,
    Began.CLIENT: How.SERVICE,
    Began.PERSONAL: How.PERSONAL_TOKEN,
    None: How.BROWSER_OR_CODE,
}
# What a session without a device is; of everything else a website.
_KINDS: dict[Began | None, Kind] = {Began.PERSONAL: Kind.TOKEN, Began.CLIENT: Kind.PROGRAM}


@frozen
class Seen:
    """Everywhere an account is signed in; of what has no device also what we know it by inside."""

    entries: tuple[Entry, ...]
    session_ids: dict[str, str] = attrs.field(repr=False)
    sign_ins: dict[str, str] = attrs.field(repr=False)

    def find(self, its_id: str | None) -> Entry | None:
        """Return one of them, of this account alone (C301)."""
        return next((each for each in self.entries if each.id == its_id), None)


async def look(site: Site, user_id: str, *, here: str | None) -> Seen:
    """Look at everything; `here` is what we call the sign-in of this browser."""
    found = await site.homeserver.read(sessions.list_living, user_id)
    browsers = await site.homeserver.read(sign_ins.list_living, user_id)
    verified = await site.devices.verified.of(user_id)
    begun = await site.homeserver.read(synapses.how_begun, user_id)
    together = await put_together(site, user_id, found, browsers, verified, here=here)
    names = {}
    if any(each.kind is Kind.TOKEN for each in together.entries):
        tokens = await site.homeserver.read(personal_tokens.list_of, user_id)
        names = {each.session_id: each.name for each in tokens}
    entries = (
        attrs.evolve(each, how=_how(begun.get(each.id)))
        if each.kind is Kind.LEGACY
        else attrs.evolve(each, name=names.get(together.session_ids[each.id]))
        if each.kind is Kind.TOKEN
        else each
        for each in together.entries
    )
    return attrs.evolve(together, entries=tuple(entries))


async def put_together(
    site: Site,
    user_id: str,
    own: Sequence[Session],
    own_browsers: Sequence[SignIn],
    verified: dict[str, bool],
    *,
    here: str | None,
) -> Seen:
    """Return what is not over of these, with the devices that Synapse knows.

    How those began that no session of ours speaks for takes another query.
    """
    now = site.now()
    living = [each for each in own if each.over(now, site.lifetimes.sessions) is None]
    browsers = [each for each in own_browsers if each.holds(now, site.lifetimes.browsers)]
    ours = {each.device_id: each for each in living if each.device_id is not None}
    without = {_outside("session", each.session_id): each for each in living if not each.device_id}
    named = {_outside("browser", each.name): each for each in browsers}
    devices = [
        Entry(
            kind=Kind.DEVICE if device.device_id in ours else Kind.LEGACY,
            id=device.device_id,
            name=device.name if device.name != device.device_id else None,
            user_agent=device.user_agent,
            last_seen=_last(device.last_seen, ours.get(device.device_id)),
            address=device.address,
            is_verified=verified.get(device.device_id),
            **_of(ours.get(device.device_id)),
        )
        for device in await site.devices.list_for(user_id)
    ]
    websites = [
        Entry(
            kind=_KINDS.get(each.began_by, Kind.WEBSITE),
            id=its_id,
            last_seen=_last(None, each),
            # Of a token that is from where it was made.
            address=None if each.is_personal else each.address,
            **_of(each),
        )
        for its_id, each in without.items()
    ]
    visits = [
        Entry(
            kind=Kind.BROWSER,
            id=its_id,
            user_agent=each.user_agent,
            began=each.signed_in_at,
            last_seen=now if each.name == here else each.last_active_at,
            address=each.address,
            amr=each.amr,
            how=How.PAGES,
            is_here=each.name == here,
        )
        for its_id, each in named.items()
    ]
    return Seen(
        (*devices, *websites, *visits),
        {its_id: each.session_id for its_id, each in without.items()},
        {its_id: each.name for its_id, each in named.items()},
    )


async def clients_of(site: Site, entries: Sequence[Entry]) -> dict[str, Client]:
    """Return the applications of these, in one query."""
    return await site.clients.find_all({each.client_id for each in entries if each.client_id})


def with_names(
    entries: Sequence[Entry], clients: dict[str, Client], languages: tuple[str, ...]
) -> list[Entry]:
    """Return them with what their applications are called, for a search."""
    return [
        attrs.evolve(each, client_name=clients[each.client_id].name_for(languages))
        if each.client_id in clients
        else each
        for each in entries
    ]


def lines(
    site: Site,
    entries: Sequence[Entry],
    clients: dict[str, Client],
    *,
    languages: tuple[str, ...],
    language: str,
) -> tuple[Line, ...]:
    """Return them as their owner sees them."""
    now = site.now()
    cards = {its_id: ClientCard.of(client, languages) for its_id, client in clients.items()}
    return tuple(
        Line(
            kind=each.kind,
            url=Target(Place.DEVICE, each.id).url,
            device_id=each.id if each.kind.is_device else None,
            name=each.name,
            client=cards.get(each.client_id) or ClientCard(each.client_id, each.client_id)
            if each.client_id
            else None,
            program=describe(each.user_agent),
            how=each.how,
            began=each.began,
            last_seen=each.last_seen,
            address=each.address,
            town=site.places.of(each.address, language),
            is_verified=each.is_verified,
            unused=each.unused_since(now),
            is_here=each.is_here,
        )
        for each in entries
    )


def _of(session: Session | None) -> dict[str, Any]:
    if session is None:
        return {}
    return {
        "client_id": None if session.is_personal else session.client_id,
        "scope": session.scope,
        "words": session.resource_scope,
        "began": session.created_at,
        "amr": session.amr,
        "how": _HOW[session.began_by],
    }


def _how(begun: Begun | None) -> How | None:
    """Return how a device began that no session of ours speaks for."""
    if begun is None:
        return None
    if begun.by_provider:
        return How.SINGLE_SIGN_ON
    if not begun.has_token:
        # It may be left of a session of ours, or be made by an administrator.
        return None
    return How.SERVICE_OR_OWN if begun.of_service else How.OWN


def _last(seen: int | None, session: Session | None) -> int | None:
    """Return the last sign of life."""
    times = [seen, *((session.rotated_at, session.last_active_at) if session else ())]
    return max((each for each in times if each is not None), default=None)


def _outside(kind: str, its_id: str) -> str:
    """Return what links call it: its id stays inside, for that of a session is half of a token."""
    return f"~{kind}.{digest(its_id)[:32]}"
