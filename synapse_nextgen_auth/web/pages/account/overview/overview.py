"""The overview of an account, and where the links of clients lead (CS API; MSC4191)."""

import attrs

from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.accounts.people import meant as meant_by_hint
from synapse_nextgen_auth.accounts.people import meant_elsewhere
from synapse_nextgen_auth.accounts.signed_in import Several
from synapse_nextgen_auth.accounts.verdict import judge
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web import answers, grants, own_ways
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.overview import facts
from synapse_nextgen_auth.web.pages.account.overview.page import Other, OverviewPage, ShownCard
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.visits import Visit


async def onward(visit: Visit) -> Onward:
    """Return the page that the link means, and whose.

    Whom an ID token of ours names is not asked whether that is over: it is only a name here.
    """
    if visit.parameters.get("page") is not None:  # they come back from signing in
        return Onward.of(visit.parameters)
    linked, hint = Onward.linked(visit.parameters), visit.parameters.get("id_token_hint")
    if hint is None:
        return linked
    issuer = visit.site.issuer
    named = await issuer.signing.hinted(hint, issuer=issuer.identifier, audience=None)
    # It goes before a hint in words, which anybody may write.
    return attrs.evolve(linked, hint=named.user_id) if named else linked


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Lead to the page that a client means, or show all there is; a look never does anything (C197)."""
    meant = await onward(visit)
    named = meant_by_hint(meant.hint, server_name=visit.site.server_name)
    if meant_elsewhere(meant.hint, server_name=visit.site.server_name):
        return answers.redirect(meant.accounts_url)
    if named is not None:
        here = await grants.named_here(visit, named)
        if here is None or here.user_id != user_id:
            # Says which account is which; nobody is switched by a link.
            return answers.redirect(meant.accounts_url)
    url = meant.chosen().next_url
    if url != Target().url:
        return answers.redirect(url)
    site = visit.site
    display_name, _picture = await site.people.profile(user_id)
    browser = visit.sign_in.name if visit.sign_in else None
    waits = visit.lost is not None
    looked = await facts.look(site, user_id, here=browser, is_loss_waiting=waits)
    page = OverviewPage(
        **console.of(visit, user_id, Target()),
        sign_out_url="sign-out",
        display_name=display_name,
        cards=tuple(
            ShownCard(each.title, each.text, each.url, each.link.words if each.link else None)
            for each in await site.other_modules.cards(user_id)
        ),
        lost_url=Place.LOST_FACTORS.value if waits else None,
        verdict=judge(looked.facts, site.now()),
        figures=looked.figures,
        events_url=Place.EVENTS.value,
        end_others_url=Target(Place.END_SEVERAL, Several.OTHERS.value).url,
        factors_url=Place.FACTORS.value if looked.facts.factors is not None else None,
        password_url=Place.PASSWORD.value
        if looked.ways.has_password and own_ways.lets_in(site).passwords
        else None,
        others=tuple(
            Other(each.user_id, Onward.to_account(Target()).accounts_url)
            for each in visit.sign_ins
            if each.user_id != user_id
        ),
    )
    return visit.answer(page)
