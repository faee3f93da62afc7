"""What happened to an account, in words, the newest first."""

from collections.abc import Sequence

from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.accounts.notices import device_of, operation_of
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.events import Event
from synapse_nextgen_auth.store import events
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.events.page import EventLine, EventsPage
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.visits import Visit

_SHOWN = 50
_DAY = 24 * 3600


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show one page of it."""
    site, before = visit.site, visit.parameters.get("before") or ""
    at, _, event_id = before.partition(".")
    # Anything else is the first page: nobody is told off for an old link.
    until = (int(at), event_id) if at.isascii() and at.isdecimal() and len(at) < 16 else None
    found = await site.homeserver.read(events.list_before, user_id, until, limit=_SHOWN + 1)
    shown = found[:_SHOWN]
    last = shown[-1] if len(found) > _SHOWN else None
    page = EventsPage(
        **console.of(visit, user_id, Target(Place.EVENTS)),
        events=await _lines(visit, shown),
        older_url=f"{Place.EVENTS.value}?before={last.happened_at}.{last.event_id}"
        if last
        else None,
        newest_url=Place.EVENTS.value if until is not None else None,
        kept_days=max(1, site.config.events.lifetime // _DAY),
    )
    return visit.answer(page)


async def _lines(visit: Visit, found: Sequence[Event]) -> tuple[EventLine, ...]:
    site, languages = visit.site, visit.languages
    clients = await site.clients.find_all({e.client_id for e in found if e.client_id is not None})
    cards = {its_id: ClientCard.of(client, languages) for its_id, client in clients.items()}
    return tuple(
        EventLine(
            kind=each.kind,
            at=each.happened_at,
            client=cards.get(each.client_id or ""),
            device=device_of(each.detail),
            address=each.address,
            operation=operation_of(each.detail),
            place=site.places.of(each.address, visit.reader.language),
        )
        for each in found
    )
