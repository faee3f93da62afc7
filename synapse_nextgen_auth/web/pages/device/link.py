"""The link page: where a person types the code that a device shows (RFC 8628 section 3.3)."""

import logging

from synapse_nextgen_auth.flows import device
from synapse_nextgen_auth.flows.device import Entered, Refused, TooManyTries
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.grants import user_codes
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.device.page import LinkError, LinkPage
from synapse_nextgen_auth.web.visits import Visit

logger = logging.getLogger(__name__)


async def show(visit: Visit) -> Outgoing:
    """Ask for the code; one from the link is filled in and still needs a click."""
    given = user_codes.read(visit.parameters.get("user_code") or "")
    return _page(visit, typed=user_codes.show(given) if given else "")


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Look the code up and go on to the question it stands for."""
    site, typed = visit.site, form.get("user_code", "")
    user_code = user_codes.read(typed)
    if user_code is None:
        return _page(visit, typed=typed, error=LinkError.MALFORMED)
    code, half = user_codes.keyed(site.issuer.keys, user_code)
    entered = Entered(code, half, visit.visitor.digest, visit.address)
    found = await site.homeserver.run(device.enter, entered, now=site.now())
    if isinstance(found, TooManyTries):
        _note(visit, LinkError.TOO_MANY_TRIES)
        return _page(
            visit,
            typed=typed,
            error=LinkError.TOO_MANY_TRIES,
            retry_after=found.retry_after,
        )
    if isinstance(found, Refused):
        _note(visit, LinkError.UNKNOWN)
        return _page(visit, typed=typed, error=LinkError.UNKNOWN)
    return answers.redirect(f"device?grant={found.grant_id}")


def _note(visit: Visit, error: LinkError) -> None:
    """Let the operator notice guesses from many addresses, which no limit of one can (C147)."""
    visit.site.homeserver.metrics.refusal("/link", error.value)
    logger.info("Refused a user code from %s: %s", visit.address, error.value)


def _page(
    visit: Visit,
    *,
    typed: str,
    error: LinkError | None = None,
    retry_after: int | None = None,
) -> Outgoing:
    page = LinkPage(
        csrf=visit.csrf,
        action="link",
        server_name=visit.site.server_name,
        user_code=typed[:40],
        error=error,
        retry_after=retry_after,
    )
    status = {None: 200, LinkError.TOO_MANY_TRIES: 429}.get(error, 400)
    retry = (("Retry-After", str(retry_after)),) if retry_after else ()
    return visit.answer(page, status, headers=retry)
