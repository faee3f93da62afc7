"""Whoever forgot their password asks for a link by mail.

The answer is the same whether anybody has the address, and so is what is done for it: one entry of the
outbox. Who it is is looked up later, in the main process (C250).
"""

from typing import Any

from synapse_nextgen_auth.accounts import addresses
from synapse_nextgen_auth.accounts.attempts.attempt import Purpose
from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.recoveries import Request
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.store import outbox
from synapse_nextgen_auth.web import attempts, grants
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.message.error import PageError, unknown_choice
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.pages.recovery import offer
from synapse_nextgen_auth.web.pages.recovery.page import (
    RecoveryAskedPage,
    RecoveryError,
    RecoveryPage,
)
from synapse_nextgen_auth.web.under_way import Way
from synapse_nextgen_auth.web.visits import Visit

_STATUS = {RecoveryError.TOO_OFTEN: 429}


async def show(visit: Visit) -> Outgoing:
    """Ask for the address."""
    return _page(visit, await _onward(visit))


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Write down that somebody wants a link to this address, and say that it may be on its way."""
    if form.get("decision") != "send":
        raise unknown_choice()
    site, onward = visit.site, await _onward(visit)
    typed = form.get("address", "").strip()
    if not typed:
        return _page(visit, onward, error=RecoveryError.MISSING)
    # Who has it is looked up by this spelling, and that is where the mail goes (C257).
    mailbox = addresses.canonical(typed)
    if mailbox is None:
        return _page(visit, onward, address=typed, error=RecoveryError.NO_ADDRESS)
    wait = await site.rates.recoveries.wait(visit.address, mailbox)
    if wait is not None:
        error = RecoveryError.TOO_OFTEN
        return _page(visit, onward, address=typed, error=error, retry_after=wait)
    attempt_id = None
    if onward.goes_on.kind is not Kind.HOME:
        # What waits for them waits as long as the attempt does, and goes on from the link.
        attempt_id = (await attempts.begin(visit, Way(onward, Purpose.RECOVER, None))).attempt_id
    lifetime, now = site.recoveries.lifetime, site.now()
    request = Request(mailbox, visit.reader.language, now, now + lifetime, attempt_id)
    await site.homeserver.run(outbox.put, request.posted(site.issuer.keys), now=now)
    return visit.answer(
        RecoveryAskedPage(
            server_name=site.server_name,
            address=typed[:255],
            minutes=max(1, lifetime // 60),
            sign_in_url=onward.sign_in_url,
            again_url=onward.recovery_url,
        )
    )


async def _onward(visit: Visit) -> Onward:
    """Return where the person goes on; stop where nobody is helped like this."""
    if not offer.is_there(visit.site):
        raise PageError(404, Message.NOT_FOUND, forward_url="sign-in")
    return await grants.onward(visit, Onward.of(visit.parameters))


def _page(visit: Visit, onward: Onward, *, address: str = "", **said: Any) -> Outgoing:
    error, retry = said.get("error"), said.get("retry_after")
    page = RecoveryPage(
        csrf=visit.csrf,
        action=onward.recovery_url,
        sign_in_url=onward.sign_in_url,
        server_name=visit.site.server_name,
        address=address[:255],
        **said,
    )
    status = 200 if error is None else _STATUS.get(error, 400)
    return visit.answer(page, status, headers=(("Retry-After", str(retry)),) if retry else ())
