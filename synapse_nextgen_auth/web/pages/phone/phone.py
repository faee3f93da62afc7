"""The pages of a sign-up that ask for a phone number, and for the code that went there."""

import attrs

from synapse_nextgen_auth.accounts import phones as rules
from synapse_nextgen_auth.accounts.attempts.sign_ups import MSISDN, seal, unseal
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.accounts.phones import PhoneCode, PhoneTrouble
from synapse_nextgen_auth.flows import sign_up as flows
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people import phones
from synapse_nextgen_auth.homeserver.people.phones import NoCode, Request
from synapse_nextgen_auth.homeserver.people.sign_ups.sessions import StageFailed
from synapse_nextgen_auth.web import answers, sign_ups, under_way
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.pages.phone.page import PhoneCodePage, PhonePage
from synapse_nextgen_auth.web.sign_up import SignUp
from synapse_nextgen_auth.web.visits import Visit

# Under which name an attempt keeps what was sent, until the code is typed.
_SENT = "phone"
_STATUS = {PhoneTrouble.TOO_OFTEN: 429, PhoneTrouble.UNANSWERED: 503}


async def show_number(visit: Visit) -> Outgoing:
    """Ask for a number; the one that a code went to stands there."""
    sign_up = await sign_ups.find(visit, Stage.MSISDN)
    if isinstance(sign_up, Outgoing):
        return sign_up
    sent = _sent(visit, sign_up)
    return _ask_number(visit, sign_up, f"+{sent.msisdn}" if sent else "")


async def submit_number(visit: Visit, form: Form) -> Outgoing:
    """Have a code sent to a number."""
    sign_up = await sign_ups.find(visit, Stage.MSISDN)
    if isinstance(sign_up, Outgoing):
        return sign_up
    if (left := await _left(visit, sign_up, form)) is not None:
        return left
    if form.get("decision") != "send":
        raise unknown_choice()
    typed = form.get("phone", "").strip()[:100]
    number = phones.read(typed)
    if number is None:
        trouble = PhoneTrouble.INVALID if typed else PhoneTrouble.MISSING
        return _ask_number(visit, sign_up, typed, NoCode(trouble))
    wait = await visit.site.rates.sign_up_messages.wait(visit.address, number.msisdn)
    if wait is not None:
        return _ask_number(visit, sign_up, typed, NoCode(PhoneTrouble.TOO_OFTEN, wait))
    try:
        request = await visit.site.sign_ups.phones.send(number, address=visit.address)
    except NoCode as none:
        return _ask_number(visit, sign_up, typed, none)
    sent = PhoneCode(number.msisdn, number.country, request.sid, request.secret)
    sign_up = await _keep(visit, sign_up, sent)
    return answers.redirect(_code_url(sign_up))


async def show_code(visit: Visit) -> Outgoing:
    """Ask for the code; where none was sent, for a number."""
    sign_up = await sign_ups.find(visit, Stage.MSISDN)
    return sign_up if isinstance(sign_up, Outgoing) else _ask_code(visit, sign_up)


async def submit_code(visit: Visit, form: Form) -> Outgoing:
    """Have the code looked at, ten times at most, and go on."""
    sign_up = await sign_ups.find(visit, Stage.MSISDN)
    if isinstance(sign_up, Outgoing):
        return sign_up
    if (left := await _left(visit, sign_up, form)) is not None:
        return left
    if form.get("decision") != "check":
        raise unknown_choice()
    sent, typed = _sent(visit, sign_up), rules.read_code(form.get("code", ""))
    if sent is None:
        return answers.redirect(sign_up.url(Stage.MSISDN))
    if not sent.has_tries:
        return _ask_code(visit, sign_up, NoCode(PhoneTrouble.NO_TRIES))
    if typed is None:
        trouble = PhoneTrouble.WRONG_CODE if form.get("code") else PhoneTrouble.MISSING
        return _ask_code(visit, sign_up, NoCode(trouble))
    # It counts before anybody is asked: of guesses at the same time one goes on (C237).
    sign_up = await _keep(visit, sign_up, attrs.evolve(sent, tries=sent.tries + 1))
    try:
        await _confirm(visit, sign_up, sent, typed)
    except NoCode as none:
        return _ask_code(visit, sign_up, none)
    return await sign_ups.completed(visit, sign_up, Stage.MSISDN, {"msisdn": sent.msisdn})


async def _confirm(visit: Visit, sign_up: SignUp, sent: PhoneCode, typed: str) -> None:
    """Let the identity server look at the code, and Synapse's checker at the number then."""
    side = visit.site.sign_ups
    if not await side.phones.confirm(Request(sent.sid, sent.secret), typed):
        raise NoCode(PhoneTrouble.WRONG_CODE)
    proven = {"threepid_creds": {"sid": sent.sid, "client_secret": sent.secret}}
    try:
        await side.sessions.check(sign_up.session, MSISDN, proven, address=visit.address)
    except StageFailed as failed:
        raise NoCode(PhoneTrouble.WRONG_CODE) from failed


async def _left(visit: Visit, sign_up: SignUp, form: Form) -> Outgoing | None:
    """Go where somebody wants to who gives no number."""
    decision = form.get("decision")
    if decision == "cancel":
        return await sign_ups.cancel(visit, sign_up.onward, sign_up)
    if decision == "skip":
        return await sign_ups.skipped(visit, sign_up, Stage.MSISDN)
    return None


def _sent(visit: Visit, sign_up: SignUp) -> PhoneCode | None:
    found = unseal(visit.site.issuer.keys, sign_up.attempt.answered.get(_SENT))
    return None if found is None else PhoneCode(**found)


async def _keep(visit: Visit, sign_up: SignUp, sent: PhoneCode) -> SignUp:
    """Keep what was sent, sealed with the attempt; stop where another tab was faster."""
    former = sign_up.attempt
    attempt = former.answering(_SENT, seal(visit.site.issuer.keys, attrs.asdict(sent)))
    if not await visit.site.homeserver.run(flows.change, former, attempt):
        raise under_way.lost(Lost.CHANGED, sign_up.onward.next_url)
    return attrs.evolve(sign_up, attempt=attempt)


def _code_url(sign_up: SignUp) -> str:
    return sign_up.url(Stage.MSISDN).replace("register-phone?", "register-phone-code?", 1)


def _ask_number(visit: Visit, sign_up: SignUp, number: str, none: NoCode | None = None) -> Outgoing:
    page = PhonePage(
        csrf=visit.csrf,
        action=sign_up.url(Stage.MSISDN),
        server_name=visit.site.server_name,
        step=sign_up.step(Stage.MSISDN),
        number=number,
        trouble=none.why if none else None,
        retry_after=none.retry_after if none else None,
        may_skip=sign_up.may_skip(Stage.MSISDN),
        can_cancel=sign_up.onward.can_be_declined,
        client=sign_ups.client_card(visit, sign_up.onward),
    )
    return _answer(visit, sign_up, page, none)


def _ask_code(visit: Visit, sign_up: SignUp, none: NoCode | None = None) -> Outgoing:
    sent = _sent(visit, sign_up)
    if sent is None:
        return answers.redirect(sign_up.url(Stage.MSISDN))
    if none is None and not sent.has_tries:
        none = NoCode(PhoneTrouble.NO_TRIES)
    page = PhoneCodePage(
        csrf=visit.csrf,
        action=_code_url(sign_up),
        server_name=visit.site.server_name,
        step=sign_up.step(Stage.MSISDN),
        number=f"+{sent.msisdn}",
        phone_url=sign_up.url(Stage.MSISDN),
        trouble=none.why if none else None,
        retry_after=none.retry_after if none else None,
        may_skip=sign_up.may_skip(Stage.MSISDN),
        can_cancel=sign_up.onward.can_be_declined,
        client=sign_ups.client_card(visit, sign_up.onward),
    )
    return _answer(visit, sign_up, page, none)


def _answer(
    visit: Visit, sign_up: SignUp, page: PhonePage | PhoneCodePage, none: NoCode | None
) -> Outgoing:
    onward, after = sign_up.onward, none.retry_after if none else None
    return visit.answer(
        page,
        200 if none is None else _STATUS.get(none.why, 400),
        goes_to=onward.goes_to,
        goes_further=onward.goes_further,
        headers=(("Retry-After", str(after)),) if after else (),
    )
