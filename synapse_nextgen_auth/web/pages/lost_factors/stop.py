"""The link in a notice: its owner stops that the second factors of their account are removed as lost.

Nobody has to sign in for that. The first look takes the secret out of the address, and no look changes
anything, as mail scanners open what they find (C254): only the press does.
"""

from synapse_nextgen_auth.accounts.factors.lost import Request
from synapse_nextgen_auth.accounts.management import Place
from synapse_nextgen_auth.flows import lost_factors as flows
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import lost_factors
from synapse_nextgen_auth.web import answers, own_ways
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.link_cookie import LinkCookie, secret_in
from synapse_nextgen_auth.web.pages.lost_factors.page import StopPage, StopState
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

_HERE = "factor-lost-cancel"


async def show(visit: Visit) -> Outgoing:
    """Take the link out of the address; then ask whether to stop it."""
    secret = secret_in(visit.parameters.get("link"))
    if secret is not None:
        return answers.redirect(_HERE, _cookie(visit.site).write(secret))
    return _page(visit, await _find(visit))


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Stop it, once."""
    if form.get("decision") != "stop":
        raise unknown_choice()
    secret, site = visit.cookie(_cookie(visit.site)), visit.site
    if secret is not None:
        await site.homeserver.run(
            flows.cancel_by_link, digest(secret.reveal()), now=site.now(), address=visit.address
        )
    return _page(visit, await _find(visit))


async def _find(visit: Visit) -> Request | None:
    secret = visit.cookie(_cookie(visit.site))
    if secret is None:
        return None
    return await visit.site.homeserver.read(lost_factors.find_by_link, digest(secret.reveal()))


def _state(request: Request, now: int) -> StopState:
    if request.used_at is not None:
        return StopState.USED
    if request.cancelled_at is not None:
        return StopState.STOPPED
    return StopState.WAITING if request.is_open(now) else StopState.OVER


def _page(visit: Visit, request: Request | None) -> Outgoing:
    site = visit.site
    if request is None:
        page = StopPage(csrf=visit.csrf, server_name=site.server_name, state=StopState.OVER)
        return visit.answer(page, 410)
    has_passwords = own_ways.lets_in(site).passwords
    state = _state(request, site.now())
    page = StopPage(
        csrf=visit.csrf,
        server_name=site.server_name,
        state=state,
        user_id=request.user_id,
        asked_at=request.asked_at,
        ready_at=request.as_expected(site.now()).ready_at,
        address=request.address,
        password_url=Place.PASSWORD.value if has_passwords else None,
    )
    return visit.answer(page, 410 if state in {StopState.USED, StopState.OVER} else 200)


def _cookie(site: Site) -> LinkCookie:
    return LinkCookie(is_https=site.cookies.is_https, label="lost_factors")
