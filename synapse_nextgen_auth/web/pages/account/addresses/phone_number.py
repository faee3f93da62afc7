"""The pages on which somebody adds a phone number to their account: the number, then its code.

The identity server that the operator delegates to sends the code, and looks at what is typed.
"""

import attrs

from synapse_nextgen_auth.accounts import phones as rules
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Purpose
from synapse_nextgen_auth.accounts.attempts.sign_ups import seal, unseal
from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.accounts.phones import PhoneCode, PhoneTrouble
from synapse_nextgen_auth.flows import own_ways as own_flows
from synapse_nextgen_auth.flows import sign_up as flows
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.flows.own_ways import Kept
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people import phones
from synapse_nextgen_auth.homeserver.people.phones import NoCode, Request
from synapse_nextgen_auth.store.own_ways import PHONE
from synapse_nextgen_auth.web import answers, own_ways, under_way
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.message.error import refuse_if_gone, unknown_choice
from synapse_nextgen_auth.web.pages.phone.page import PhoneCodePage, PhonePage
from synapse_nextgen_auth.web.visits import Visit

# Under which name an attempt keeps what was sent, until the code is typed.
_SENT = "phone"
_STATUS = {
    PhoneTrouble.TOO_OFTEN: 429,
    PhoneTrouble.UNANSWERED: 503,
    PhoneTrouble.IN_USE: 409,
}
_BACK = Place.PROFILE.value


async def show(visit: Visit, _user_id: str) -> Outgoing:
    """Ask for a number, where this server takes one."""
    if not visit.site.threepids.takes_phones:
        return answers.redirect(_BACK)
    return _ask_number(visit, "")


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Have a code sent to a number."""
    site, decision = visit.site, form.get("decision")
    if decision == "cancel" or not site.threepids.takes_phones:
        return answers.redirect(_BACK)
    if decision != "send":
        raise unknown_choice()
    typed = form.get("phone", "").strip()[:100]
    number = phones.read(typed)
    if number is None:
        trouble = PhoneTrouble.INVALID if typed else PhoneTrouble.MISSING
        return _ask_number(visit, typed, NoCode(trouble))
    has = await site.threepids.of(user_id)
    if any((each.medium, each.address) == (PHONE, number.msisdn) for each in has):
        return _ask_number(visit, typed, NoCode(PhoneTrouble.OWN))
    wait = await site.rates.sign_up_messages.wait(visit.address, number.msisdn)
    if wait is not None:
        return _ask_number(visit, typed, NoCode(PhoneTrouble.TOO_OFTEN, wait))
    attempt = await own_ways.begin(visit, user_id, Purpose.ADD_ADDRESS, Target(Place.PROFILE))
    try:
        request = await site.sign_ups.phones.send(number, address=visit.address, signs_up=False)
    except NoCode as none:
        return _ask_number(visit, typed, none)
    sent = PhoneCode(number.msisdn, number.country, request.sid, request.secret)
    return answers.redirect(_code_url(await _keep(visit, attempt, sent)))


async def show_code(visit: Visit, user_id: str) -> Outgoing:
    """Ask for the code; where none was sent, for a number."""
    return _ask_code(visit, await own_ways.find(visit, user_id, Purpose.ADD_ADDRESS))


async def submit_code(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Have the code looked at, ten times at most, and give the account its number."""
    site, decision = visit.site, form.get("decision")
    if decision == "cancel":
        return answers.redirect(_BACK)
    attempt = await own_ways.find(visit, user_id, Purpose.ADD_ADDRESS)
    sent = _sent(visit, attempt)
    if sent is None or not site.threepids.takes_phones:
        return answers.redirect(_BACK)
    if decision != "check":
        raise unknown_choice()
    return await _enter(visit, user_id, attempt, sent, form.get("code", ""))


async def _enter(
    visit: Visit, user_id: str, attempt: Attempt, sent: PhoneCode, code: str
) -> Outgoing:
    site = visit.site
    if not sent.has_tries:
        return _ask_code(visit, attempt, NoCode(PhoneTrouble.NO_TRIES))
    typed = rules.read_code(code)
    if typed is None:
        trouble = PhoneTrouble.WRONG_CODE if code else PhoneTrouble.MISSING
        return _ask_code(visit, attempt, NoCode(trouble))
    # It counts before anybody is asked: of guesses at the same time one goes on (C237).
    attempt = await _keep(visit, attempt, attrs.evolve(sent, tries=sent.tries + 1))
    try:
        if not await site.sign_ups.phones.confirm(Request(sent.sid, sent.secret), typed):
            raise NoCode(PhoneTrouble.WRONG_CODE)
    except NoCode as none:
        return _ask_code(visit, attempt, none)
    owner = own_ways.owner(visit, user_id)
    kept = await site.homeserver.run(
        visit.as_signed_in(own_flows.add_address), attempt, PHONE, sent.msisdn, owner
    )
    if isinstance(kept, Lost):
        raise under_way.lost(kept, _BACK)
    if kept is Kept.TAKEN:
        return _ask_number(visit, f"+{sent.msisdn}", NoCode(PhoneTrouble.IN_USE))
    if kept is Kept.CLOSED:
        await refuse_if_gone(site, user_id)
    await site.threepids.added(user_id, PHONE, sent.msisdn)
    return answers.redirect(visit.saying(_BACK, Done.PHONE_ADDED))


def _sent(visit: Visit, attempt: Attempt) -> PhoneCode | None:
    found = unseal(visit.site.issuer.keys, attempt.answered.get(_SENT))
    return None if found is None else PhoneCode(**found)


async def _keep(visit: Visit, former: Attempt, sent: PhoneCode) -> Attempt:
    """Keep what was sent, sealed with the attempt; stop where another tab was faster."""
    attempt = former.answering(_SENT, seal(visit.site.issuer.keys, attrs.asdict(sent)))
    if not await visit.site.homeserver.run(visit.as_signed_in(flows.change), former, attempt):
        raise under_way.lost(Lost.CHANGED, _BACK)
    return attempt


def _code_url(attempt: Attempt) -> str:
    return Target(Place.PHONE_CODE, attempt.attempt_id).url


def _ask_number(visit: Visit, number: str, none: NoCode | None = None) -> Outgoing:
    page = PhonePage(
        csrf=visit.csrf,
        action=Place.PHONE.value,
        server_name=visit.site.server_name,
        step=None,
        number=number,
        trouble=none.why if none else None,
        retry_after=none.retry_after if none else None,
        can_cancel=True,
    )
    return _answer(visit, page, none)


def _ask_code(visit: Visit, attempt: Attempt, none: NoCode | None = None) -> Outgoing:
    sent = _sent(visit, attempt)
    if sent is None:
        return answers.redirect(Place.PHONE.value)
    if none is None and not sent.has_tries:
        none = NoCode(PhoneTrouble.NO_TRIES)
    page = PhoneCodePage(
        csrf=visit.csrf,
        action=_code_url(attempt),
        server_name=visit.site.server_name,
        step=None,
        number=f"+{sent.msisdn}",
        phone_url=Place.PHONE.value,
        trouble=none.why if none else None,
        retry_after=none.retry_after if none else None,
        can_cancel=True,
    )
    return _answer(visit, page, none)


def _answer(visit: Visit, page: PhonePage | PhoneCodePage, none: NoCode | None) -> Outgoing:
    after = none.retry_after if none else None
    return visit.answer(
        page,
        200 if none is None else _STATUS.get(none.why, 400),
        headers=(("Retry-After", str(after)),) if after else (),
    )
