"""What an account is signed in with, as its pages show it."""

from collections.abc import Iterable

import attrs

from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.homeserver.devices.matrix_devices import Device
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import sessions
from synapse_nextgen_auth.web.pages.account.devices.page import DeviceLine, SessionLine
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.site import Site

# Of sessions without a device, those used last; more make no page that anybody reads.
_SHOWN = 100


@attrs.frozen
class Seen:
    """Everywhere an account is signed in."""

    devices: tuple[DeviceLine, ...]
    sessions: tuple[SessionLine, ...]
    more_sessions: bool

    def device(self, device_id: str | None) -> DeviceLine | None:
        """Return one device of the account."""
        return next((line for line in self.devices if line.device_id == device_id), None)


async def look(site: Site, user_id: str, languages: tuple[str, ...]) -> Seen:
    """Look at everything with as many queries as for one device, however much there is."""
    living = await living_sessions(site, user_id)
    others = without_device(living)
    shown = others[:_SHOWN]
    speaking = {s.device_id: s.client_id for s in living if s.device_id is not None}
    cards = await _cards(site, languages, {*speaking.values(), *(s.client_id for s in shown)})
    devices = tuple(
        _line(device, cards.get(speaking.get(device.device_id, "")))
        for device in await site.devices.list_for(user_id)
    )
    lines = tuple(_session_line(session, cards.get(session.client_id)) for session in shown)
    return Seen(devices, lines, more_sessions=len(others) > len(shown))


async def session(
    site: Site, user_id: str, its_name: str | None, languages: tuple[str, ...]
) -> SessionLine | None:
    """Return one session of the account that has no device."""
    found = await named(site, user_id, its_name)
    if found is None:
        return None
    cards = await _cards(site, languages, {found.client_id})
    return _session_line(found, cards.get(found.client_id))


async def named(site: Site, user_id: str, its_name: str | None) -> Session | None:
    """Return the session without a device that a link of the account names."""
    others = without_device(await living_sessions(site, user_id))
    return next((each for each in others if _name(each) == its_name), None)


async def living_sessions(site: Site, user_id: str) -> list[Session]:
    """Return the sessions that are not over."""
    now = site.now()
    found = await site.homeserver.read(sessions.list_living, user_id)
    return [session for session in found if session.over(now, site.lifetimes.sessions) is None]


def without_device(living: Iterable[Session]) -> list[Session]:
    """Return the sessions without a device, the one used last first."""
    return sorted((s for s in living if s.device_id is None), key=lambda s: -_used_at(s))


async def _cards(
    site: Site, languages: tuple[str, ...], client_ids: set[str]
) -> dict[str, ClientCard]:
    clients = await site.clients.find_all(client_ids)
    return {its_id: ClientCard.of(client, languages) for its_id, client in clients.items()}


def _used_at(session: Session) -> int:
    return max(session.rotated_at, session.last_active_at)


def _name(session: Session) -> str:
    """Return what a link calls a session: its id is half of a token, and stays inside."""
    return digest(session.session_id)[:32]


def _session_line(session: Session, card: ClientCard | None) -> SessionLine:
    return SessionLine(
        client=card or ClientCard(session.client_id, session.client_id),
        url=Target(Place.END_SESSION, _name(session)).url,
        began=session.created_at,
        last_used=_used_at(session),
        address=session.address,
    )


def _line(device: Device, card: ClientCard | None) -> DeviceLine:
    return DeviceLine(
        device_id=device.device_id,
        name=device.name,
        url=Target(Place.DEVICE, device.device_id).url,
        client=card,
        last_seen=device.last_seen,
        address=device.address,
    )
