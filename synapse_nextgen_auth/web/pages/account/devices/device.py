"""One device, website or browser of an account: its name, and signing it out."""

from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.accounts.signed_in import Entry, Kind
from synapse_nextgen_auth.flows.as_signed_in import look
from synapse_nextgen_auth.flows.end_several import Ends, end_several
from synapse_nextgen_auth.homeserver import rooms
from synapse_nextgen_auth.homeserver.devices.matrix_devices import LONGEST_NAME
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.devices import devices, seen
from synapse_nextgen_auth.web.pages.account.devices.page import DevicePage, EndDevicePage, Line
from synapse_nextgen_auth.web.pages.content import RoomLine, ServiceLine
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show it."""
    target, found = await _found(visit, user_id, Place.DEVICE)
    entry = found.find(target.id)
    if entry is None:
        return await devices.listed(user_id, found, visit, target)
    return await _page(visit, user_id, target, entry)


async def rename(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Give a device another name; others in its rooms may see it."""
    if form.get("decision") != "rename":
        raise unknown_choice()
    target, found = await _found(visit, user_id, Place.DEVICE)
    entry = found.find(target.id)
    if entry is None or not entry.kind.is_device:
        return await devices.listed(user_id, found, visit, target)
    name = " ".join(form.get("name", "").split())
    if len(name) > LONGEST_NAME:
        return await _page(visit, user_id, target, entry, typed=name)
    await visit.site.homeserver.run(visit.as_signed_in(look))
    if not await visit.site.devices.rename(user_id, entry.id, name):
        return await devices.listed(user_id, found, visit, target)
    return answers.redirect(visit.saying(target.url, Done.RENAMED))


async def ask_to_end(visit: Visit, user_id: str) -> Outgoing:
    """Ask whether to sign it out; a link never does anything by itself (C197)."""
    target, found = await _found(visit, user_id, Place.END_DEVICE)
    entry = found.find(target.id)
    if entry is None:
        return await devices.listed(user_id, found, visit, target)
    page = EndDevicePage(
        **console.asks(visit, user_id, target),
        action=target.url,
        line=await _line(visit, entry),
        devices_url=Place.DEVICES.value,
    )
    return visit.answer(page)


async def end(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Sign it out: a device, legacy or ours, as `/logout` there would."""
    if form.get("decision") != "end":
        raise unknown_choice()
    site = visit.site
    target, found = await _found(visit, user_id, Place.END_DEVICE)
    entry = found.find(target.id)
    await site.homeserver.run(visit.as_signed_in(look))
    if entry is None and target.id is not None and not target.id.startswith("~"):
        # Of this account alone: somebody else's device is as good as none (C301).
        await site.devices.remove(user_id, target.id)
    elif entry is not None and entry.kind.is_device:
        await site.devices.remove(user_id, entry.id)
    elif entry is not None:
        ends = Ends(
            session_ids=[found.session_ids[entry.id]] if entry.kind.has_only_a_session else (),
            sign_ins=[found.sign_ins[entry.id]] if entry.kind is Kind.BROWSER else (),
        )
        ended = await site.homeserver.run(
            visit.as_signed_in(end_several), user_id, ends, now=site.now(), address=visit.address
        )
        for session in ended:
            await site.devices.logged_out(session)
    return answers.redirect(visit.saying(Place.DEVICES.value, Done.SIGNED_OUT))


async def _found(visit: Visit, user_id: str, place: Place) -> tuple[Target, seen.Seen]:
    here = visit.sign_in.name if visit.sign_in else None
    target = Target.read(place.value, visit.parameters.get("id"))
    return target, await seen.look(visit.site, user_id, here=here)


async def _line(visit: Visit, entry: Entry) -> Line:
    site = visit.site
    clients = await seen.clients_of(site, [entry])
    (line,) = seen.lines(
        site, [entry], clients, languages=visit.languages, language=visit.reader.language
    )
    return line


async def _page(
    visit: Visit, user_id: str, target: Target, entry: Entry, *, typed: str | None = None
) -> Outgoing:
    scope = grammar.parse(entry.scope) if entry.scope else grammar.Scope("")
    site = visit.site
    page = DevicePage(
        **console.of(visit, user_id, target),
        action=target.url,
        line=await _line(visit, entry),
        permissions=tuple(
            each.scope
            for each in scope.permissions
            if each.scope != "urn:matrix:client:device:" and (each.in_rooms or not scope.rooms)
        ),
        rooms=RoomLine.of(await rooms.names_of(site.homeserver, user_id, scope.rooms)),
        services=ServiceLine.of(site.resources, (entry.words or "").split(), visit.languages),
        end_url=Target(Place.END_DEVICE, target.id).url,
        typed_name=(entry.name or "") if typed is None else typed,
        longest=LONGEST_NAME,
        is_too_long=typed is not None,
    )
    return visit.answer(page, 200 if typed is None else 400)
