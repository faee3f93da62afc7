"""How an account is signed in to: its password, the providers that let it in, a code by e-mail."""

from synapse_nextgen_auth.accounts import own_ways as rules
from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.accounts.own_ways import Identity, OwnWays
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import own_ways as rows
from synapse_nextgen_auth.store import passkeys as passkey_rows
from synapse_nextgen_auth.web import connections, factors, own_ways, passkeys
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.passkeys import passkeys as cards
from synapse_nextgen_auth.web.pages.account.ways.page import (
    Connectable,
    Connected,
    WaysPage,
)
from synapse_nextgen_auth.web.pages.providers import ways as providers
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show all of them, and what may be changed."""
    site = visit.site
    had = await site.homeserver.run(rows.list_for, user_id)
    lets_in = own_ways.lets_in(site)
    may_go = rules.may_go(had, had.without_password(), lets_in)
    codes_open_it = bool(had.emails) and await site.sign_in_codes.opens(user_id)
    party = passkeys.party_of(site)
    keys = await site.homeserver.read(passkey_rows.list_for, user_id) if party else []
    held = await factors.held_by(site, user_id)
    may_add = party is not None and await factors.may_add(site, user_id)
    page = WaysPage(
        **console.of(visit, user_id, Target(Place.SIGN_IN)),
        has_password=had.has_password,
        passwords_are_on=site.password_changes.are_possible,
        may_remove_password=had.has_password and may_go,
        password_url=Place.PASSWORD.value,
        remove_password_url=Place.REMOVE_PASSWORD.value,
        connected=tuple(connected(site, each) for each in had.identities),
        connectable=_connectable(site, had),
        codes_open_it=codes_open_it,
        code_addresses=had.emails if codes_open_it else (),
        passkeys=tuple(cards.card(each, party) for each in keys),
        add_passkey_url=Place.ADD_PASSKEY.value if may_add else None,
        reset_url=Place.RESET_IDENTITY.value,
        factors_url=Place.FACTORS.value if held is not None else None,
        factors=held.number if held is not None else 0,
    )
    return visit.answer(page)


def _connectable(site: Site, had: OwnWays) -> tuple[Connectable, ...]:
    """Return the providers that let nobody in to this account yet: one person each is usual."""
    known = {each.provider for each in had.identities}
    return tuple(
        Connectable(card, Target(Place.CONNECT, card.provider_id).url)
        for card in providers.cards(site)
        if card.provider_id not in known
    )


def name(identity: Identity) -> str:
    """Return what a link calls an identity: what a provider calls somebody stands in no address."""
    return digest(f"{identity.provider} {identity.external_id}")[:32]


def connected(site: Site, identity: Identity) -> Connected:
    """Return an identity as the pages show it."""
    return Connected(
        provider=connections.card(site, identity.provider),
        known_as=identity.external_id,
        url=Target(Place.DISCONNECT, name(identity)).url,
        is_configured=site.providers.known.get(identity.provider) is not None,
    )
