"""From a request to the page that answers it: all that no page may forget, done once for all of them.

Methods, media types, sizes, who visits and whose form it is, whose account and whether it may go on,
and errors as a page.
"""

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.flows.as_signed_in import SignedOut
from synapse_nextgen_auth.homeserver.colleagues import Away
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.oauth.errors import OAuthError, unavailable
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.web import answers, attempts, factors, forms, under_way, visits
from synapse_nextgen_auth.web.admission import admit
from synapse_nextgen_auth.web.forms import FORM, Form
from synapse_nextgen_auth.web.kinds import AccountPage, AuthorizationEndpoint, ForPeople, Page
from synapse_nextgen_auth.web.pages.message import error
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.readers import Reader
from synapse_nextgen_auth.web.request import SEE_LOG, STOPPING, Request
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

if TYPE_CHECKING:
    from synapse_nextgen_auth.web import lost_factors
else:
    lost_factors = late.file("web.lost_factors")

# Where operators look for what went wrong with any path.
logger = logging.getLogger("synapse_nextgen_auth.web.dispatch")

# What a file may do that somebody opens by itself (C201): an operator's drawing has styles.


async def answer(request: Request, route: ForPeople | None) -> Outgoing:
    """Answer a person; every error is a page."""
    site, incoming = request.site, request.incoming
    reader = Reader(site, incoming)
    reference = None
    retry = (("Retry-After", "5"),)
    try:
        if site.homeserver.drain.is_closed:
            raise PageError(503, Message.UNAVAILABLE, headers=retry, refusal=STOPPING)
        if route is None:
            raise PageError(404, Message.NOT_FOUND)
        _refuse_misuse(route, incoming)
        if isinstance(route, AuthorizationEndpoint):
            return await route.serve(site, incoming, reader)
        return await _visit(request, reader, route)
    except PageError as stop:
        if stop.refusal is not None:
            request.note(stop.refusal)
        return await _stopped(site, incoming, reader, stop)
    except OAuthError as refusal:
        request.note(refusal)
        mistake = PageError(refusal.status, Message.BAD_REQUEST, detail=refusal.description)
        return await _stopped(site, incoming, reader, mistake)
    except Away as away:
        request.note(unavailable(str(away)))
    except Exception as failed:
        reference = random_id()[:12]
        if not request.knows_why(failed, f"{incoming.path} ({reference})"):
            logger.exception(
                "Could not serve %s %s (%s)", incoming.method, incoming.path, reference
            )
        request.count(SEE_LOG)
    unready = PageError(503, Message.UNAVAILABLE, reference=reference, headers=retry)
    return error.show(site, reader, unready)


async def _stopped(site: Site, incoming: Incoming, reader: Reader, stop: PageError) -> Outgoing:
    """Say what keeps somebody from going on, as they read where they are signed in."""
    if stop.status < 500:
        with suppress(Exception):  # whatever fails there: the browser says a language, too
            await visits.recognise(site, incoming, reader)
    return error.show(site, reader, stop)


def _refuse_misuse(route: ForPeople, incoming: Incoming) -> None:
    """Stop what no browser sends."""
    if incoming.method not in route.methods:
        allowed = ", ".join(route.methods)
        raise _misused(405, Message.METHOD_NOT_ALLOWED, f"Use {allowed}", ("Allow", allowed))
    if _receives(route):
        if incoming.method == "POST" and not incoming.content_type.startswith("image/"):
            said = "The content type must be that of a picture"
            raise _misused(415, Message.UNSUPPORTED_MEDIA_TYPE, said)
        return  # how large it may be the page says
    if incoming.is_too_large:
        raise _misused(413, Message.TOO_LARGE, "The body is too large")
    if incoming.method == "POST" and incoming.content_type != FORM:
        wanted = f"The content type must be {FORM}"
        raise _misused(415, Message.UNSUPPORTED_MEDIA_TYPE, wanted)


def _receives(route: ForPeople) -> bool:
    """Say whether a script sends something here, and no form."""
    return isinstance(route, AccountPage) and route.receive is not None


def _misused(status: int, message: Message, said: str, *headers: tuple[str, str]) -> PageError:
    """Return what stops a request to a page that is none of a browser's."""
    refusal = OAuthError("invalid_request", said, status)
    return PageError(status, message, headers=headers, refusal=refusal)


async def _visit(request: Request, reader: Reader, page: Page | AccountPage) -> Outgoing:
    """Let a page answer, once it is known who visits and that a form is one of ours."""
    incoming = request.incoming
    reader.goes_on(Onward.of(forms.parse(incoming.query)).goes_on)
    visit = await visits.greet(request.site, incoming, reader)
    form = None
    try:
        if incoming.method == "POST":
            if (again := await _filled_in_again(page, visit, incoming)) is not None:
                request.note(visits.NOT_OURS)
                return visits.with_cookie(visit, again)
            form = visits.prove(visit, incoming, by_header=_receives(page))
        if isinstance(page, AccountPage):
            outgoing = await _ask_account(page, visit, form, incoming.body)
        else:
            outgoing = await _ask(page, visit, form)
    except PageError:
        # A message may lie on the way to an approval, too, before anybody looked where that leads.
        if (attempt_id := visit.parameters.get("attempt")) is not None:
            await under_way.whither(visit, attempt_id)
        raise
    return visits.with_cookie(visit, outgoing)


async def _ask(page: Page, visit: Visit, form: Form | None) -> Outgoing:
    if form is not None and page.submit is not None:
        return await page.submit(visit, form)
    assert page.show is not None, "the method was looked up"  # noqa: S101
    return await page.show(visit)


async def _ask_account(page: AccountPage, visit: Visit, form: Form | None, body: bytes) -> Outgoing:
    """Ask a page once somebody is signed in, of late if need be, whose account may go on (C179).

    What they typed before the proof was too old comes back with them. Whoever is signed out while the
    form is on its way is asked to sign in again, and nothing of it is done.
    """
    is_dangerous = page.dangerous is not None and (form is not None or page.dangerous(visit))
    onward = await page.onward(visit)
    if visit.user_id is None or (is_dangerous and not await _is_proven(visit)):
        return await attempts.ask(visit, onward, form)
    await admit(visit.site, visit.user_id, other_account_url=onward.accounts_url)
    user_id = visit.user_id
    visit = await _knowing_what_waits(visit, user_id)
    try:
        if form is not None and page.submit is not None:
            return await page.submit(visit, user_id, form)
        if form is not None and page.receive is not None:
            return await page.receive(visit, user_id, body)
    except SignedOut:
        return answers.redirect(onward.sign_in_url)
    assert page.show is not None, "the method was looked up"  # noqa: S101
    return await page.show(await attempts.filled_in(visit, onward), user_id)


async def _filled_in_again(
    page: Page | AccountPage, visit: Visit, incoming: Incoming
) -> Outgoing | None:
    """Return the page with what was typed into it, if its form was only open for too long (C181)."""
    if visit.user_id is None or not isinstance(page, AccountPage) or _receives(page):
        return None
    old = visits.outdated(visit, incoming)
    if old is None:
        return None
    if page.dangerous is not None and not await _is_proven(old):
        return await attempts.ask(old, await page.onward(old), old.typed)
    if not page.fills_in:
        return None
    return attrs.evolve(await _ask_account(page, old, None, b""), status=403)


async def _knowing_what_waits(visit: Visit, user_id: str) -> Visit:
    """Return the visit with what its pages warn of, where there may be any such thing."""
    if not visit.site.config.factors.lost_wait:
        return visit
    return attrs.evolve(visit, lost=await lost_factors.waiting(visit.site, user_id))


async def _is_proven(visit: Visit) -> bool:
    """Say whether somebody proved of late who they are, by as much as their account has (C295)."""
    return visit.is_fresh and not await factors.is_missing(visit, is_dangerous=True)


async def file(site: Site, incoming: Incoming, name: str) -> Outgoing:
    """Return a file that pages load."""
    file, reader = site.templates.static_file(name), Reader(site, incoming)
    if file is None:
        return await _stopped(site, incoming, reader, PageError(404, Message.NOT_FOUND))
    if incoming.method not in {"GET", "HEAD"}:
        allow = (("Allow", "GET, HEAD"),)
        stop = PageError(405, Message.METHOD_NOT_ALLOWED, headers=allow)
        return await _stopped(site, incoming, reader, stop)
    return answers.static(file.content, file.content_type, is_foreign=file.is_foreign)
