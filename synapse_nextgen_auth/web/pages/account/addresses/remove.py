"""The page on which an address or a number of an account is removed."""

from synapse_nextgen_auth.accounts import own_ways as rules
from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.accounts.notices import seal_addresses
from synapse_nextgen_auth.flows import factor_mail as factor_flows
from synapse_nextgen_auth.flows import own_ways as flows
from synapse_nextgen_auth.flows.own_ways import Kept
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.threepids import Threepid
from synapse_nextgen_auth.store import factor_mail as factor_rows
from synapse_nextgen_auth.store import own_ways as rows
from synapse_nextgen_auth.store.own_ways import EMAIL, PHONE
from synapse_nextgen_auth.web import answers, factors, own_ways
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.addresses.page import RemoveAddressPage
from synapse_nextgen_auth.web.pages.message.error import refuse_if_gone, unknown_choice
from synapse_nextgen_auth.web.pages.recovery import offer
from synapse_nextgen_auth.web.visits import Visit

_BACK = Place.PROFILE.value


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Say what is lost with it."""
    asked = await _asked(visit, user_id)
    return answers.redirect(_BACK) if asked is None else await _page(visit, user_id, asked)


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Remove it, if it is one of this account (C301) and something else lets its person in."""
    site = visit.site
    if form.get("decision") != "remove":
        raise unknown_choice()
    asked = await _asked(visit, user_id)
    if asked is None:
        return answers.redirect(_BACK)
    await site.threepids.expect_to_remove()
    is_mail = asked.medium == EMAIL
    owner, lets_in = own_ways.owner(visit, user_id), own_ways.lets_in(site)
    if is_mail:
        kept = await site.homeserver.run(
            visit.as_signed_in(factor_flows.remove_address),
            asked.address,
            owner,
            lets_in,
            await factors.demand_of(site, user_id),
            also_to=seal_addresses(site.issuer.keys, [asked.address]),
        )
    else:
        kept = await site.homeserver.run(
            visit.as_signed_in(flows.remove_address), asked.medium, asked.address, owner, lets_in
        )
    if kept in {Kept.LAST_WAY_IN, Kept.LAST_FACTOR}:
        return await _page(visit, user_id, asked)
    if kept is not None:  # somebody else was first, here or with the whole account
        await refuse_if_gone(site, user_id)
        return answers.redirect(_BACK)
    is_unbound = await site.threepids.removed(user_id, asked.medium, asked.address)
    done = Done.ADDRESS_REMOVED if is_unbound else Done.ADDRESS_STAYS_LISTED
    return answers.redirect(visit.saying(_BACK, done))


async def _asked(visit: Visit, user_id: str) -> Threepid | None:
    """Return what the address names, among what the account has and may change."""
    if not visit.site.threepids.may_change:
        return None
    asked = visit.parameters.get("id")
    for each in await visit.site.threepids.of(user_id):
        if own_ways.name(each.medium, each.address) == asked:
            return each
    return None


async def _page(visit: Visit, user_id: str, asked: Threepid) -> Outgoing:
    site = visit.site
    had = await site.homeserver.run(rows.list_for, user_id)
    left = had.without_email(asked.address) if asked.medium == EMAIL else had
    lets_in = own_ways.lets_in(site)
    may_go = rules.may_go(had, left, lets_in)
    is_mail = asked.medium == EMAIL
    is_factor = is_mail and await site.homeserver.read(factor_rows.goes_to, user_id, asked.address)
    demand = await factors.demand_of(site, user_id)
    stays = is_factor and not await site.homeserver.run(
        factor_flows.may_go, user_id, demand, lets_in
    )
    target = Target(Place.REMOVE_ADDRESS, own_ways.name(asked.medium, asked.address))
    page = RemoveAddressPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        back_url=_BACK,
        address=f"+{asked.address}" if asked.medium == PHONE else asked.address,
        may_go=may_go and not stays,
        is_last_factor=may_go and stays,
        is_factor=is_factor,
        is_last_for_recovery=bool(had.emails) and not left.emails and offer.is_there(site),
    )
    return visit.answer(page, 200 if page.may_go else 409)
