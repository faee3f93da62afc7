"""The pages of a sign-in by a code: for an address, and for the code that went there.

They are the same whoever the address belongs to, and whether it belongs to anybody (C250): who gets a
code is found out later, in the main process.
"""

import attrs

from synapse_nextgen_auth.accounts import codes
from synapse_nextgen_auth.accounts.addresses import canonical
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Proof, ProofKind
from synapse_nextgen_auth.accounts.codes import MAX_TRIES, PAUSE, Code, Trial
from synapse_nextgen_auth.accounts.mail.letters import SignedInByCode, SignInCode
from synapse_nextgen_auth.accounts.works import SendSignInCode
from synapse_nextgen_auth.flows import codes as flows
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.store import codes as rows
from synapse_nextgen_auth.web import answers, attempts, device_grants, grants, sign_ups, under_way
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.mailbox.page import (
    AddressCodePage,
    AddressPage,
    AddressProblem,
    CodeProblem,
    CodeRefused,
)
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.under_way import Way
from synapse_nextgen_auth.web.visits import Visit

# A code that opens an account is tried less often than one that only shows an address.
_TRIES = 5
_STATUS = {AddressProblem.TOO_OFTEN: 429, CodeProblem.TOO_OFTEN: 429}


async def is_offered(site: Site, way: Way) -> bool:
    """Say whether the sign-in page leads here; of somebody known, whether a code opens their account."""
    if not site.has_code_sign_in:
        return False
    return way.again is None or await site.sign_in_codes.opens(way.again)


async def show_address(visit: Visit) -> Outgoing:
    """Ask for the address of the account."""
    way = await under_way.way(visit)
    return await _elsewhere(visit, way) or _ask_address(visit, way, "")


async def submit_address(visit: Visit, form: Form) -> Outgoing:
    """Have a code sent; the answer is the same for every address."""
    way = await under_way.way(visit)
    left = await _elsewhere(visit, way) or await _cancelled(visit, way, form)
    if left is not None:
        return left
    if form.get("decision") != "send":
        raise unknown_choice()
    typed = form.get("email", "").strip()
    address = canonical(typed)
    if address is None:
        problem = AddressProblem.INVALID if typed else AddressProblem.MISSING
        return _ask_address(visit, way, typed, problem)
    code = await _code(visit, way.attempt)
    is_other = code is None or code.sent_to(visit.site.issuer.keys) != address
    if is_other or (code is not None and not code.wait(visit.site.now())):
        wait = await _wait(visit, address)
        if wait is not None:
            return _ask_address(visit, way, typed, AddressProblem.TOO_OFTEN, retry_after=wait)
        way = attrs.evolve(way, attempt=await attempts.begin(visit, way))
        await _send(visit, way, address, pause=0 if is_other else PAUSE)
    return answers.redirect(_code_url(way))


async def show_code(visit: Visit) -> Outgoing:
    """Ask for the code."""
    way = await under_way.way(visit)
    elsewhere = await _elsewhere(visit, way)
    return elsewhere or _ask_code(visit, way, await _code(visit, way.attempt))


async def submit_code(visit: Visit, form: Form) -> Outgoing:
    """Look at the code, and sign its person in."""
    way = await under_way.way(visit)
    left = await _elsewhere(visit, way) or await _cancelled(visit, way, form)
    if left is not None:
        return left
    code, decision = await _code(visit, way.attempt), form.get("decision")
    if code is None or way.attempt is None:
        return answers.redirect(way.code_url)
    if decision == "again":
        return await _again(visit, way, code)
    if decision != "check":
        raise unknown_choice()
    typed = codes.read(form.get("code", ""))
    if typed is None:
        problem = CodeProblem.WRONG if form.get("code") else CodeProblem.MISSING
        return _ask_code(visit, way, code, problem)
    return await _enter(visit, way, way.attempt, typed)


async def _enter(visit: Visit, way: Way, attempt: Attempt, typed: str) -> Outgoing:
    site, now = visit.site, visit.site.now()
    keys, attempt_id = site.issuer.keys, attempt.attempt_id
    trial = await site.homeserver.settle(flows.enter, attempt_id, typed, keys=keys, now=now)
    code = await _code(visit, attempt)
    is_proven = code is not None and code.proven_at is not None and now < code.expires_at
    address = code.sent_to(keys) if code is not None and is_proven else None
    # The code was right, and yet the account may have got a password meanwhile, or lost the address.
    user_id = await site.sign_in_codes.owner(address) if address is not None else None
    if trial is not Trial.RIGHT or user_id is None or way.account not in {None, user_id}:
        if trial is Trial.RIGHT:
            # Whatever lets them in later, it is no code that was typed before.
            await site.homeserver.settle(flows.void, attempt_id, now=now)
        problem = CodeProblem.WRONG if trial is Trial.WRONG else CodeProblem.OVER
        refused = CodeRefused.WRONG if problem is CodeProblem.WRONG else CodeRefused.OVER
        attempts.note_refusal(visit, refused.value, user_id)
        return _ask_code(visit, way, code, problem)
    notices = [
        visit.letter(each, SignedInByCode(user_id, visit.address))
        for each in await site.mailboxes.of(user_id)
    ]
    proof = Proof(ProofKind.EMAIL_CODE, now, user_id)
    return await attempts.take_by(visit, attempt, proof, flows.sign_in, attempt, proof, notices)


async def _elsewhere(visit: Visit, way: Way) -> Outgoing | None:
    """Go to the sign-in page where nobody signs in by a code."""
    if way.is_to_choose:
        return answers.redirect(way.onward.accounts_url)
    return None if await is_offered(visit.site, way) else answers.redirect(way.url)


async def _cancelled(visit: Visit, way: Way, form: Form) -> Outgoing | None:
    if form.get("decision") != "cancel":
        return None
    grant, client = way.onward.grant, way.onward.client
    if grant and client:
        return await grants.refuse(visit, grant, client, grants.declined(way.onward))
    if way.onward.device_grant_id:
        return await device_grants.decline(visit, way.onward.device_grant_id)
    return answers.redirect(way.url)


async def _again(visit: Visit, way: Way, code: Code) -> Outgoing:
    address = code.sent_to(visit.site.issuer.keys)
    if address is None:
        return answers.redirect(way.code_url)
    # While it may not be sent, the page says when it may.
    if not code.wait(visit.site.now()):
        wait = await _wait(visit, address)
        if wait is not None:
            return _ask_code(visit, way, code, CodeProblem.TOO_OFTEN, retry_after=wait)
        await _send(visit, way, address, pause=PAUSE)
    return answers.redirect(_code_url(way))


async def _wait(visit: Visit, address: str) -> int | None:
    """Count one mail; return for how long to wait if this network or address has had too many."""
    # Not with Synapse's own: one network could use up what that has for an address (C239).
    return await visit.site.rates.email_codes.wait(visit.address, address)


async def _send(visit: Visit, way: Way, address: str, *, pause: int) -> None:
    site, drawn = visit.site, codes.draw()
    if way.attempt is None:
        return
    lifetime, now = site.mailboxes.code_lifetime, site.now()
    says = SignInCode(drawn, minutes=max(1, lifetime // 60))
    letter = visit.letter(address, says, expires=now + lifetime)
    mail = SendSignInCode(letter.mail, letter.letter, letter.expires)
    attempt_id = way.attempt.attempt_id
    code = Code.of(
        site.issuer.keys, drawn, attempt_id=attempt_id, address=address, mail=mail, now=now
    )
    code = attrs.evolve(code, tries=MAX_TRIES - _TRIES)
    await site.homeserver.settle(flows.send, code, mail, pause=pause, now=now)


async def _code(visit: Visit, attempt: Attempt | None) -> Code | None:
    if attempt is None:
        return None
    return await visit.site.homeserver.read(rows.get, attempt.attempt_id)


def _code_url(way: Way) -> str:
    return way.url.replace("sign-in", "sign-in-email-code", 1)


def _ask_address(
    visit: Visit,
    way: Way,
    address: str,
    problem: AddressProblem | None = None,
    *,
    retry_after: int | None = None,
) -> Outgoing:
    page = AddressPage(
        csrf=visit.csrf,
        action=way.code_url,
        server_name=visit.site.server_name,
        address=address[:254],
        problem=problem,
        retry_after=retry_after,
        sign_in_url=way.url,
        can_cancel=way.onward.can_be_declined,
        client=sign_ups.client_card(visit, way.onward),
    )
    return _answer(visit, way, page, problem, retry_after)


def _ask_code(
    visit: Visit,
    way: Way,
    code: Code | None,
    problem: CodeProblem | None = None,
    *,
    retry_after: int | None = None,
) -> Outgoing:
    address = code.sent_to(visit.site.issuer.keys) if code else None
    if code is None or address is None:
        return answers.redirect(way.code_url)
    now = visit.site.now()
    if problem is None and not code.may_be_tried(now):
        problem = CodeProblem.OVER
    page = AddressCodePage(
        csrf=visit.csrf,
        action=_code_url(way),
        server_name=visit.site.server_name,
        address=address,
        address_url=way.code_url,
        minutes=max(1, -(-(code.expires_at - now) // 60)),
        wait=code.wait(now),
        problem=problem,
        retry_after=retry_after,
        sign_in_url=way.url,
        can_cancel=way.onward.can_be_declined,
        client=sign_ups.client_card(visit, way.onward),
    )
    return _answer(visit, way, page, problem, retry_after)


def _answer(
    visit: Visit,
    way: Way,
    page: AddressPage | AddressCodePage,
    problem: AddressProblem | CodeProblem | None,
    retry_after: int | None,
) -> Outgoing:
    return visit.answer(
        page,
        200 if problem is None else _STATUS.get(problem, 400),
        goes_to=way.onward.goes_to,
        goes_further=way.onward.goes_further,
        headers=(("Retry-After", str(retry_after)),) if retry_after else (),
    )
