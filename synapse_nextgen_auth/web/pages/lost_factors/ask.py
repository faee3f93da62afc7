"""Whoever lost every second factor asks to have them removed, waits, and comes back.

The first factor is proven at both ends: this is a page of the stage that asks for the second.
"""

from urllib.parse import urlencode

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.accounts.factors import demands, lost
from synapse_nextgen_auth.accounts.factors.lost import Drawn, Request, State, Terms, WhyNot
from synapse_nextgen_auth.flows import changed_by_synapse, own_factors
from synapse_nextgen_auth.flows import lost_factors as flows
from synapse_nextgen_auth.homeserver import lost_factors as telling
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Purpose, digest, random_id, random_token
from synapse_nextgen_auth.store import lost_factors
from synapse_nextgen_auth.web import answers, attempts, factor_stages, own_ways, sign_ups, under_way
from synapse_nextgen_auth.web import lost_factors as rules
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.lost_factors.page import LostPage, LostState
from synapse_nextgen_auth.web.pages.message.error import PageError, unknown_choice
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.under_way import Way
from synapse_nextgen_auth.web.visits import Visit

_DAY = 24 * 3600
_STATES = {
    State.WAITING: LostState.WAITING,
    State.READY: LostState.READY,
    State.CANCELLED: LostState.RESTING,
    State.OVER: LostState.OFFERED,
}


@frozen
class _Asks:
    """Who asks, in which attempt, on which terms, and how far it is."""

    attempt: Attempt
    user_id: str
    terms: Terms
    why_not: WhyNot | None
    request: Request | None
    state: LostState


async def show(visit: Visit) -> Outgoing:
    """Say what helps, and how far it is."""
    asks = await _find(visit)
    return asks if isinstance(asks, Outgoing) else await _page(visit, asks)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Ask for the removal; or remove the factors, when the time has come."""
    asks = await _find(visit)
    if isinstance(asks, Outgoing):
        return asks
    decision = form.get("decision")
    if decision not in {"ask", "remove"}:
        raise unknown_choice()
    if asks.why_not is not None:
        return await _page(visit, asks, status=403)
    return await (_ask(visit, asks) if decision == "ask" else _remove(visit, asks))


async def _ask(visit: Visit, asks: _Asks) -> Outgoing:
    site, secret = visit.site, random_token()
    sealed = site.issuer.keys.seal(Purpose.LOST_FACTORS, secret.reveal().encode("ascii"))
    drawn = Drawn(random_id(), digest(secret.reveal()), sealed)
    request = lost.asked(asks.user_id, drawn, asks.terms, now=site.now(), address=visit.address)
    owner = own_ways.owner(visit, asks.user_id)
    await site.homeserver.run(flows.ask, asks.attempt, request, owner)
    # Whether it was written now or waited already is the same to see.
    return answers.redirect(url(asks.attempt))


async def _remove(visit: Visit, asks: _Asks) -> Outgoing:
    """Remove them, and go on with what was proven first, in an attempt that begins anew."""
    site, attempt = visit.site, asks.attempt
    onward = await under_way.onward_of(visit, attempt)
    owner = own_ways.owner(visit, asks.user_id)
    if not await site.homeserver.run(flows.use, attempt, owner):
        found = await _find(visit)
        return (
            found
            if isinstance(found, Outgoing)
            else await _page(visit, found, status=409, is_late=True)
        )
    proven = [each for each in attempt.proven if demands.is_first(each)]
    way = Way(onward, attempt.purpose, asks.user_id)
    waiting = attempt.answered.get(Stage.NEW_PASSWORD.value)
    if waiting is not None:
        return await attempts.begin_waiting(visit, way, proven[0], Stage.NEW_PASSWORD, waiting)
    return await attempts.take_several(visit, way, proven)


def url(attempt: Attempt) -> str:
    """Return this page, in an attempt."""
    return f"factor-lost?{urlencode({'attempt': attempt.attempt_id})}"


async def _find(visit: Visit) -> _Asks | Outgoing:
    """Return who asks, or where they are by now; stop where nobody is helped like this."""
    site, terms = visit.site, rules.terms(visit.site)
    if not terms.are_on:
        raise PageError(404, Message.NOT_FOUND)
    attempt = await factor_stages.find(visit, Stage.FACTOR)
    if isinstance(attempt, Outgoing):
        return attempt
    user_id = attempt.user_id or ""
    request = await site.homeserver.read(lost_factors.get, user_id)
    why_not = lost.why_not(
        terms,
        attempt.proven,
        purpose=attempt.purpose,
        is_admin=await site.second_factors.administers(user_id),
        is_set_by_mail=await site.homeserver.read(
            changed_by_synapse.is_set_by_mail, user_id, since=site.now() - terms.wait
        ),
        is_told=await telling.can_be_told(site.homeserver, site.mailboxes, user_id),
    )
    state = _STATES[request.state(site.now())] if request is not None else LostState.OFFERED
    return _Asks(attempt, user_id, terms, why_not, request, state)


async def _page(visit: Visit, asks: _Asks, *, status: int = 200, is_late: bool = False) -> Outgoing:
    attempt, request = asks.attempt, asks.request
    if request is not None and asks.state is LostState.WAITING:
        request = request.as_expected(visit.site.now())
    onward: Onward = await under_way.onward_of(visit, attempt)
    had = await visit.site.homeserver.run(own_factors.look, asks.user_id)
    page = LostPage(
        csrf=visit.csrf,
        action=url(attempt),
        server_name=visit.site.server_name,
        user_id=asks.user_id,
        state=asks.state,
        days=max(1, asks.terms.wait // _DAY),
        why_not=asks.why_not,
        asked_at=request.asked_at if request else None,
        ready_at=request.ready_at if request else None,
        until=request.expires_at if request else None,
        has_codes=bool(had.held.codes),
        is_late=is_late,
        back_url=attempts.url_of_stage(attempt, Stage.FACTOR),
        restart_url=onward.sign_in_url,
        client=sign_ups.client_card(visit, onward),
    )
    return visit.answer(page, status, goes_to=onward.goes_to, goes_further=onward.goes_further)
