"""The account page: where the account is signed in, and signing out there (MSC4191)."""

import attrs

from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.management import Action, ActionRequest
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.homeserver.devices.matrix_devices import Device
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import sessions
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account.page import (
    DeviceLine,
    DevicePage,
    DevicesPage,
    SessionLine,
    SessionPage,
)
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

# Of sessions without a device, those used last; more make no page that anybody reads.
_SHOWN = 100


async def sign_in(visit: Visit) -> str:
    """Return the sign-in page that comes back to what the person wanted here."""
    return f"sign-in?{_wanted(visit).query}"


def is_dangerous(visit: Visit) -> bool:
    """Say whether this look asks to end something."""
    wanted = _wanted(visit)
    return wanted.action is Action.DEVICE_DELETE or wanted.session is not None


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show all devices and sessions, or one; a link never does anything by itself (C197)."""
    site = visit.site
    wanted = _wanted(visit)
    seen = await _look(visit, user_id, wanted)
    is_there = seen.device is not None or seen.session is not None
    # What is not there may be another account's, who goes on with it.
    accounts_url = Onward.to(Kind.ACCOUNT, wanted.query).accounts_url
    if seen.session is not None:
        page: PageContent = SessionPage(
            csrf=visit.csrf,
            action=seen.session.url,
            server_name=site.server_name,
            user_id=user_id,
            session=seen.session,
            devices_url="account",
            accounts_url=accounts_url,
        )
    elif seen.device is not None:
        ending = ActionRequest(Action.DEVICE_DELETE, seen.device.device_id).query
        page = DevicePage(
            csrf=visit.csrf,
            action=f"account?{ending}",
            server_name=site.server_name,
            user_id=user_id,
            device=seen.device,
            devices_url="account",
            end_url=f"account?{ending}",
            asks_to_end=is_dangerous(visit),
            accounts_url=accounts_url,
        )
    else:
        page = DevicesPage(
            server_name=site.server_name,
            user_id=user_id,
            devices=seen.devices,
            home_url="./",
            accounts_url=accounts_url,
            is_missing=not is_there and bool(wanted.device_id or wanted.session),
            sessions=seen.sessions,
            more_sessions=seen.more_sessions,
        )
    return visit.answer(page)


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Sign a device out, legacy or ours, as `/logout` there would; or end a session without one."""
    site, wanted = visit.site, _wanted(visit)
    if form.get("decision") != "end" or (wanted.device_id is None and wanted.session is None):
        raise unknown_choice()
    if wanted.device_id is not None:
        # Of this account alone: somebody else's device is as good as none (C301).
        await site.devices.remove(user_id, wanted.device_id)
    else:
        await _end(visit, user_id, wanted)
    return answers.redirect("account")


async def _end(visit: Visit, user_id: str, wanted: ActionRequest) -> None:
    site = visit.site
    for session in await _without_device(site, user_id):
        if _name(session) == wanted.session:
            ended = await site.homeserver.run(
                end_session.end_own,
                session.session_id,
                user_id=user_id,
                now=site.now(),
                address=visit.address,
            )
            if ended is not None:
                await site.devices.logged_out(ended)


def _wanted(visit: Visit) -> ActionRequest:
    parameters = visit.parameters
    return ActionRequest.read(
        parameters.get("action"), parameters.get("device_id"), parameters.get("session")
    )


@attrs.frozen
class _Seen:
    """What an account has: all of it, and the one thing that was asked for."""

    devices: tuple[DeviceLine, ...]
    sessions: tuple[SessionLine, ...]
    more_sessions: bool
    device: DeviceLine | None
    session: SessionLine | None


async def _look(visit: Visit, user_id: str, wanted: ActionRequest) -> _Seen:
    """Look at everything with as many queries as for one device, however much there is."""
    site, languages = visit.site, visit.languages
    living = await _living(site, user_id)
    sessions = _latest_first(living)
    asked = [session for session in sessions if _name(session) == wanted.session]
    shown = asked or sessions[:_SHOWN]
    speaking = {s.device_id: s.client_id for s in living if s.device_id is not None}
    clients = await site.clients.find_all({*speaking.values(), *(s.client_id for s in shown)})
    cards = {client_id: ClientCard.of(client, languages) for client_id, client in clients.items()}
    devices = tuple(
        _line(device, cards.get(speaking.get(device.device_id, "")))
        for device in await site.devices.list_for(user_id)
    )
    lines = tuple(_session_line(session, cards.get(session.client_id)) for session in shown)
    return _Seen(
        devices=devices,
        sessions=lines,
        more_sessions=len(sessions) > len(shown),
        device=next((line for line in devices if line.device_id == wanted.device_id), None),
        session=lines[0] if asked else None,
    )


async def _living(site: Site, user_id: str) -> list[Session]:
    now = site.now()
    found = await site.homeserver.read(sessions.list_living, user_id)
    return [session for session in found if session.over(now, site.lifetimes.sessions) is None]


async def _without_device(site: Site, user_id: str) -> list[Session]:
    return _latest_first(await _living(site, user_id))


def _latest_first(living: list[Session]) -> list[Session]:
    """Return the sessions without a device, the one used last first."""
    return sorted((s for s in living if s.device_id is None), key=lambda s: -_used_at(s))


def _used_at(session: Session) -> int:
    return max(session.rotated_at, session.last_active_at)


def _name(session: Session) -> str:
    """Return what a link calls a session: its id is half of a token, and stays inside."""
    return digest(session.session_id)[:32]


def _session_line(session: Session, card: ClientCard | None) -> SessionLine:
    return SessionLine(
        client=card or ClientCard(session.client_id, session.client_id),
        url=f"account?{ActionRequest(session=_name(session)).query}",
        began=session.created_at,
        last_used=_used_at(session),
        address=session.address,
    )


def _line(device: Device, card: ClientCard | None) -> DeviceLine:
    return DeviceLine(
        device_id=device.device_id,
        name=device.name,
        url=f"account?{ActionRequest(Action.DEVICE_VIEW, device.device_id).query}",
        client=card,
        last_seen=device.last_seen,
        address=device.address,
    )
