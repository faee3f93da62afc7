"""How somebody has codes sent by e-mail who needs a second factor before they are signed in."""

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt
from synapse_nextgen_auth.accounts.factors import demands
from synapse_nextgen_auth.accounts.factors.mail import masked
from synapse_nextgen_auth.flows import factor_mail as flows
from synapse_nextgen_auth.flows.authenticator_apps import Undone
from synapse_nextgen_auth.flows.factor_mail import Added, New
from synapse_nextgen_auth.flows.prove_factor import Trial
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import attempts, factor_mail, own_ways, under_way
from synapse_nextgen_auth.web.new_factors import NewCodes
from synapse_nextgen_auth.web.pages.factor.page import AppProblem, MailChoice, MailShown
from synapse_nextgen_auth.web.visits import Visit

_PROBLEMS = {
    Trial.WRONG: AppProblem.MAIL_WRONG,
    Trial.LATE: AppProblem.MAIL_LATE,
    Trial.OVER: AppProblem.MAIL_OVER,
    Trial.TOO_OFTEN: AppProblem.MAIL_OVER,
}


@frozen
class Offered:
    """The addresses that codes may go to; what was sent, where that is looked at (`by=email`)."""

    choices: tuple[MailChoice, ...] = ()
    mail: MailShown | None = None


async def offered(visit: Visit, attempt: Attempt, *, is_asked: bool) -> Offered:
    """Return what the page offers: nothing to whom a mail let in, as that is the same mailbox."""
    found = await _addresses(visit, attempt)
    choices = tuple(MailChoice(factor_mail.name(each), masked(each)) for each in found)
    address = await factor_mail.sent_to(visit, attempt) if is_asked else None
    if address not in found or address is None:
        return Offered(choices)
    written = masked(address)
    return Offered(choices, await factor_mail.shown(visit, attempt, address, written=written))


async def send(visit: Visit, attempt: Attempt, chosen: str) -> AppProblem | int | None:
    """Send a code to the address that was chosen; say what is wrong, or how long to wait."""
    for address in await _addresses(visit, attempt):
        if factor_mail.name(address) == chosen:
            return await factor_mail.send(visit, attempt, address, turns_on=True)
    return AppProblem.MAIL_GONE


async def confirm(
    visit: Visit, attempt: Attempt, typed: str, *, action: str
) -> Outgoing | AppProblem:
    """Look at the code: it is the first factor of the account, and proven by that."""
    site, user_id = visit.site, attempt.user_id or ""
    tried = await factor_mail.check(visit, attempt, typed)
    if tried is None:
        return AppProblem.MAIL_WRONG if typed else AppProblem.MAIL_MISSING
    if tried.trial is not Trial.RIGHT:
        return _PROBLEMS.get(tried.trial, AppProblem.MAIL_LATE)
    codes, owner = NewCodes.draw(site, user_id), own_ways.owner(visit, user_id)
    new = New(tried=tried, lets_in=own_ways.lets_in(site), codes=codes.kept)
    try:
        done = await site.homeserver.run(flows.enrol, attempt, new, owner)
    except Undone as undone:
        raise under_way.lost(
            undone.why, await under_way.whither(visit, attempt.attempt_id)
        ) from None
    if isinstance(done, Added):
        return visit.answer(codes.page(visit, user_id, with_factor=True, action=action))
    if done is flows.Kept.NOT_FIRST:
        return await attempts.go_on(visit, attempt)
    return AppProblem.MAIL_LATE if done is flows.Kept.USED else AppProblem.MAIL_GONE


async def _addresses(visit: Visit, attempt: Attempt) -> tuple[str, ...]:
    if not demands.may_add_mail(attempt.proven):
        return ()
    return await factor_mail.addresses(visit.site, attempt.user_id or "")
