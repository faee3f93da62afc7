"""The page on which whoever is signed in makes new recovery codes; they are shown with the answer."""

from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.flows import own_factors as flows
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web import answers, own_ways
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.new_factors import NewCodes
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.factors.factors import refuse_if_off
from synapse_nextgen_auth.web.pages.account.factors.page import RecoveryCodesPage
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit

_BACK = Place.FACTORS.value


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Say how many are left, and what new ones do to them."""
    await refuse_if_off(visit.site, user_id)
    had = await visit.site.homeserver.run(flows.look, user_id)
    if not had.held.is_any:
        return answers.redirect(_BACK)
    target = Target(Place.RECOVERY_CODES)
    page = RecoveryCodesPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        back_url=_BACK,
        left=had.held.codes,
        made_at=had.codes_made_at,
    )
    return visit.answer(page)


async def make(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Make them: what there was is worth nothing from now on."""
    await refuse_if_off(visit.site, user_id)
    if form.get("decision") != "make":
        raise unknown_choice()
    new = NewCodes.draw(visit.site, user_id)
    owner = own_ways.owner(visit, user_id)
    made = await visit.site.homeserver.run(visit.as_signed_in(flows.make_codes), new.kept, owner)
    if not made:
        return answers.redirect(_BACK)
    return visit.answer(new.page(visit, user_id, action=_BACK))
