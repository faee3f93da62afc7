"""The page on which whoever is signed in turns codes by e-mail on and off (C286, C294)."""

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Purpose
from synapse_nextgen_auth.accounts.factors.mail import FactorMail
from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.flows import codes as code_flows
from synapse_nextgen_auth.flows import factor_mail as flows
from synapse_nextgen_auth.flows.factor_mail import Added, Kept, New
from synapse_nextgen_auth.flows.prove_factor import Trial
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.store import factor_mail as rows
from synapse_nextgen_auth.web import answers, factor_mail, factors, own_ways
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.new_factors import NewCodes
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.factors.factors import refuse_if_off, refuse_new
from synapse_nextgen_auth.web.pages.account.factors.page import FactorMailPage
from synapse_nextgen_auth.web.pages.factor.page import AppProblem, MailChoice, MailShown
from synapse_nextgen_auth.web.pages.message.error import (
    PageError,
    refuse_if_gone,
    unknown_choice,
)
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.visits import Visit

_BACK = Place.FACTORS.value
_PROBLEMS = {
    Trial.WRONG: AppProblem.MAIL_WRONG,
    Trial.LATE: AppProblem.MAIL_LATE,
    Trial.OVER: AppProblem.MAIL_OVER,
    Trial.TOO_OFTEN: AppProblem.MAIL_OVER,
}
_STATUS = {AppProblem.MAIL_TOO_OFTEN: 429, AppProblem.MAIL_LATE: 410, AppProblem.MAIL_OVER: 403}


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Say where codes go, or may go; once one was sent, ask for it."""
    row = await _row(visit, user_id)
    attempt = await _attempt(visit, user_id)
    return await _page(visit, user_id, row, attempt)


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Send a code, look at it, or turn codes off."""
    row, decision = await _row(visit, user_id), form.get("decision")
    if decision == "remove":
        return await _remove(visit, user_id, row)
    await refuse_new(visit.site, user_id)
    attempt = await _attempt(visit, user_id)
    if decision == "send":
        return await _send(visit, user_id, row, attempt, form.get("to", ""))
    if decision != "check" or attempt is None:
        raise unknown_choice()
    return await _check(visit, user_id, row, attempt, form.get("code", ""))


async def _row(visit: Visit, user_id: str) -> FactorMail | None:
    """Return where codes go by now; stops where they may go nowhere, and go nowhere."""
    await refuse_if_off(visit.site, user_id)
    row = await visit.site.homeserver.read(rows.get, user_id)
    if row is None and not factor_mail.are_on(visit.site):
        raise PageError(404, Message.NOT_FOUND)
    return row


async def _attempt(visit: Visit, user_id: str) -> Attempt | None:
    if visit.parameters.get("id") is None:
        return None
    return await own_ways.find(visit, user_id, Purpose.ADD_ADDRESS)


async def _send(
    visit: Visit, user_id: str, row: FactorMail | None, attempt: Attempt | None, chosen: str
) -> Outgoing:
    found = await factor_mail.addresses(visit.site, user_id)
    address = next((each for each in found if factor_mail.name(each) == chosen), None)
    if address is None:
        return await _page(visit, user_id, row, attempt, AppProblem.MAIL_GONE)
    if attempt is None:
        here = Target(Place.FACTORS)
        attempt = await own_ways.begin(visit, user_id, Purpose.ADD_ADDRESS, here)
    wait = await factor_mail.send(
        visit, attempt, address, turns_on=True, flow=visit.as_signed_in(code_flows.send)
    )
    if wait is not None:
        problem = AppProblem.MAIL_TOO_OFTEN
        return await _page(visit, user_id, row, attempt, problem, retry_after=wait)
    return answers.redirect(_url(attempt))


async def _check(
    visit: Visit, user_id: str, row: FactorMail | None, attempt: Attempt, typed: str
) -> Outgoing:
    site = visit.site
    tried = await factor_mail.check(visit, attempt, typed)
    if tried is None:
        problem = AppProblem.MAIL_WRONG if typed else AppProblem.MAIL_MISSING
        return await _page(visit, user_id, row, attempt, problem)
    if tried.trial is not Trial.RIGHT:
        problem = _PROBLEMS.get(tried.trial, AppProblem.MAIL_LATE)
        return await _page(visit, user_id, row, attempt, problem, retry_after=tried.wait)
    codes = NewCodes.draw(site, user_id)
    new = New(
        tried=tried,
        lets_in=own_ways.lets_in(site),
        codes=codes.kept,
        sign_in=visit.sign_in.digest if visit.sign_in else "",
    )
    owner = own_ways.owner(visit, user_id)
    done = await site.homeserver.run(visit.as_signed_in(flows.add), new, owner)
    if isinstance(done, Added) and done.made_codes:
        return visit.answer(codes.page(visit, user_id, with_factor=True, action=_BACK))
    if isinstance(done, Added):
        return answers.redirect(visit.saying(_BACK, Done.FACTOR_MAIL_ON))
    if done is Kept.CLOSED:
        await refuse_if_gone(site, user_id)
    problem = AppProblem.MAIL_LATE if done is Kept.USED else AppProblem.MAIL_GONE
    return await _page(visit, user_id, row, attempt, problem)


async def _remove(visit: Visit, user_id: str, row: FactorMail | None) -> Outgoing:
    kept = await visit.site.homeserver.run(
        visit.as_signed_in(flows.remove),
        own_ways.owner(visit, user_id),
        await factors.demand_of(visit.site, user_id),
        own_ways.lets_in(visit.site),
    )
    if kept is Kept.LAST:
        return await _page(visit, user_id, row, None, AppProblem.MAIL_LAST)
    has_page = await factors.held_by(visit.site, user_id) is not None
    back = Place.FACTORS if has_page else Place.SIGN_IN
    return answers.redirect(visit.saying(back.value, Done.FACTOR_MAIL_OFF))


async def _mail(visit: Visit, attempt: Attempt | None) -> MailShown | None:
    address = None if attempt is None else await factor_mail.sent_to(visit, attempt)
    if attempt is None or address is None:
        return None
    return await factor_mail.shown(visit, attempt, address, written=address)


async def _page(
    visit: Visit,
    user_id: str,
    row: FactorMail | None,
    attempt: Attempt | None,
    problem: AppProblem | None = None,
    *,
    retry_after: int | None = None,
) -> Outgoing:
    site, has = visit.site, None if row is None else row.address
    demand = await factors.demand_of(site, user_id)
    lets_in = own_ways.lets_in(site)
    left = await site.homeserver.run(flows.left, user_id, lets_in)
    may_go = await site.homeserver.run(flows.may_go, user_id, demand, lets_in)
    found = await factor_mail.addresses(site, user_id) if demand.may_add else ()
    page = FactorMailPage(
        **console.asks(visit, user_id, Target(Place.FACTOR_MAIL)),
        action=_url(attempt),
        back_url=_BACK,
        addresses_url=Place.PROFILE.value,
        address=has,
        choices=tuple(MailChoice(factor_mail.name(each), each) for each in found if each != has),
        mail=await _mail(visit, attempt),
        may_go=may_go,
        is_last=not left.is_any,
        has_addresses=bool(await site.mailboxes.of(user_id)),
        problem=problem,
        retry_after=retry_after,
    )
    return visit.answer(
        page,
        200 if problem is None else _STATUS.get(problem, 409),
        headers=(("Retry-After", str(retry_after)),) if retry_after else (),
    )


def _url(attempt: Attempt | None) -> str:
    return Target(Place.FACTOR_MAIL, None if attempt is None else attempt.attempt_id).url
