"""The pages on which somebody adds an e-mail address to their account: the address, then its code.

They are the same whoever the address belongs to (C249): its owner reads of it in the mail.
"""

from synapse_nextgen_auth.accounts import codes
from synapse_nextgen_auth.accounts.addresses import canonical
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Purpose
from synapse_nextgen_auth.accounts.codes import PAUSE, Code, Trial
from synapse_nextgen_auth.accounts.mail.letters import AddressCode, AddressTaken
from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.flows import codes as flows
from synapse_nextgen_auth.flows import own_ways as own_flows
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.flows.own_ways import Kept
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.store import codes as rows
from synapse_nextgen_auth.store.own_ways import EMAIL
from synapse_nextgen_auth.web import answers, own_ways, under_way
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.mailbox.page import (
    AddressCodePage,
    AddressPage,
    AddressProblem,
    CodeProblem,
)
from synapse_nextgen_auth.web.pages.message.error import refuse_if_gone, unknown_choice
from synapse_nextgen_auth.web.visits import Visit

_STATUS = {
    AddressProblem.TOO_OFTEN: 429,
    AddressProblem.TAKEN: 409,
    CodeProblem.TOO_OFTEN: 429,
}
_BACK = Place.PROFILE.value


async def show(visit: Visit, _user_id: str) -> Outgoing:
    """Ask for an address, where this server takes one."""
    if not visit.site.threepids.takes_emails:
        return answers.redirect(_BACK)
    return _ask_address(visit, "")


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Send a code to an address, whoever it belongs to by now (C249)."""
    site, decision = visit.site, form.get("decision")
    if decision == "cancel" or not site.threepids.takes_emails:
        return answers.redirect(_BACK)
    if decision != "send":
        raise unknown_choice()
    typed = form.get("email", "").strip()
    address = canonical(typed)
    if address is None:
        problem = AddressProblem.INVALID if typed else AddressProblem.MISSING
        return _ask_address(visit, typed, problem)
    if address in await site.mailboxes.of(user_id):
        return _ask_address(visit, typed, AddressProblem.OWN)
    if not await site.threepids.may_have(EMAIL, address):
        return _ask_address(visit, typed, AddressProblem.DENIED)
    wait = await _wait(visit, address)
    if wait is not None:
        return _ask_address(visit, typed, AddressProblem.TOO_OFTEN, retry_after=wait)
    attempt = await own_ways.begin(visit, user_id, Purpose.ADD_ADDRESS, Target(Place.PROFILE))
    await _send(visit, attempt, address, pause=0)
    return answers.redirect(_code_url(attempt))


async def show_code(visit: Visit, user_id: str) -> Outgoing:
    """Ask for the code; where none was sent, for an address."""
    attempt = await own_ways.find(visit, user_id, Purpose.ADD_ADDRESS)
    return _ask_code(visit, attempt, await _code(visit, attempt))


async def submit_code(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Look at the code and give the account its address, or send a new one."""
    decision = form.get("decision")
    if decision == "cancel":
        return answers.redirect(_BACK)
    attempt = await own_ways.find(visit, user_id, Purpose.ADD_ADDRESS)
    code = await _code(visit, attempt)
    if code is None:
        return answers.redirect(Place.EMAIL.value)
    if decision == "again":
        return await _again(visit, attempt, code)
    if decision != "check":
        raise unknown_choice()
    typed = codes.read(form.get("code", ""))
    if typed is None:
        problem = CodeProblem.WRONG if form.get("code") else CodeProblem.MISSING
        return _ask_code(visit, attempt, code, problem)
    return await _enter(visit, user_id, attempt, typed)


async def _enter(visit: Visit, user_id: str, attempt: Attempt, typed: str) -> Outgoing:
    site, now = visit.site, visit.site.now()
    keys, attempt_id = site.issuer.keys, attempt.attempt_id
    trial = await site.homeserver.settle(flows.enter, attempt_id, typed, keys=keys, now=now)
    code = await _code(visit, attempt)
    address = code.sent_to(keys) if code is not None and code.proven_at is not None else None
    if trial is not Trial.RIGHT or address is None:
        problem = CodeProblem.OVER if trial is Trial.OVER else CodeProblem.WRONG
        return _ask_code(visit, attempt, code, problem)
    owner = own_ways.owner(visit, user_id)
    kept = await site.homeserver.run(
        visit.as_signed_in(own_flows.add_address), attempt, EMAIL, address, owner
    )
    if isinstance(kept, Lost):
        raise under_way.lost(kept, _BACK)
    if kept is Kept.TAKEN:
        return _ask_address(visit, address, AddressProblem.TAKEN)
    if kept is Kept.CLOSED:
        await refuse_if_gone(site, user_id)
    await site.threepids.added(user_id, EMAIL, address)
    return answers.redirect(visit.saying(_BACK, Done.ADDRESS_ADDED))


async def _again(visit: Visit, attempt: Attempt, code: Code) -> Outgoing:
    address = code.sent_to(visit.site.issuer.keys)
    if address is None:
        return answers.redirect(Place.EMAIL.value)
    # While it may not be sent, the page says when it may.
    if not code.wait(visit.site.now()):
        wait = await _wait(visit, address)
        if wait is not None:
            return _ask_code(visit, attempt, code, CodeProblem.TOO_OFTEN, retry_after=wait)
        await _send(visit, attempt, address, pause=PAUSE)
    return answers.redirect(_code_url(attempt))


async def _wait(visit: Visit, address: str) -> int | None:
    """Count one mail; return for how long to wait if this network or address has had too many."""
    wait = await visit.site.rates.sign_up_messages.wait(visit.address, address)
    if wait is not None:
        return wait
    return await visit.site.mailboxes.wait(address, network=visit.address)


async def _send(visit: Visit, attempt: Attempt, address: str, *, pause: int) -> None:
    """Send a code, or to the owner of the address a notice: the same work, and the same page (C249)."""
    site, drawn = visit.site, codes.draw()
    owner, lifetime = await site.mailboxes.owner(address), site.mailboxes.code_lifetime
    says = AddressTaken(owner) if owner else AddressCode(drawn, minutes=max(1, lifetime // 60))
    mail = visit.letter(address, says, expires=site.now() + lifetime)
    code = Code.of(
        site.issuer.keys,
        None if owner else drawn,
        attempt_id=attempt.attempt_id,
        address=address,
        mail=mail,
        now=site.now(),
    )
    await site.homeserver.settle(
        visit.as_signed_in(flows.send), code, mail, pause=pause, now=site.now()
    )


async def _code(visit: Visit, attempt: Attempt) -> Code | None:
    return await visit.site.homeserver.read(rows.get, attempt.attempt_id)


def _code_url(attempt: Attempt) -> str:
    return Target(Place.EMAIL_CODE, attempt.attempt_id).url


def _ask_address(
    visit: Visit,
    address: str,
    problem: AddressProblem | None = None,
    *,
    retry_after: int | None = None,
) -> Outgoing:
    page = AddressPage(
        csrf=visit.csrf,
        action=Place.EMAIL.value,
        server_name=visit.site.server_name,
        address=address[:254],
        problem=problem,
        retry_after=retry_after,
        can_cancel=True,
    )
    return _answer(visit, page, problem, retry_after)


def _ask_code(
    visit: Visit,
    attempt: Attempt,
    code: Code | None,
    problem: CodeProblem | None = None,
    *,
    retry_after: int | None = None,
) -> Outgoing:
    address = code.sent_to(visit.site.issuer.keys) if code else None
    if code is None or address is None:
        return answers.redirect(Place.EMAIL.value)
    now = visit.site.now()
    if problem is None and not code.may_be_tried(now):
        problem = CodeProblem.OVER
    page = AddressCodePage(
        csrf=visit.csrf,
        action=_code_url(attempt),
        server_name=visit.site.server_name,
        address=address,
        address_url=Place.EMAIL.value,
        minutes=max(1, -(-(code.expires_at - now) // 60)),
        wait=code.wait(now),
        problem=problem,
        retry_after=retry_after,
        is_refused=code.refused_at is not None,
        can_cancel=True,
    )
    return _answer(visit, page, problem, retry_after)


def _answer(
    visit: Visit,
    page: AddressPage | AddressCodePage,
    problem: AddressProblem | CodeProblem | None,
    retry_after: int | None,
) -> Outgoing:
    return visit.answer(
        page,
        200 if problem is None else _STATUS.get(problem, 400),
        headers=(("Retry-After", str(retry_after)),) if retry_after else (),
    )
