"""The page on which whoever is signed in stops that their second factors are removed as lost.

It wants no fresh proof: whoever is told that somebody else tries it is to stop it at once.
"""

from synapse_nextgen_auth.accounts.factors.lost import Cancelled
from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.flows import lost_factors as flows
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web import answers, lost_factors, own_ways
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.factors.page import LostFactorsPage
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Say what was asked for, and when; or that nothing waits."""
    request = await lost_factors.waiting(visit.site, user_id)
    has_passwords = own_ways.lets_in(visit.site).passwords
    target = Target(Place.LOST_FACTORS)
    page = LostFactorsPage(
        **console.of(visit, user_id, target),
        action=target.url,
        asked_at=request.asked_at if request else None,
        ready_at=request.ready_at if request else None,
        address=request.address if request else None,
        password_url=Place.PASSWORD.value if has_passwords else None,
        back_url=Place.SIGN_IN.value,
    )
    return visit.answer(page)


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Stop it."""
    if form.get("decision") != "stop":
        raise unknown_choice()
    here, now = Place.LOST_FACTORS.value, visit.site.now()
    stopped = await visit.site.homeserver.run(
        visit.as_signed_in(flows.cancel), user_id, Cancelled.BROWSER, now=now, address=visit.address
    )
    return answers.redirect(visit.saying(here, Done.LOSS_STOPPED) if stopped else here)
