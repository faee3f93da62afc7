"""From a request to what answers it: all that no path may forget, done once for all of them.

Whether the process stops, methods, media types, sizes, errors as JSON, and what is counted and written
down of them. What no page may forget is in `page_dispatch.py`.
"""

import logging
from typing import TYPE_CHECKING

from synapse_nextgen_auth import late
from synapse_nextgen_auth.homeserver.colleagues import Away
from synapse_nextgen_auth.homeserver.http import Handler, Incoming, Outgoing
from synapse_nextgen_auth.oauth.errors import OAuthError, unavailable
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.kinds import (
    AdminApi,
    Endpoint,
    Files,
    ForPeople,
    RendezvousEndpoint,
    Root,
    ToIssuer,
)
from synapse_nextgen_auth.web.request import SEE_LOG, STOPPING, Request
from synapse_nextgen_auth.web.site import Site

if TYPE_CHECKING:
    from synapse_nextgen_auth.oauth import rendezvous
    from synapse_nextgen_auth.web import page_dispatch
    from synapse_nextgen_auth.web.endpoints.admin import dispatch as admin_dispatch
else:
    rendezvous, page_dispatch, admin_dispatch = late.files(
        "oauth.rendezvous", "web.page_dispatch", "web.endpoints.admin.dispatch"
    )

logger = logging.getLogger(__name__)

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


async def _serve(site: Site, root: Root, incoming: Incoming) -> Outgoing:
    path, route = root.find(incoming.path)
    if route is None:
        return root.unknown or await page_dispatch.answer(Request(site, incoming, None), None)
    if isinstance(route, Files):
        return await page_dispatch.file(site, incoming, incoming.path[len(root.path + path) :])
    if isinstance(route, ToIssuer):
        return answers.redirect(site.issuer.identifier)
    request = Request(site, incoming, root.counted_as or path)
    if root.counted_as is not None:
        return await _answer(request, route, incoming.path[len(root.path + path) :])
    with site.homeserver.metrics.timed(path):
        return await _answer(request, route, incoming.path[len(root.path + path) :])


async def _answer(
    request: Request,
    route: Endpoint | ForPeople | RendezvousEndpoint | AdminApi,
    below: str,
) -> Outgoing:
    if isinstance(route, Endpoint):
        return await _endpoint(request, route)
    if isinstance(route, RendezvousEndpoint):
        return await _meet(request, route, below)
    if isinstance(route, AdminApi):
        return await admin_dispatch.answer(request, below)
    return await page_dispatch.answer(request, route)


async def _meet(request: Request, route: RendezvousEndpoint, rendezvous_id: str) -> Outgoing:
    """Answer a device; an error is JSON as Matrix wants it, a failure of ours as RFC 6749 does."""
    site, incoming = request.site, request.incoming
    if site.homeserver.drain.is_closed:
        request.count(STOPPING)
        return answers.error(STOPPING, *answers.CORS)
    try:
        if not rendezvous.is_id(rendezvous_id):
            return answers.NO_RENDEZVOUS
        serve = route.serves(incoming.method)
        if serve is None:
            allow = ("Allow", route.allowed)
            unknown = answers.matrix_error(405, "M_UNRECOGNIZED", "Unknown method")
            return unknown.having(*answers.RENDEZVOUS_CORS, allow)
        return await serve(site, incoming, rendezvous_id)
    except Exception as failed:
        if not request.knows_why(failed, "a rendezvous"):
            logger.exception("Could not serve %s of a rendezvous", incoming.method)
        request.count(SEE_LOG)
        return answers.error(SEE_LOG, *answers.CORS)


async def _endpoint(request: Request, route: Endpoint) -> Outgoing:
    """Answer a client; every error is JSON as RFC 6749 section 5.2 wants it.

    Preflights never get here: Synapse answers OPTIONS itself, on every path and for every origin.
    """
    site, incoming = request.site, request.incoming
    if site.homeserver.drain.is_closed:
        request.note(STOPPING)
        return answers.error(STOPPING, *route.cors)
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
        if not request.knows_why(failed, incoming.path):
            logger.exception("Could not serve %s %s", incoming.method, incoming.path)
        request.count(SEE_LOG)
        return answers.error(SEE_LOG, *route.cors)


def _check_body(route: Endpoint, incoming: Incoming) -> None:
    if incoming.is_too_large:
        raise OAuthError("invalid_request", "The body is too large", 413)
    is_wrong = route.takes is not None and incoming.content_type != route.takes
    if incoming.method == "POST" and is_wrong:
        raise OAuthError("invalid_request", f"The content type must be {route.takes}")
