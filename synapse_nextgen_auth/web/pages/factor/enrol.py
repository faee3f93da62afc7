"""The page of a sign-in that has somebody set up a second factor, because their account needs one.

Only the first of an account: whoever has one proves that, and adds others on the pages of the account.
"""

import json
from urllib.parse import urlencode

from synapse_nextgen_auth.accounts import codes
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.accounts.factors import demands
from synapse_nextgen_auth.accounts.factors.apps import App
from synapse_nextgen_auth.flows import authenticator_apps as flows
from synapse_nextgen_auth.flows.authenticator_apps import Confirmed, Kept, Shown, Undone
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.secret import Purpose
from synapse_nextgen_auth.web import (
    answers,
    attempts,
    factor_stages,
    factors,
    new_factors,
    own_ways,
    sign_ups,
)
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.given_up import give_up
from synapse_nextgen_auth.web.new_factors import NewCodes
from synapse_nextgen_auth.web.pages.factor.page import AppProblem, EnrolPage
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit

_STATUS = {AppProblem.OVER: 410, AppProblem.TOO_MANY: 409}


async def show(visit: Visit) -> Outgoing:
    """Say what is needed, or show the secret; go on where nothing is needed any more."""
    attempt = await factor_stages.find(visit, Stage.ENROL)
    if isinstance(attempt, Outgoing):
        return attempt
    app = await _app(visit, attempt)
    if app is None and visit.parameters.get("app") is not None:
        return await _page(visit, attempt, None, AppProblem.OVER)
    return await _page(visit, attempt, app)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Begin, or look at the code, or leave it for later."""
    attempt = await factor_stages.find(visit, Stage.ENROL)
    if isinstance(attempt, Outgoing):
        return attempt
    decision = form.get("decision")
    if decision == "cancel":
        return await give_up(visit, attempt)
    if decision == "later":
        return await _later(visit, attempt)
    if decision == "begin":
        return await _begin(visit, attempt)
    if decision != "confirm":
        raise unknown_choice()
    return await _confirm(visit, attempt, form.get("code", ""))


async def _app(visit: Visit, attempt: Attempt) -> App | None:
    app_id = visit.parameters.get("app") or ""
    return await new_factors.find_unconfirmed(visit.site, app_id, attempt.user_id or "")


async def _later(visit: Visit, attempt: Attempt) -> Outgoing:
    """Note that somebody does it later; whether they may is decided where it counts."""
    plain = json.dumps({"at": visit.site.now()}).encode()
    sealed = visit.site.issuer.keys.seal(Purpose.STAGE, plain)
    return await attempts.answered(visit, attempt, attempt.answering(demands.LATER, sealed))


async def _begin(visit: Visit, attempt: Attempt) -> Outgoing:
    site = visit.site
    app = new_factors.new_app(site, attempt.user_id or "", "")
    kept = await site.homeserver.run(flows.begin, app, is_first=True, now=site.now())
    if kept is Kept.NOT_FIRST:
        return await attempts.go_on(visit, attempt)
    if kept is not None:
        return await _page(visit, attempt, None, AppProblem.TOO_MANY)
    return answers.redirect(_url(attempt, app))


async def _confirm(visit: Visit, attempt: Attempt, typed: str) -> Outgoing:
    site, user_id = visit.site, attempt.user_id or ""
    app = await _app(visit, attempt)
    if app is None:
        return await _page(visit, attempt, None, AppProblem.OVER)
    digits = codes.read(typed)
    if digits is None:
        return await _page(visit, attempt, app, AppProblem.WRONG if typed else AppProblem.MISSING)
    new, owner = NewCodes.draw(site, user_id), own_ways.owner(visit, user_id)
    shown = Shown(app.app_id, digits, new.kept)
    try:
        done = await site.homeserver.run(flows.enrol, attempt, shown, owner, keys=site.issuer.keys)
    except Undone as undone:
        raise attempts.lost(undone.why, await attempts.whither(visit, attempt.attempt_id)) from None
    if isinstance(done, Confirmed):
        return visit.answer(new.page(visit, user_id, with_app=True, action=_url(attempt)))
    if done in {Kept.NOT_FIRST, Kept.DONE}:
        return answers.redirect(_url(attempt))
    if done is Kept.WRONG:
        return await _page(visit, attempt, app, AppProblem.WRONG)
    return await _page(visit, attempt, None, AppProblem.OVER)


def _url(attempt: Attempt, app: App | None = None) -> str:
    its_id = {} if app is None else {"app": app.app_id}
    return f"factor-enrol?{urlencode({'attempt': attempt.attempt_id, **its_id})}"


async def _page(
    visit: Visit, attempt: Attempt, app: App | None, problem: AppProblem | None = None
) -> Outgoing:
    onward = await attempts.onward_of(visit, attempt)
    demand = await factors.demand(visit, attempt)
    secret = None if app is None else new_factors.shown(visit.site, app)
    page = EnrolPage(
        csrf=visit.csrf,
        action=_url(attempt, app),
        server_name=visit.site.server_name,
        user_id=attempt.user_id or "",
        secret=secret,
        may_wait=demand.may_wait,
        deadline=demand.until,
        problem=problem,
        can_cancel=onward.can_be_declined,
        client=sign_ups.client_card(visit, onward),
    )
    return visit.answer(
        page,
        200 if problem is None else _STATUS.get(problem, 400),
        goes_to=onward.goes_to,
        goes_further=onward.goes_further,
    )
