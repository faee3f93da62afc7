"""Whoever comes back from a provider that is to be connected to their account (C183, C278)."""

from synapse_nextgen_auth.accounts.attempts.arrivals import Arrival, Trouble
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt
from synapse_nextgen_auth.accounts.attempts.newcomers import Newcomer
from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.accounts.own_ways import Identity
from synapse_nextgen_auth.accounts.sign_ins import of_account
from synapse_nextgen_auth.flows import arrive
from synapse_nextgen_auth.flows import own_ways as flows
from synapse_nextgen_auth.flows.as_signed_in import SignedOut, as_signed_in
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.flows.own_ways import Kept
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web import answers, own_ways
from synapse_nextgen_auth.web.admission import admit
from synapse_nextgen_auth.web.pages.account.ways.page import TakenPage
from synapse_nextgen_auth.web.pages.content import ProviderCard
from synapse_nextgen_auth.web.pages.message.error import refuse_if_gone
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.pages.providers import ways as providers
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit


async def take(visit: Visit, attempt: Attempt, arrival: Arrival) -> Outgoing | Trouble:
    """Connect whom a provider let in to the account that asked, if it is signed in here still."""
    site, user_id = visit.site, attempt.user_id or ""
    sign_in = of_account(visit.sign_ins, user_id)
    if sign_in is None:
        return Trouble.OVER  # somebody signed out, here or everywhere, on purpose perhaps
    accounts_url = Onward.to_account(Target(Place.SIGN_IN)).accounts_url
    await admit(site, user_id, other_account_url=accounts_url)
    newcomer = Newcomer.unseal(site.issuer.keys, arrival.newcomer or "")
    if newcomer is None:
        return Trouble.BROKEN
    identity = Identity(newcomer.provider, newcomer.remote_user_id)
    owner = own_ways.owner(visit, user_id)
    connect = as_signed_in(sign_in, flows.connect)
    try:
        kept = await site.homeserver.run(connect, attempt, arrival, identity, owner)
    except SignedOut:
        return Trouble.OVER
    if isinstance(kept, Lost):
        return arrive.trouble_of(kept)
    if kept is Kept.TAKEN:
        shown = card(site, identity.provider)
        taken = TakenPage(
            server_name=site.server_name,
            user_id=user_id,
            provider=shown,
            back_url=Place.SIGN_IN.value,
        )
        return visit.answer(taken, 409)
    if kept is Kept.CLOSED:
        await refuse_if_gone(site, user_id)
    await site.providers.known.changed(identity)
    return answers.redirect(visit.about(sign_in).saying(Place.SIGN_IN.value, Done.CONNECTED))


def card(site: Site, provider_id: str) -> ProviderCard:
    """Return a provider as pages show it, under its id where it is no more."""
    found = (each for each in providers.cards(site) if each.provider_id == provider_id)
    return next(found, ProviderCard(provider_id, provider_id))
