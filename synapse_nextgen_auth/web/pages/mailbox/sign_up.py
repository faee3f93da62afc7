"""The pages of a sign-up that ask for an address, and for the code that went there."""

from synapse_nextgen_auth.accounts import codes
from synapse_nextgen_auth.accounts.addresses import canonical
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.accounts.codes import PAUSE, Code, Trial
from synapse_nextgen_auth.accounts.mail.letters import AddressCode, AddressInUse
from synapse_nextgen_auth.flows import codes as flows
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.store import codes as rows
from synapse_nextgen_auth.web import answers, invitations, sign_ups
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.mailbox.page import (
    AddressCodePage,
    AddressPage,
    AddressProblem,
    CodeProblem,
)
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.sign_up import SignUp
from synapse_nextgen_auth.web.visits import Visit

_STATUS = {AddressProblem.TOO_OFTEN: 429, CodeProblem.TOO_OFTEN: 429}


async def show_address(visit: Visit) -> Outgoing:
    """Ask for an address; the one that a code went to stands there."""
    sign_up = await sign_ups.find(visit, Stage.EMAIL)
    if isinstance(sign_up, Outgoing):
        return sign_up
    code = await _code(visit, sign_up)
    sent_to = code.sent_to(visit.site.issuer.keys) if code else None
    return _ask_address(visit, sign_up, sent_to or "")


async def submit_address(visit: Visit, form: Form) -> Outgoing:
    """Send a code to an address, whoever it belongs to by now (C249)."""
    sign_up = await sign_ups.find(visit, Stage.EMAIL)
    if isinstance(sign_up, Outgoing):
        return sign_up
    if (left := await _left(visit, sign_up, form)) is not None:
        return left
    if form.get("decision") != "send":
        raise unknown_choice()
    typed = form.get("email", "").strip()
    address = canonical(typed)
    if address is None:
        problem = AddressProblem.INVALID if typed else AddressProblem.MISSING
        return _ask_address(visit, sign_up, typed, problem)
    invitation = await invitations.of(visit, sign_up)
    if invitation is not None and invitation.email not in {None, address}:
        return _ask_address(visit, sign_up, typed, AddressProblem.OF_INVITATION)
    if not await visit.site.mailboxes.newcomers_may_have(address):
        return _ask_address(visit, sign_up, typed, AddressProblem.DENIED)
    code = await _code(visit, sign_up)
    is_other = code is None or code.sent_to(visit.site.issuer.keys) != address
    # Whoever pressed twice goes on with the mail that is under way.
    if is_other or (code is not None and not code.wait(visit.site.now())):
        wait = await _wait(visit, address)
        if wait is not None:
            return _ask_address(visit, sign_up, typed, AddressProblem.TOO_OFTEN, retry_after=wait)
        await _send(visit, sign_up, address, pause=0 if is_other else PAUSE)
    return answers.redirect(_code_url(sign_up))


async def show_code(visit: Visit) -> Outgoing:
    """Ask for the code; where none was sent, for an address."""
    sign_up = await sign_ups.find(visit, Stage.EMAIL)
    if isinstance(sign_up, Outgoing):
        return sign_up
    code = await _code(visit, sign_up)
    return _ask_code(visit, sign_up, code)


async def submit_code(visit: Visit, form: Form) -> Outgoing:
    """Look at the code and go on, or send a new one."""
    sign_up = await sign_ups.find(visit, Stage.EMAIL)
    if isinstance(sign_up, Outgoing):
        return sign_up
    if (left := await _left(visit, sign_up, form)) is not None:
        return left
    code, decision = await _code(visit, sign_up), form.get("decision")
    if code is None:
        return answers.redirect(sign_up.url(Stage.EMAIL))
    if decision == "again":
        return await _again(visit, sign_up, code)
    if decision != "check":
        raise unknown_choice()
    typed = codes.read(form.get("code", ""))
    if typed is None:
        problem = CodeProblem.WRONG if form.get("code") else CodeProblem.MISSING
        return _ask_code(visit, sign_up, code, problem)
    keys, now = visit.site.issuer.keys, visit.site.now()
    attempt_id = sign_up.attempt.attempt_id
    trial = await visit.site.homeserver.settle(flows.enter, attempt_id, typed, keys=keys, now=now)
    # Which one it was: a new code may have gone to another address meanwhile, and then none is right.
    code = await _code(visit, sign_up)
    address = code.sent_to(keys) if code is not None else None
    if trial is not Trial.RIGHT or code is None or code.proven_at is None or address is None:
        problem = CodeProblem.OVER if trial is Trial.OVER else CodeProblem.WRONG
        return _ask_code(visit, sign_up, code, problem)
    proven = {"address": address, "validated_at": code.proven_at * 1000}  # as Synapse has it
    result = {"medium": "email", **proven}
    return await sign_ups.completed(visit, sign_up, Stage.EMAIL, proven, result=result)


async def _left(visit: Visit, sign_up: SignUp, form: Form) -> Outgoing | None:
    """Go where somebody wants to who gives no address."""
    decision = form.get("decision")
    if decision == "cancel":
        return await sign_ups.cancel(visit, sign_up.onward, sign_up)
    if decision == "skip":
        invitation = await invitations.of(visit, sign_up)
        if invitation is not None and invitation.email is not None:
            return _ask_address(visit, sign_up, "", AddressProblem.OF_INVITATION)
        return await sign_ups.skipped(visit, sign_up, Stage.EMAIL)
    return None


async def _again(visit: Visit, sign_up: SignUp, code: Code) -> Outgoing:
    address = code.sent_to(visit.site.issuer.keys)
    if address is None:
        return answers.redirect(sign_up.url(Stage.EMAIL))
    # While it may not be sent, the page says when it may.
    if not code.wait(visit.site.now()):
        wait = await _wait(visit, address)
        if wait is not None:
            return _ask_code(visit, sign_up, code, CodeProblem.TOO_OFTEN, retry_after=wait)
        await _send(visit, sign_up, address)
    return answers.redirect(_code_url(sign_up))


async def _wait(visit: Visit, address: str) -> int | None:
    """Count one mail; return for how long to wait if this network or address has had too many."""
    wait = await visit.site.rates.sign_up_messages.wait(visit.address, address)
    if wait is not None:
        return wait
    return await visit.site.mailboxes.wait(address, network=visit.address)


async def _send(visit: Visit, sign_up: SignUp, address: str, *, pause: int = PAUSE) -> None:
    """Send a code, or to somebody who has an account a notice: the same work, and the same page (C249).

    An operator may let Synapse's own endpoints say that an address is in use. Whoever types one here
    may not be its owner, and its owner reads it in the mail.
    """
    site, drawn = visit.site, codes.draw()
    owner, lifetime = await site.mailboxes.owner(address), site.mailboxes.code_lifetime
    says = AddressInUse(owner) if owner else AddressCode(drawn, minutes=max(1, lifetime // 60))
    mail = visit.letter(address, says, expires=site.now() + lifetime)
    code = Code.of(
        site.issuer.keys,
        None if owner else drawn,
        attempt_id=sign_up.attempt.attempt_id,
        address=address,
        mail=mail,
        now=site.now(),
    )
    await site.homeserver.settle(flows.send, code, mail, pause=pause, now=site.now())


async def _code(visit: Visit, sign_up: SignUp) -> Code | None:
    return await visit.site.homeserver.read(rows.get, sign_up.attempt.attempt_id)


def _code_url(sign_up: SignUp) -> str:
    return sign_up.url(Stage.EMAIL).replace("register-email?", "register-email-code?", 1)


def _ask_address(
    visit: Visit,
    sign_up: SignUp,
    address: str,
    problem: AddressProblem | None = None,
    *,
    retry_after: int | None = None,
) -> Outgoing:
    page = AddressPage(
        csrf=visit.csrf,
        action=sign_up.url(Stage.EMAIL),
        server_name=visit.site.server_name,
        address=address[:254],
        problem=problem,
        retry_after=retry_after,
        step=sign_up.step(Stage.EMAIL),
        may_skip=sign_up.may_skip(Stage.EMAIL),
        can_cancel=sign_up.onward.can_be_declined,
        client=sign_ups.client_card(visit, sign_up.onward),
    )
    return _answer(visit, sign_up, page, problem, retry_after)


def _ask_code(
    visit: Visit,
    sign_up: SignUp,
    code: Code | None,
    problem: CodeProblem | None = None,
    *,
    retry_after: int | None = None,
) -> Outgoing:
    address = code.sent_to(visit.site.issuer.keys) if code else None
    if code is None or address is None:
        return answers.redirect(sign_up.url(Stage.EMAIL))
    now = visit.site.now()
    if problem is None and not code.may_be_tried(now):
        problem = CodeProblem.OVER
    page = AddressCodePage(
        csrf=visit.csrf,
        action=_code_url(sign_up),
        server_name=visit.site.server_name,
        address=address,
        address_url=sign_up.url(Stage.EMAIL),
        minutes=max(1, -(-(code.expires_at - now) // 60)),
        wait=code.wait(now),
        problem=problem,
        retry_after=retry_after,
        is_refused=code.refused_at is not None,
        step=sign_up.step(Stage.EMAIL),
        may_skip=sign_up.may_skip(Stage.EMAIL),
        can_cancel=sign_up.onward.can_be_declined,
        client=sign_ups.client_card(visit, sign_up.onward),
    )
    return _answer(visit, sign_up, page, problem, retry_after)


def _answer(
    visit: Visit,
    sign_up: SignUp,
    page: AddressPage | AddressCodePage,
    problem: AddressProblem | CodeProblem | None,
    retry_after: int | None,
) -> Outgoing:
    onward = sign_up.onward
    return visit.answer(
        page,
        200 if problem is None else _STATUS.get(problem, 400),
        goes_to=onward.goes_to,
        goes_further=onward.goes_further,
        headers=(("Retry-After", str(retry_after)),) if retry_after else (),
    )
