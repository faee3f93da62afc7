"""From a request to what answers it: all that no path may forget, done once for all of them.

Whether the process stops, methods, media types, sizes, who visits and whose form it is, errors as JSON
or as a page, and what is counted and written down of them.
"""

import logging

import attrs

from synapse_nextgen_auth.flows.as_signed_in import SignedOut
from synapse_nextgen_auth.homeserver.colleagues import Away
from synapse_nextgen_auth.homeserver.http import Handler, Incoming, Outgoing
from synapse_nextgen_auth.oauth.errors import OAuthError, unavailable
from synapse_nextgen_auth.oauth.rendezvous import is_id
from synapse_nextgen_auth.oauth.wording import logged
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.web import answers, attempts, forms, visits
from synapse_nextgen_auth.web.admission import admit
from synapse_nextgen_auth.web.forms import FORM, Form
from synapse_nextgen_auth.web.kinds import (
    AccountPage,
    AuthorizationEndpoint,
    Endpoint,
    Files,
    ForPeople,
    Page,
    RendezvousEndpoint,
    Root,
    ToIssuer,
)
from synapse_nextgen_auth.web.pages.message import error
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.readers import Reader
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

logger = logging.getLogger(__name__)

_STOPPING = unavailable("this process stops")
_SEE_LOG = unavailable("see the log")
# How long (seconds) a client waits before it asks again whether the module is back.
_REST = 60


def handler(site: Site, root: Root) -> Handler:
    """Return what answers every request below a root; a process that stops waits for it (C382)."""

    async def handle(incoming: Incoming) -> Outgoing:
        with site.homeserver.drain.passing():
            return await _serve(site, root, incoming)

    return handle


def resting(root: Root) -> Handler:
    """Return what answers while the module is off: clients are to come back, all else is not there."""

    async def handle(incoming: Incoming) -> Outgoing:
        _, route = root.find(incoming.path)
        if isinstance(route, Endpoint) and route.rests:
            refusal = unavailable("")  # nothing is logged of it
            return answers.error(refusal, *answers.CORS, retry_after=_REST)
        return answers.matrix_error(404, "M_UNRECOGNIZED", "Unrecognized request", *answers.CORS)

    return handle


@frozen
class _Request:
    """A request on its way; `label` is what the metrics call its path, `None` for no path of ours."""

    site: Site
    incoming: Incoming
    label: str | None
    reader: Reader = attrs.field(init=False)

    @reader.default
    def _reader(self) -> Reader:
        return Reader(self.site, self.incoming)

    def note(self, refusal: OAuthError) -> None:
        """Count a refusal, and write it down unless it is a device that waits, every five seconds."""
        self.count(refusal)
        if refusal.code != "authorization_pending":
            logger.info(
                "Refused %s %s from %s: %s",
                self.incoming.method,
                self.incoming.path,
                logged(self.incoming.address, 64),
                refusal,
            )

    def has_no_database(self, error: Exception, where: str) -> bool:
        """Say whether the database was away, and write that down: one line, no mistake of ours."""
        why = self.site.homeserver.why_away(error)
        if why is not None:
            logger.warning("No database for %s %s: %s", self.incoming.method, where, why)
        return why is not None

    def count(self, refusal: OAuthError) -> None:
        """Count a refusal by why; a path that is none of ours is no label."""
        if self.label is not None:
            self.site.homeserver.metrics.refusal(self.label, refusal.reason or refusal.code)


async def _serve(site: Site, root: Root, incoming: Incoming) -> Outgoing:
    path, route = root.find(incoming.path)
    if route is None:
        return root.unknown or await _page(_Request(site, incoming, None), None)
    if isinstance(route, Files):
        return _file(site, incoming, incoming.path[len(root.path + path) :])
    if isinstance(route, ToIssuer):
        return answers.redirect(site.issuer.identifier)
    request = _Request(site, incoming, root.counted_as or path)
    if root.counted_as is not None:
        return await _answer(request, route, incoming.path[len(root.path + path) :])
    with site.homeserver.metrics.timed(path):
        return await _answer(request, route)


async def _answer(
    request: _Request,
    route: Endpoint | ForPeople | RendezvousEndpoint,
    below: str = "",
) -> Outgoing:
    if isinstance(route, Endpoint):
        return await _endpoint(request, route)
    if isinstance(route, RendezvousEndpoint):
        return await _meet(request, route, below)
    return await _page(request, route)


async def _meet(request: _Request, route: RendezvousEndpoint, rendezvous_id: str) -> Outgoing:
    """Answer a device; an error is JSON as Matrix wants it, a failure of ours as RFC 6749 does."""
    site, incoming = request.site, request.incoming
    if site.homeserver.drain.is_closed:
        request.count(_STOPPING)
        return answers.error(_STOPPING, *answers.CORS)
    try:
        if not is_id(rendezvous_id):
            return answers.NO_RENDEZVOUS
        serve = route.serves(incoming.method)
        if serve is None:
            allow = ("Allow", route.allowed)
            unknown = answers.matrix_error(405, "M_UNRECOGNIZED", "Unknown method")
            return unknown.having(*answers.RENDEZVOUS_CORS, allow)
        return await serve(site, incoming, rendezvous_id)
    except Exception as failed:
        if not request.has_no_database(failed, "a rendezvous"):
            logger.exception("Could not serve %s of a rendezvous", incoming.method)
        request.count(_SEE_LOG)
        return answers.error(_SEE_LOG, *answers.CORS)


async def _endpoint(request: _Request, route: Endpoint) -> Outgoing:
    """Answer a client; every error is JSON as RFC 6749 section 5.2 wants it.

    Preflights never get here: Synapse answers OPTIONS itself, on every path and for every origin.
    """
    site, incoming = request.site, request.incoming
    if site.homeserver.drain.is_closed:
        request.note(_STOPPING)
        return answers.error(_STOPPING, *route.cors)
    serve = route.serves(incoming.method)
    try:
        if serve is None:
            refusal = OAuthError("invalid_request", f"Use {route.allowed}", 405)
            request.note(refusal)
            return answers.error(refusal, ("Allow", route.allowed), *route.cors)
        _check_body(route, incoming)
        return (await serve(site, incoming)).having(*route.cors)
    except OAuthError as refusal:
        request.note(refusal)
        challenge = route.challenge(incoming, refusal)
        return answers.error(refusal, *challenge, *route.cors)
    except Away as away:
        failure = unavailable(str(away))
        request.note(failure)
        return answers.error(failure, *route.cors)
    except Exception as failed:
        if not request.has_no_database(failed, incoming.path):
            logger.exception("Could not serve %s %s", incoming.method, incoming.path)
        request.count(_SEE_LOG)
        return answers.error(_SEE_LOG, *route.cors)


def _check_body(route: Endpoint, incoming: Incoming) -> None:
    if incoming.is_too_large:
        raise OAuthError("invalid_request", "The body is too large", 413)
    is_wrong = route.takes is not None and incoming.content_type != route.takes
    if incoming.method == "POST" and is_wrong:
        raise OAuthError("invalid_request", f"The content type must be {route.takes}")


async def _page(request: _Request, route: ForPeople | None) -> Outgoing:
    """Answer a person; every error is a page."""
    site, incoming = request.site, request.incoming
    reference = None
    retry = (("Retry-After", "5"),)
    try:
        if site.homeserver.drain.is_closed:
            raise PageError(503, Message.UNAVAILABLE, headers=retry, refusal=_STOPPING)
        if route is None:
            raise PageError(404, Message.NOT_FOUND)
        _refuse_misuse(route, incoming)
        if isinstance(route, AuthorizationEndpoint):
            return await route.serve(site, incoming, request.reader)
        return await _visit(request, route)
    except PageError as stop:
        if stop.refusal is not None:
            request.note(stop.refusal)
        return error.show(site, request.reader, stop)
    except OAuthError as refusal:
        request.note(refusal)
        mistake = PageError(refusal.status, Message.BAD_REQUEST, detail=refusal.description)
        return error.show(site, request.reader, mistake)
    except Away as away:
        request.note(unavailable(str(away)))
    except Exception as failed:
        reference = random_id()[:12]
        if not request.has_no_database(failed, f"{incoming.path} ({reference})"):
            logger.exception(
                "Could not serve %s %s (%s)", incoming.method, incoming.path, reference
            )
        request.count(_SEE_LOG)
    unready = PageError(503, Message.UNAVAILABLE, reference=reference, headers=retry)
    return error.show(site, request.reader, unready)


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


async def _visit(request: _Request, page: Page | AccountPage) -> Outgoing:
    """Let a page answer, once it is known who visits and that a form is one of ours."""
    incoming = request.incoming
    request.reader.goes_on(Onward.of(forms.parse(incoming.query)).goes_on)
    visit = await visits.greet(request.site, incoming, request.reader)
    form = None
    try:
        if incoming.method == "POST":
            form = visits.prove(visit, incoming, by_header=_receives(page))
        if isinstance(page, AccountPage):
            outgoing = await _ask_account(page, visit, form, incoming.body)
        else:
            outgoing = await _ask(page, visit, form)
    except PageError:
        # A message may lie on the way to an approval, too, before anybody looked where that leads.
        if (attempt_id := visit.parameters.get("attempt")) is not None:
            await attempts.whither(visit, attempt_id)
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
    if visit.user_id is None or (is_dangerous and not visit.is_fresh):
        return await attempts.ask(visit, onward, form)
    await admit(visit.site, visit.user_id, other_account_url=onward.accounts_url)
    try:
        if form is not None and page.submit is not None:
            return await page.submit(visit, visit.user_id, form)
        if form is not None and page.receive is not None:
            return await page.receive(visit, visit.user_id, body)
    except SignedOut:
        return answers.redirect(onward.sign_in_url)
    assert page.show is not None, "the method was looked up"  # noqa: S101
    return await page.show(await attempts.filled_in(visit, onward), visit.user_id)


def _file(site: Site, incoming: Incoming, name: str) -> Outgoing:
    file, reader = site.templates.static_file(name), Reader(site, incoming)
    if file is None:
        return error.show(site, reader, PageError(404, Message.NOT_FOUND))
    if incoming.method not in {"GET", "HEAD"}:
        allow = (("Allow", "GET, HEAD"),)
        return error.show(site, reader, PageError(405, Message.METHOD_NOT_ALLOWED, headers=allow))
    return Outgoing(
        200,
        file.content,
        (
            ("Content-Type", file.content_type),
            # The name changes with the content.
            ("Cache-Control", "public, max-age=31536000, immutable"),
            answers.NOSNIFF,
            ("Content-Security-Policy", "default-src 'none'"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ),
    )
