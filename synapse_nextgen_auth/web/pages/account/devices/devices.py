"""The list of everywhere an account is signed in."""

from urllib.parse import urlencode

from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.accounts.signed_in import SEARCHED_FROM, Several, in_order, part
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.devices import seen
from synapse_nextgen_auth.web.pages.account.devices.page import DevicesPage
from synapse_nextgen_auth.web.visits import Visit

_LONGEST_SEARCH = 100  # letters


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show all devices, websites and browsers, a page of them at a time."""
    here = visit.sign_in.name if visit.sign_in else None
    found = await seen.look(visit.site, user_id, here=here)
    return await listed(user_id, found, visit)


async def listed(
    user_id: str, found: seen.Seen, visit: Visit, target: Target | None = None
) -> Outgoing:
    """Show the list, also to whoever came for something that is gone, or not of this account (C301).

    It may be another account's, who goes on with `target`.
    """
    site = visit.site
    now, every = site.now(), list(found.entries)
    words = (visit.parameters.get("search") or "")[:_LONGEST_SEARCH].strip()
    entries = in_order(every, now)
    if words:
        named = seen.with_names(entries, await seen.clients_of(site, entries), visit.languages)
        entries = [each for each in named if each.is_like(words)]
    which, shown = part(entries, visit.parameters.get("part"))
    clients = await seen.clients_of(site, shown)
    lines = seen.lines(
        site, shown, clients, languages=visit.languages, language=visit.reader.language
    )
    page = DevicesPage(
        **console.of(visit, user_id, target or Target(Place.DEVICES)),
        looked_at=tuple(line for line in lines if line.needs_a_look),
        others=tuple(line for line in lines if not line.needs_a_look),
        part=which,
        devices_url=Place.DEVICES.value,
        previous_url=_url(words, which.number - 1) if which.number > 1 else None,
        next_url=None if which.is_last else _url(words, which.number + 1),
        search=words or None,
        can_search=bool(words) or len(every) >= SEARCHED_FROM,
        unverified=len(Several.UNVERIFIED.of(every)),
        unverified_url=Target(Place.END_SEVERAL, Several.UNVERIFIED.value).url,
        rest=len(Several.OTHERS.of(every)),
        rest_url=Target(Place.END_SEVERAL, Several.OTHERS.value).url,
        is_missing=target is not None,
    )
    return visit.answer(page)


def _url(words: str, number: int) -> str:
    query = {**({"search": words} if words else {}), "part": str(number)}
    return f"{Place.DEVICES.value}?{urlencode(query)}"
