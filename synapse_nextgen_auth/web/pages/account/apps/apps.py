"""The applications that may use an account, and taking that from one."""

from collections.abc import Iterable

import attrs

from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.flows import revoke_app
from synapse_nextgen_auth.homeserver import rooms
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import ROOM, Permission
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.store import consents, sessions
from synapse_nextgen_auth.store.consents import Consent
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.apps.page import AppLine, AppPage, AppsPage, EndAppPage
from synapse_nextgen_auth.web.pages.content import ClientCard, RoomLine, ServiceLine
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show all of them, those that were used last first."""
    return _list(visit, user_id, await _look(visit, user_id))


async def show_one(visit: Visit, user_id: str) -> Outgoing:
    """Show what one of them may do."""
    target = Target.read(Place.APP.value, visit.parameters.get("id"))
    found = await _look(visit, user_id)
    app = found.get(target.id or "")
    if app is None:
        return _list(visit, user_id, found, target)
    ids = [each.room_id for each in app.rooms]
    named = await rooms.names_of(visit.site.homeserver, user_id, ids)
    page = AppPage(
        **console.of(visit, user_id, target),
        app=attrs.evolve(app, rooms=RoomLine.of(named)),
        end_url=Target(Place.END_APP, target.id).url,
        devices_url=Place.DEVICES.value,
    )
    return visit.answer(page)


async def ask_to_end(visit: Visit, user_id: str) -> Outgoing:
    """Ask before anything is taken from it; a look does nothing (C197)."""
    target = Target.read(Place.END_APP.value, visit.parameters.get("id"))
    found = await _look(visit, user_id)
    app = found.get(target.id or "")
    if app is None:
        return _list(visit, user_id, found, target)
    page = EndAppPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        app=app,
        apps_url=Place.APPS.value,
    )
    return visit.answer(page)


async def end(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Sign it out everywhere, and forget what it was allowed: of this account alone (C301)."""
    site = visit.site
    client_id = Target.read(Place.END_APP.value, visit.parameters.get("id")).id
    if form.get("decision") != "end" or client_id is None:
        raise unknown_choice()
    await site.devices.expect_to_remove()
    ended = await site.homeserver.run(
        visit.as_signed_in(revoke_app.revoke),
        user_id,
        client_id,
        now=site.now(),
        address=visit.address,
    )
    device_ids = [each.device_id for each in ended if each.device_id is not None]
    if device_ids:
        await site.devices.remove_all(user_id, device_ids)
    for session in ended:
        if session.device_id is None:
            await site.devices.logged_out(session)
    return answers.redirect(visit.saying(Place.APPS.value, Done.APP_REVOKED))


def _list(
    visit: Visit, user_id: str, found: dict[str, AppLine], missing: Target | None = None
) -> Outgoing:
    page = AppsPage(
        **console.of(visit, user_id, missing or Target(Place.APPS)),
        apps=tuple(sorted(found.values(), key=lambda a: -max(a.last_used or 0, a.agreed_at or 0))),
        is_missing=missing is not None,
    )
    return visit.answer(page)


async def _look(visit: Visit, user_id: str) -> dict[str, AppLine]:
    """Return them by their client's id: with three queries, however many there are."""
    site, now = visit.site, visit.site.now()
    agreed = await site.homeserver.read(consents.list_of, user_id)
    living = [
        session
        for session in await site.homeserver.read(sessions.list_living, user_id)
        if session.over(now, site.lifetimes.sessions) is None and not session.is_personal
    ]
    ids = {each.client_id for each in agreed} | {each.client_id for each in living}
    clients = await site.clients.find_all(ids)
    return {
        its_id: _line(
            ClientCard.of(clients[its_id], visit.languages)
            if its_id in clients
            else ClientCard(its_id, its_id),
            its_id,
            [each for each in agreed if each.client_id == its_id],
            [each for each in living if each.client_id == its_id],
            visit,
        )
        for its_id in ids
    }


def _line(
    card: ClientCard, client_id: str, agreed: list[Consent], living: list[Session], visit: Visit
) -> AppLine:
    scopes = [*(each.scope for each in agreed), *(each.scope for each in living)]
    words = " ".join([*scopes, *(each.resource_scope or "" for each in living)]).split()
    return AppLine(
        client=card,
        url=Target(Place.APP, client_id).url,
        sessions=len(living),
        permissions=_permissions(scopes),
        rooms=tuple(map(RoomLine, _rooms(scopes))),
        services=ServiceLine.of(visit.site.resources, words, visit.languages),
        agreed_at=max((each.granted_at for each in agreed), default=None),
        last_used=max((max(s.rotated_at, s.last_active_at) for s in living), default=None),
    )


def _permissions(scopes: Iterable[str]) -> tuple[Permission, ...]:
    """Return what all of these scopes allow together, each thing once.

    What is remembered of a consent names no device, so it is no scope that could be asked for. Some
    rooms are a limit only where all of it is limited.
    """
    asked = _read(scopes)
    found = (each for scope in asked for each in scope.permissions)
    together = {each.scope: each for each in found}
    if not _are_for_rooms(asked):
        together.pop(ROOM, None)
    return tuple(together.values())


def _rooms(scopes: Iterable[str]) -> tuple[str, ...]:
    asked = _read(scopes)
    rooms = dict.fromkeys(room for scope in asked for room in scope.rooms)
    return tuple(rooms) if _are_for_rooms(asked) else ()


def _are_for_rooms(asked: list[grammar.Scope]) -> bool:
    return all(scope.rooms for scope in asked if scope.opens_matrix)


def _read(scopes: Iterable[str]) -> list[grammar.Scope]:
    return [grammar.Scope(scope) for scope in scopes]
