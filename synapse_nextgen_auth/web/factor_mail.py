"""Codes by e-mail as a second factor, as the pages have it: where they may go, and what was sent."""

from collections.abc import Callable

from synapse_nextgen_auth.accounts import codes
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, ProofKind
from synapse_nextgen_auth.accounts.codes import PAUSE, Code
from synapse_nextgen_auth.accounts.factors.mail import code_id
from synapse_nextgen_auth.accounts.mail.letters import FactorCode
from synapse_nextgen_auth.accounts.works import SendMail
from synapse_nextgen_auth.flows import codes as flows
from synapse_nextgen_auth.flows import prove_factor
from synapse_nextgen_auth.flows.factor_mail import is_beside_another
from synapse_nextgen_auth.flows.prove_factor import Tried
from synapse_nextgen_auth.store import codes as rows
from synapse_nextgen_auth.store import outbox
from synapse_nextgen_auth.store import own_ways as ways
from synapse_nextgen_auth.store.own_ways import EMAIL
from synapse_nextgen_auth.web import factors, own_ways
from synapse_nextgen_auth.web.pages.factor.page import MailShown
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit


def are_on(site: Site) -> bool:
    """Say whether a code by mail is a second factor here."""
    return ProofKind.FACTOR_MAIL in factors.kinds(site)


async def addresses(site: Site, user_id: str) -> tuple[str, ...]:
    """Return the addresses that codes of an account may go to: none of whom only mails let in."""
    if not are_on(site):
        return ()
    had = await site.homeserver.run(ways.list_for, user_id)
    return had.emails if is_beside_another(had, own_ways.lets_in(site)) else ()


def name(address: str) -> str:
    """Return what a form calls an address, which nobody reads off it."""
    return own_ways.name(EMAIL, address)


async def send(
    visit: Visit,
    attempt: Attempt,
    address: str,
    *,
    turns_on: bool = False,
    flow: Callable[..., Code] = flows.send,
) -> int | None:
    """Send a code; return for how many seconds to wait if too many mails were asked for.

    `flow` is the one of `flows/codes.py`, for whoever is signed in as they may run it. While one was
    sent just now no other is, and the page says when it may.
    """
    site, now = visit.site, visit.site.now()
    former = await _code(visit, attempt)
    is_same = former is not None and former.sent_to(site.issuer.keys) == address
    if is_same and former is not None and former.wait(now):
        return None
    wait = await site.rates.factor_codes.wait(visit.address, address)
    if wait is not None:
        return wait
    drawn, lifetime = codes.draw(), site.mailboxes.code_lifetime
    says = FactorCode(drawn, max(1, lifetime // 60), attempt.user_id or "", turns_on)
    mail = visit.letter(address, says, expires=now + lifetime)
    its_id, keys = code_id(attempt.attempt_id), site.issuer.keys
    code = Code.of(keys, drawn, attempt_id=its_id, address=address, mail=mail, now=now)
    await site.homeserver.settle(flow, code, mail, pause=PAUSE if is_same else 0, now=now)
    return None


async def check(visit: Visit, attempt: Attempt, typed: str) -> Tried | None:
    """Look at a code, which counts as a try; `None` for what is none at all."""
    digits = codes.read(typed)
    if digits is None:
        return None
    owner = own_ways.owner(visit, attempt.user_id or "")
    site = visit.site
    return await site.homeserver.settle(
        prove_factor.try_mail, attempt.attempt_id, digits, owner, keys=site.issuer.keys
    )


async def sent_to(visit: Visit, attempt: Attempt) -> str | None:
    """Return where the code of an attempt went."""
    code = await _code(visit, attempt)
    return None if code is None else code.sent_to(visit.site.issuer.keys)


async def shown(visit: Visit, attempt: Attempt, address: str, *, written: str) -> MailShown:
    """Return what a page says of the code for an address, which it shows as `written`."""
    site, code = visit.site, await _code(visit, attempt)
    if code is None or code.sent_to(site.issuer.keys) != address:
        return MailShown(written)
    now, is_waiting = site.now(), False
    if code.refused_at is None:
        is_waiting = await site.homeserver.read(outbox.has_failed, SendMail.kind, code.mail)
    return MailShown(
        written,
        is_sent=True,
        minutes=max(0, -(-(code.expires_at - now) // 60)),
        wait=code.wait(now),
        is_refused=code.refused_at is not None,
        is_waiting=is_waiting,
    )


async def _code(visit: Visit, attempt: Attempt) -> Code | None:
    return await visit.site.homeserver.read(rows.get, code_id(attempt.attempt_id))
