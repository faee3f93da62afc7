"""The pages on which a provider is connected to an account, and disconnected.

A form of this browser begins it, after a fresh proof of whose account it is. Whoever comes back has what
that browser was given, is signed in there still, and brings the answer's own value (C183, C278).
"""

from synapse_nextgen_auth.accounts import own_ways as rules
from synapse_nextgen_auth.accounts.attempts.attempt import Purpose
from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.accounts.own_ways import Identity
from synapse_nextgen_auth.flows import own_ways as flows
from synapse_nextgen_auth.flows.own_ways import Kept
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.providers.listing import Provider
from synapse_nextgen_auth.store import own_ways as rows
from synapse_nextgen_auth.web import answers, connections, own_ways
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.ways import ways
from synapse_nextgen_auth.web.pages.account.ways.page import (
    ConnectPage,
    DisconnectPage,
)
from synapse_nextgen_auth.web.pages.message.error import PageError, unknown_choice
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.pages.providers import ways as providers
from synapse_nextgen_auth.web.visits import Visit

_BACK = Place.SIGN_IN.value


async def ask_to_connect(visit: Visit, user_id: str) -> Outgoing:
    """Say what it means, and for which account; a look goes to no provider."""
    provider = _named(visit)
    target = Target(Place.CONNECT, provider.provider_id)
    page = ConnectPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        back_url=_BACK,
        provider=connections.card(visit.site, provider.provider_id),
    )
    return visit.answer(page)


async def connect(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Go to the provider, which asks who is there."""
    provider = _named(visit)
    if form.get("decision") != "connect":
        raise unknown_choice()
    attempt = await own_ways.begin(visit, user_id, Purpose.CONNECT, Target(Place.SIGN_IN))
    start = Start(attempt.attempt_id, provider.provider_id, connects=True)
    return providers.send(visit, start, provider)


async def ask_to_disconnect(visit: Visit, user_id: str) -> Outgoing:
    """Say what is lost, or that nothing else lets the person in."""
    had = await visit.site.homeserver.run(rows.list_for, user_id)
    identity = _asked(visit, had.identities)
    if identity is None:
        return answers.redirect(_BACK)
    may_go = rules.may_go(had, had.without_identity(identity), own_ways.lets_in(visit.site))
    return _ask_to_disconnect(visit, user_id, identity, may_go=may_go)


async def disconnect(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Take it from the account, if it is one of its own (C301) and something else lets in."""
    site = visit.site
    if form.get("decision") != "disconnect":
        raise unknown_choice()
    had = await site.homeserver.run(rows.list_for, user_id)
    identity = _asked(visit, had.identities)
    if identity is None:
        return answers.redirect(_BACK)
    owner = own_ways.owner(visit, user_id)
    kept = await site.homeserver.run(
        visit.as_signed_in(flows.disconnect), identity, owner, own_ways.lets_in(site)
    )
    if kept is Kept.LAST_WAY_IN:
        return _ask_to_disconnect(visit, user_id, identity, may_go=False)
    await site.providers.known.changed(identity)
    return answers.redirect(visit.saying(_BACK, Done.DISCONNECTED))


def _named(visit: Visit) -> Provider:
    provider = visit.site.providers.known.get(visit.parameters.get("id") or "")
    if provider is None:
        raise PageError(404, Message.NOT_FOUND)
    return provider


def _asked(visit: Visit, identities: tuple[Identity, ...]) -> Identity | None:
    """Return what the address names, among what the account has."""
    asked = visit.parameters.get("id")
    return next((each for each in identities if ways.name(each) == asked), None)


def _ask_to_disconnect(visit: Visit, user_id: str, identity: Identity, *, may_go: bool) -> Outgoing:
    target = Target(Place.DISCONNECT, ways.name(identity))
    page = DisconnectPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        back_url=_BACK,
        connected=ways.connected(visit.site, identity),
        may_go=may_go,
    )
    return visit.answer(page, 200 if may_go else 409)
