"""The page of a sign-in that asks for a second factor: a passkey, or a code, whichever there is.

Another code is a member of `FactorWay`, what offers it in `_offered`, and a branch in `_check`; what
counts is for `accounts/factors/demands.py`.
"""

from urllib.parse import urlencode

from synapse_nextgen_auth.accounts import codes
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.accounts.factors import demands, recovery_codes
from synapse_nextgen_auth.accounts.factors.demands import Level
from synapse_nextgen_auth.accounts.factors.mail import FactorMail, masked
from synapse_nextgen_auth.accounts.factors.passkeys import ceremonies
from synapse_nextgen_auth.accounts.factors.passkeys.challenges import Ceremony
from synapse_nextgen_auth.accounts.factors.passkeys.passkey import Passkey
from synapse_nextgen_auth.flows import own_factors
from synapse_nextgen_auth.flows import passkeys as passkey_flows
from synapse_nextgen_auth.flows import prove_factor as flows
from synapse_nextgen_auth.flows.own_factors import Had
from synapse_nextgen_auth.flows.own_ways import Owner
from synapse_nextgen_auth.flows.prove_factor import Trial, Tried, Used
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import factor_mail as factor_mail_rows
from synapse_nextgen_auth.store import passkeys as passkey_rows
from synapse_nextgen_auth.web import (
    answers,
    attempts,
    factor_mail,
    factor_stages,
    factors,
    lost_factors,
    own_ways,
    passkeys,
    sign_ups,
    under_way,
)
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.given_up import give_up
from synapse_nextgen_auth.web.pages.factor.page import (
    FactorPage,
    FactorProblem,
    FactorRefused,
    FactorWay,
    MailShown,
    OtherWay,
)
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.passkeys import Unproven
from synapse_nextgen_auth.web.visits import Visit

_STATUS = {
    FactorProblem.TOO_OFTEN: 429,
    FactorProblem.MAIL_TOO_OFTEN: 429,
    FactorProblem.MISSING: 400,
}
_PROBLEMS = {
    Trial.WRONG: (FactorProblem.WRONG, FactorRefused.WRONG),
    Trial.USED: (FactorProblem.USED, FactorRefused.USED),
    Trial.OVER: (FactorProblem.OVER, FactorRefused.OVER),
    Trial.TOO_OFTEN: (FactorProblem.TOO_OFTEN, FactorRefused.TOO_OFTEN),
    Trial.LATE: (FactorProblem.MAIL_LATE, FactorRefused.LATE),
}


@frozen
class _Asks:
    """What is asked for, of whom, in which attempt."""

    attempt: Attempt
    owner: Owner
    onward: Onward
    passkeys: tuple[Passkey, ...]
    ways: tuple[FactorWay, ...]
    way: FactorWay | None
    is_unreadable: bool
    has_mail: bool
    mail: FactorMail | None


async def show(visit: Visit) -> Outgoing:
    """Ask, or go on where nothing is asked any more."""
    asks = await _find(visit)
    return asks if isinstance(asks, Outgoing) else await _page(visit, asks)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Look at what was typed, and go on if it is right."""
    asks = await _find(visit)
    if isinstance(asks, Outgoing):
        return asks
    decision = form.get("decision")
    if decision == "cancel":
        return await give_up(visit, asks.attempt)
    if decision == passkeys.DECISION:
        return await _take_passkey(visit, asks, form)
    if decision == "send" and asks.mail is not None:
        return await _send(visit, asks, asks.mail)
    if decision != "check" or asks.way is None:
        raise unknown_choice()
    # Of another name than the code of an app: password managers would fill that in.
    code = form.get("recovery") or form.get("code", "")
    tried = await _check(visit, asks, code)
    if tried is None:
        problem = FactorProblem.WRONG if code else FactorProblem.MISSING
        return await _page(visit, asks, problem)
    if tried.trial is Trial.RIGHT and tried.proof is not None:
        try:
            taken = await attempts.take_by(
                visit, asks.attempt, tried.proof, flows.take, asks.attempt, tried, asks.owner
            )
            return await factors.remember(visit, asks.attempt, form, taken)
        except Used:
            tried = Tried(Trial.USED)
    if tried.trial in {Trial.USED, Trial.LATE}:
        # By a press before this one, perhaps: then it stops here, and leads on.
        await under_way.find(visit, asks.attempt.attempt_id)
    problem, refused = _PROBLEMS[tried.trial]
    return await _refuse(visit, asks, problem, refused, wait=tried.wait)


async def _send(visit: Visit, asks: _Asks, mail: FactorMail) -> Outgoing:
    """Send a code to where those of the account go."""
    wait = await factor_mail.send(visit, asks.attempt, mail.address)
    if wait is not None:
        return await _page(visit, asks, FactorProblem.MAIL_TOO_OFTEN, retry_after=wait)
    return answers.redirect(url(asks.attempt, asks.way))


async def _take_passkey(visit: Visit, asks: _Asks, form: Form) -> Outgoing:
    """Take what a passkey of this account proved, in this attempt."""
    party, attempt = passkeys.party_of(visit.site), asks.attempt
    if party is None:
        raise unknown_choice()
    try:
        use = await passkeys.check(visit, form, party, Ceremony.PROVE, about=attempt.attempt_id)
    except Unproven as unproven:
        if unproven.is_done:
            # By a press before this one: then the attempt is over, and leads on.
            await under_way.find(visit, attempt.attempt_id)
        late = FactorProblem.PASSKEY_LATE if unproven.is_late else FactorProblem.PASSKEY
        return await _refuse(visit, asks, late, FactorRefused.PASSKEY)
    if use.passkey.user_id != asks.owner.user_id:
        return await _refuse(visit, asks, FactorProblem.PASSKEY, FactorRefused.PASSKEY)
    proof = ceremonies.proof(use.passkey, use.used, now=visit.site.now())
    taken = await attempts.take_by(visit, attempt, proof, passkey_flows.go_on, use, attempt, proof)
    return await factors.remember(visit, attempt, form, taken)


async def _refuse(
    visit: Visit,
    asks: _Asks,
    problem: FactorProblem,
    refused: FactorRefused,
    *,
    wait: int | None = None,
) -> Outgoing:
    attempts.note_refusal(visit, refused.value, asks.owner.user_id)
    return await _page(visit, asks, problem, retry_after=wait)


async def _check(visit: Visit, asks: _Asks, typed: str) -> Tried | None:
    """Look at a code, which counts as a try; `None` for what is none at all."""
    homeserver, keys = visit.site.homeserver, visit.site.issuer.keys
    attempt_id = asks.attempt.attempt_id
    if asks.way is FactorWay.EMAIL:
        return await factor_mail.check(visit, asks.attempt, typed)
    if asks.way is FactorWay.APP:
        digits = codes.read(typed)
        if digits is None:
            return None
        return await homeserver.settle(flows.try_app, attempt_id, digits, asks.owner, keys=keys)
    code = recovery_codes.read(typed)
    if code is None:
        return None
    return await homeserver.settle(flows.try_recovery_code, attempt_id, code, asks.owner, keys=keys)


async def _find(visit: Visit) -> _Asks | Outgoing:
    """Return what this page asks, or where its person is by now: with the history, or another tab."""
    attempt = await factor_stages.find(visit, Stage.FACTOR)
    if isinstance(attempt, Outgoing):
        return attempt
    owner = own_ways.owner(visit, attempt.user_id or "")
    had = await visit.site.homeserver.run(own_factors.look, owner.user_id)
    readable = [app for app in had.apps if app.opened(visit.site.issuer.keys) is not None]
    row = await visit.site.homeserver.read(factor_mail_rows.get, owner.user_id)
    # The mailbox that let them in is not asked for once more.
    may_mail = factor_mail.are_on(visit.site) and demands.may_add_mail(attempt.proven)
    asks = (await factors.demand(visit, attempt)).asks
    has_mail = row is not None and may_mail
    offered = _offered(had, has_app=bool(readable), has_mail=has_mail)
    ways = () if asks is Level.RESISTANT else offered
    wanted = visit.parameters.get("by")
    return _Asks(
        attempt=attempt,
        owner=owner,
        onward=await under_way.onward_of(visit, attempt),
        passkeys=await _passkeys(visit, owner.user_id),
        ways=ways,
        way=next((way for way in ways if way.value == wanted), next(iter(ways), None)),
        is_unreadable=len(readable) < len(had.apps),
        has_mail=row is not None and not may_mail,
        mail=row if FactorWay.EMAIL in ways else None,
    )


def _offered(had: Had, *, has_app: bool, has_mail: bool) -> tuple[FactorWay, ...]:
    """Return what the account can be asked for, what most people use first; the mailbox is the weakest.

    It comes after recovery codes only beside something stronger: else it is what its owner has.
    """
    codes = (FactorWay.RECOVERY_CODE,) if had.held.codes else ()
    mail = (FactorWay.EMAIL,) if has_mail else ()
    is_weaker = had.held.number > had.held.mail
    return (
        *((FactorWay.APP,) if has_app else ()),
        *((*codes, *mail) if is_weaker else (*mail, *codes)),
    )


async def _passkeys(visit: Visit, user_id: str) -> tuple[Passkey, ...]:
    """Return those of the account that browsers use at this address."""
    party = passkeys.party_of(visit.site)
    if party is None:
        return ()
    found = await visit.site.homeserver.read(passkey_rows.list_for, user_id)
    return tuple(each for each in found if each.rp_id == party.rp_id)


async def _mail(visit: Visit, asks: _Asks) -> MailShown | None:
    """Return what became of the code by mail, where that is what is asked for."""
    if asks.mail is None or asks.way is not FactorWay.EMAIL:
        return None
    address = asks.mail.address
    return await factor_mail.shown(visit, asks.attempt, address, written=masked(address))


def _question(visit: Visit, asks: _Asks) -> str:
    """Return what the browser asks them, in this attempt."""
    party = passkeys.party_of(visit.site)
    if party is None or not asks.passkeys:
        return ""
    about = asks.attempt.attempt_id
    return passkeys.question(visit, party, Ceremony.PROVE, about=about, has=asks.passkeys)


def url(attempt: Attempt, way: FactorWay | None = None) -> str:
    """Return the page that asks for a second factor, in this way."""
    by = {} if way is None else {"by": way.value}
    return f"factor?{urlencode({'attempt': attempt.attempt_id, **by})}"


async def _page(
    visit: Visit,
    asks: _Asks,
    problem: FactorProblem | None = None,
    *,
    retry_after: int | None = None,
) -> Outgoing:
    attempt, onward = asks.attempt, asks.onward
    page = FactorPage(
        csrf=visit.csrf,
        action=url(attempt, asks.way),
        server_name=visit.site.server_name,
        user_id=asks.owner.user_id,
        way=asks.way,
        others=tuple(OtherWay(way, url(attempt, way)) for way in asks.ways if way is not asks.way),
        mail=await _mail(visit, asks),
        is_by_mail=asks.has_mail,
        passkey=_question(visit, asks),
        restart_url=onward.sign_in_url,
        problem=problem,
        retry_after=retry_after,
        is_unreadable=asks.is_unreadable,
        remember_days=factors.days_to_remember(visit, attempt),
        can_cancel=onward.can_be_declined,
        client=sign_ups.client_card(visit, onward),
        lost_url=f"factor-lost?{urlencode({'attempt': attempt.attempt_id})}"
        if lost_factors.terms(visit.site).are_on
        else None,
    )
    return visit.answer(
        page,
        200 if problem is None else _STATUS.get(problem, 403),
        goes_to=onward.goes_to,
        goes_further=onward.goes_further,
        headers=(("Retry-After", str(retry_after)),) if retry_after else (),
    )
