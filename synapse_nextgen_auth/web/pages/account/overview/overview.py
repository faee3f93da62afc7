"""The overview of an account, and where the links of clients lead (CS API; MSC4191)."""

from synapse_nextgen_auth.accounts.management import Target
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.overview.page import OverviewPage
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.visits import Visit


def onward(visit: Visit) -> Onward:
    """Return the page that the link means."""
    return Onward.linked(visit.parameters)


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Lead to the page that a client means, or show all there is; a look never does anything (C197)."""
    meant = onward(visit)
    if meant.next_url != Target().url:
        return answers.redirect(meant.next_url)
    site = visit.site
    display_name, _picture = await site.people.profile(user_id)
    page = OverviewPage(
        **console.of(visit, user_id, Target()),
        sign_out_url="sign-out",
        display_name=display_name,
        others=tuple(e.user_id for e in visit.sign_ins if e.user_id != user_id),
    )
    return visit.answer(page)
