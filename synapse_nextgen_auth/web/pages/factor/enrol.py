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
from synapse_nextgen_auth.accounts.factors.passkeys import ceremonies
from synapse_nextgen_auth.accounts.factors.passkeys.ceremonies import Used, Wrong
from synapse_nextgen_auth.flows import authenticator_apps as flows
from synapse_nextgen_auth.flows import passkeys as passkey_flows
from synapse_nextgen_auth.flows.authenticator_apps import Confirmed, Kept, Shown, Undone
from synapse_nextgen_auth.flows.passkeys import Added, New
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.secret import Purpose
from synapse_nextgen_auth.web import (
    answers,
    attempts,
    enrol_mail,
    factor_stages,
    factors,
    new_factors,
    own_ways,
    passkeys,
    sign_ups,
    under_way,
)
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.given_up import give_up
from synapse_nextgen_auth.web.new_factors import NewCodes
from synapse_nextgen_auth.web.pages.factor.page import AppProblem, EnrolPage
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit

_STATUS = {
    AppProblem.OVER: 410,
    AppProblem.TOO_MANY: 409,
    AppProblem.MAIL_TOO_OFTEN: 429,
    AppProblem.MAIL_LATE: 410,
    AppProblem.MAIL_OVER: 403,
    AppProblem.MAIL_GONE: 409,
}


async def show(visit: Visit) -> Outgoing:
    """Say what is needed, or show the secret; go on where nothing is needed any more."""
    attempt = await factor_stages.find(visit, Stage.ENROL)
    if isinstance(attempt, Outgoing):
        return attempt
    app = await _app(visit, attempt)
    if app is None and visit.parameters.get("app") is not None:
        return await _page(visit, attempt, None, AppProblem.OVER)
    by_mail = visit.parameters.get("by") == "email"
    return await _page(visit, attempt, app, by_mail=by_mail)


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
    if decision == passkeys.DECISION:
        return await _take_passkey(visit, attempt, form)
    if decision == "mail":
        return await _send_mail(visit, attempt, form.get("to", ""))
    if decision == "confirm-mail":
        return await _confirm_mail(visit, attempt, form.get("code", ""))
    if decision != "confirm":
        raise unknown_choice()
    return await _confirm(visit, attempt, form.get("code", ""))


async def _app(visit: Visit, attempt: Attempt) -> App | None:
    app_id = visit.parameters.get("app") or ""
    return await new_factors.find_unconfirmed(visit, app_id, attempt.user_id or "")


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
        raise under_way.lost(
            undone.why, await under_way.whither(visit, attempt.attempt_id)
        ) from None
    if isinstance(done, Confirmed):
        return visit.answer(new.page(visit, user_id, with_app=True, action=_url(attempt)))
    if done in {Kept.NOT_FIRST, Kept.DONE}:
        return answers.redirect(_url(attempt))
    if done is Kept.WRONG:
        return await _page(visit, attempt, app, AppProblem.WRONG)
    return await _page(visit, attempt, None, AppProblem.OVER)


async def _send_mail(visit: Visit, attempt: Attempt, chosen: str) -> Outgoing:
    problem = await enrol_mail.send(visit, attempt, chosen)
    if isinstance(problem, AppProblem):
        return await _page(visit, attempt, None, problem)
    if problem is not None:
        too_often = AppProblem.MAIL_TOO_OFTEN
        return await _page(visit, attempt, None, too_often, by_mail=True, retry_after=problem)
    return answers.redirect(_url(attempt, by_mail=True))


async def _confirm_mail(visit: Visit, attempt: Attempt, typed: str) -> Outgoing:
    done = await enrol_mail.confirm(visit, attempt, typed, action=_url(attempt))
    if isinstance(done, Outgoing):
        return done
    return await _page(visit, attempt, None, done, by_mail=done is not AppProblem.MAIL_GONE)


async def _take_passkey(visit: Visit, attempt: Attempt, form: Form) -> Outgoing:
    """Take the passkey that the browser made: it is the first factor, and proven by that."""
    site, user_id, party = visit.site, attempt.user_id or "", passkeys.party_of(visit.site)
    if party is None:
        raise unknown_choice()
    try:
        made, handle, challenge = await passkeys.made(visit, form, party, user_id)
    except passkeys.Unproven as unproven:
        is_key = unproven.why is Wrong.KEY
        problem = AppProblem.PASSKEY_KEY if is_key else AppProblem.PASSKEY
        return await _page(visit, attempt, None, problem)
    owner, codes = own_ways.owner(visit, user_id), NewCodes.draw(site, user_id)
    name = passkeys.suggested_name(visit)
    passkey = passkeys.row(made, user_id, handle, party, name=name, now=owner.now)
    used = Used(sign_count=0, is_synced=False, is_verified=made.is_verified)
    proof = ceremonies.proof(passkey, used, now=owner.now)
    new = New(passkey=passkey, challenge=challenge, codes=codes.kept)
    try:
        done = await site.homeserver.run(passkey_flows.enrol, attempt, proof, new, owner)
    except Undone as undone:
        raise under_way.lost(
            undone.why, await under_way.whither(visit, attempt.attempt_id)
        ) from None
    if isinstance(done, Added):
        return visit.answer(codes.page(visit, user_id, with_factor=True, action=_url(attempt)))
    if done in {passkey_flows.Kept.NOT_FIRST, passkey_flows.Kept.SPENT}:
        return answers.redirect(_url(attempt))
    return await _page(visit, attempt, None, AppProblem.PASSKEY)


def _url(attempt: Attempt, app: App | None = None, *, by_mail: bool = False) -> str:
    its_id = {"by": "email"} if by_mail else {} if app is None else {"app": app.app_id}
    return f"factor-enrol?{urlencode({'attempt': attempt.attempt_id, **its_id})}"


async def _page(
    visit: Visit,
    attempt: Attempt,
    app: App | None,
    problem: AppProblem | None = None,
    *,
    by_mail: bool = False,
    retry_after: int | None = None,
) -> Outgoing:
    onward = await under_way.onward_of(visit, attempt)
    demand = await factors.demand(visit, attempt)
    secret = None if app is None else new_factors.shown(visit.site, app)
    party, asked = passkeys.party_of(visit.site), None
    mails = await enrol_mail.offered(visit, attempt, is_asked=by_mail)
    if app is None and party is not None and mails.mail is None:
        user_id = attempt.user_id or ""
        display_name, _ = await visit.site.people.profile(user_id)
        asked = passkeys.to_make(visit, party, user_id, name=display_name or user_id, has=())
    page = EnrolPage(
        csrf=visit.csrf,
        action=_url(attempt, app, by_mail=mails.mail is not None),
        server_name=visit.site.server_name,
        user_id=attempt.user_id or "",
        secret=secret,
        may_wait=demand.may_wait,
        deadline=demand.until,
        problem=problem,
        question=asked.question if asked else "",
        handle=asked.handle if asked else "",
        mails=mails.choices if app is None else (),
        mail=mails.mail,
        retry_after=retry_after,
        can_cancel=onward.can_be_declined,
        client=sign_ups.client_card(visit, onward),
    )
    return visit.answer(
        page,
        200 if problem is None else _STATUS.get(problem, 400),
        goes_to=onward.goes_to,
        goes_further=onward.goes_further,
        headers=(("Retry-After", str(retry_after)),) if retry_after else (),
    )
