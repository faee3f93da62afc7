"""The link page: where a person types the code that a device shows (RFC 8628 section 3.3)."""

import logging

from synapse_nextgen_auth.flows import device as flow
from synapse_nextgen_auth.flows.device import Entered, Refused, TooManyTries
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.oauth import user_codes
from synapse_nextgen_auth.web import answers, forms
from synapse_nextgen_auth.web.browser import Visitor
from synapse_nextgen_auth.web.pages import visitors
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.views import (
    LinkError,
    LinkPage,
)

logger = logging.getLogger(__name__)


async def show(site: Site, incoming: Incoming) -> Outgoing:
    """Ask for the code; one from the link is filled in and still needs a click."""
    visitor = await visitors.greet(site, incoming)
    given = user_codes.read(forms.parse(incoming.query).get("user_code") or "")
    return _page(site, visitor, typed=user_codes.show(given) if given else "")


async def submit(site: Site, incoming: Incoming) -> Outgoing:
    """Look the code up and go on to the question it stands for."""
    visitor = await visitors.greet(site, incoming)
    form = visitors.read_form(site, incoming, visitor)
    typed = form.get("user_code", "")
    user_code = user_codes.read(typed)
    if user_code is None:
        return _page(site, visitor, typed=typed, error=LinkError.MALFORMED)
    code, half = user_codes.keyed(site.issuer.keys, user_code)
    entered = Entered(code, half, visitor.digest, incoming.address)
    found = await site.homeserver.run(flow.enter, entered, now=site.now())
    if isinstance(found, TooManyTries):
        _note(site, incoming, LinkError.TOO_MANY_TRIES)
        return _page(
            site,
            visitor,
            typed=typed,
            error=LinkError.TOO_MANY_TRIES,
            retry_after=found.retry_after,
        )
    if isinstance(found, Refused):
        _note(site, incoming, LinkError.UNKNOWN)
        return _page(site, visitor, typed=typed, error=LinkError.UNKNOWN)
    return answers.redirect(f"device?grant={found.grant_id}")


# Those that are counted: a slip of the keyboard is not.
REFUSES = frozenset({LinkError.UNKNOWN.value, LinkError.TOO_MANY_TRIES.value})


def _note(site: Site, incoming: Incoming, error: LinkError) -> None:
    """Let the operator notice guesses from many addresses, which no limit of one can (C147)."""
    site.homeserver.metrics.refusal("/link", error.value)
    logger.info("Refused a user code from %s: %s", incoming.address, error.value)


def _page(
    site: Site,
    visitor: Visitor,
    *,
    typed: str,
    error: LinkError | None = None,
    retry_after: int | None = None,
) -> Outgoing:
    html = site.templates.render(
        LinkPage(
            csrf=visitors.csrf(site, visitor),
            action="link",
            server_name=site.server_name,
            user_code=typed[:40],
            error=error,
            retry_after=retry_after,
        )
    )
    status = {None: 200, LinkError.TOO_MANY_TRIES: 429}.get(error, 400)
    retry = (("Retry-After", str(retry_after)),) if retry_after else ()
    return visitors.with_cookie(site, visitor, answers.page(status, html, headers=retry))
