"""The list of everywhere an account is signed in."""

from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.devices import seen
from synapse_nextgen_auth.web.pages.account.devices.page import DevicesPage
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show all devices and sessions."""
    found = await seen.look(visit.site, user_id, visit.languages)
    return _list(visit, user_id, found)


def missing(visit: Visit, user_id: str, found: seen.Seen, target: Target) -> Outgoing:
    """Show the list to whoever came for something that is gone, or not of this account (C301).

    It may be another account's, who goes on with it.
    """
    return _list(visit, user_id, found, target)


def _list(visit: Visit, user_id: str, found: seen.Seen, target: Target | None = None) -> Outgoing:
    page = DevicesPage(
        **console.of(visit, user_id, target or Target(Place.DEVICES)),
        devices=found.devices,
        sessions=found.sessions,
        more_sessions=found.more_sessions,
        is_missing=target is not None,
    )
    return visit.answer(page)
