"""Signing out several devices, websites and browsers at once."""

import json

from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.accounts.signed_in import Entry, Kind, Several, in_order
from synapse_nextgen_auth.flows.end_several import Ends, end_several
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.devices import seen
from synapse_nextgen_auth.web.pages.account.devices.page import EndSeveralPage
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit


async def ask_to_end(visit: Visit, user_id: str) -> Outgoing:
    """Name each that would go."""
    several, _found, entries = await _meant(visit, user_id)
    if several is None or not entries:
        return answers.redirect(Place.DEVICES.value)
    site, target = visit.site, Target(Place.END_SEVERAL, several.value)
    clients = await seen.clients_of(site, entries)
    page = EndSeveralPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        several=several,
        lines=seen.lines(
            site, entries, clients, languages=visit.languages, language=visit.reader.language
        ),
        shown=" ".join(sorted(_mark(each) for each in entries)),
        devices_url=Place.DEVICES.value,
    )
    return visit.answer(page)


async def end(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Sign out what the page named, as far as it would name it still: what changed meanwhile stays."""
    site = visit.site
    several, found, entries = await _meant(visit, user_id)
    if form.get("decision") != "end" or several is None:
        raise unknown_choice()
    shown = set(form.get("shown", "").split())
    gone = [each for each in entries if _mark(each) in shown]
    device_ids = [each.id for each in gone if each.kind.is_device]
    if device_ids:
        await site.devices.expect_to_remove()
    ends = Ends(
        session_ids=[found.session_ids[each.id] for each in gone if each.kind.has_only_a_session],
        sign_ins=[found.sign_ins[each.id] for each in gone if each.kind is Kind.BROWSER],
        is_all=several is Several.OTHERS,
    )
    ended = await site.homeserver.run(
        visit.as_signed_in(end_several), user_id, ends, now=site.now(), address=visit.address
    )
    if device_ids:
        await site.devices.remove_all(user_id, device_ids)
    for session in ended:
        await site.devices.logged_out(session)
    return answers.redirect(visit.saying(Place.DEVICES.value, Done.SIGNED_OUT))


async def _meant(visit: Visit, user_id: str) -> tuple[Several | None, seen.Seen, list[Entry]]:
    site, asked = visit.site, visit.parameters.get("id")
    here = visit.sign_in.name if visit.sign_in else None
    found = await seen.look(site, user_id, here=here)
    several = next((each for each in Several if each.value == asked), None)
    entries = several.of(found.entries) if several else []
    return several, found, in_order(entries, site.now())


def _mark(entry: Entry) -> str:
    """Return what the form says of one: short, for there may be hundreds.

    A device where somebody signed in anew under the same id is another one.
    """
    began = entry.began if entry.kind.is_device else None
    return digest(json.dumps([entry.id, entry.kind.value, began]))[:16]
