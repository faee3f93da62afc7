"""Every path and what serves it; whatever is not here is a 404."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar

import attrs

from synapse_nextgen_auth.homeserver.colleagues import Away
from synapse_nextgen_auth.homeserver.http import Handler, Incoming, Outgoing
from synapse_nextgen_auth.oauth import authorize as rules
from synapse_nextgen_auth.oauth.errors import DRAINING, OAuthError, unavailable
from synapse_nextgen_auth.oauth.metadata import PREFIX
from synapse_nextgen_auth.oauth.wording import logged
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.web import answers, clients
from synapse_nextgen_auth.web.endpoints import authorize as authorization
from synapse_nextgen_auth.web.endpoints import (
    device_authorization,
    introspect,
    metadata,
    register_client,
    rendezvous,
    revoke,
    token,
    userinfo,
)
from synapse_nextgen_auth.web.pages import (
    account,
    approve,
    consent,
    device,
    home,
    link,
    messages,
    sign_in,
)
from synapse_nextgen_auth.web.pages.messages import Stop
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.views import (
    Message,
)

logger = logging.getLogger(__name__)

Serve = Callable[[Site, Incoming], Awaitable[Outgoing]]
Challenge = Callable[[Incoming, OAuthError], tuple[tuple[str, str], ...]]

_STOPPING = unavailable("this process stops")
_SEE_LOG = unavailable("see the log")
_RENDEZVOUS = "/rendezvous"  # what the metrics call every path of one
_FORM = "application/x-www-form-urlencoded"
# How long (seconds) a client waits before it asks again whether the module is back.
_REST = 60


@attrs.frozen
class Endpoint:
    """What clients speak to: JSON, from any origin; `takes` is the media type of a POST.

    Where there is GET there is HEAD: a GET here only reads. `refuses` names the reasons of refusals
    that only this path has, for the metrics; `challenge` makes the headers that say how to prove
    who asks.
    """

    methods: Mapping[str, Serve]
    takes: str | None = _FORM
    refuses: frozenset[str] = frozenset()
    challenge: Challenge = clients.basic_challenge
    has_head: ClassVar[bool] = True


@attrs.frozen
class Page:
    """What people look at: HTML, from nowhere but here.

    There is no HEAD: a GET notes the visit, hands out the cookie, begins a grant or gives out a code,
    and nothing of that may come of a link that a mail scanner tries (C041).
    """

    methods: Mapping[str, Serve]
    refuses: frozenset[str] = frozenset()
    has_head: ClassVar[bool] = False


# What any path may say: a request may be wrong, and we may fail.
_ANYWHERE = frozenset({"invalid_request", "temporarily_unavailable"})
_OF_CLIENTS = frozenset({"invalid_client", "unauthorized_client"})
_OF_SCOPES = frozenset({"invalid_scope"})
_RATE_LIMITED = frozenset({"rate_limited"})
_DRAINING = frozenset({DRAINING.reason})

ROUTES: dict[str, Endpoint | Page] = {
    # Discovery
    "/.well-known/openid-configuration": Endpoint({"GET": metadata.metadata}),
    "/.well-known/oauth-authorization-server": Endpoint({"GET": metadata.metadata}),
    "/keys": Endpoint({"GET": metadata.keys}),
    # Protocol
    "/clients/register": Endpoint(
        {"POST": register_client.register},
        takes=None,
        refuses=_RATE_LIMITED
        | _DRAINING
        | {"access_denied", "invalid_client_metadata", "invalid_redirect_uri"},
    ),
    "/token": Endpoint({"POST": token.token}, refuses=_OF_CLIENTS | _OF_SCOPES | token.REFUSES),
    "/revoke": Endpoint({"POST": revoke.revoke}, refuses=_OF_CLIENTS),
    "/device-authorization": Endpoint(
        {"POST": device_authorization.device_authorization},
        refuses=_OF_CLIENTS | _OF_SCOPES | _RATE_LIMITED | _DRAINING,
    ),
    "/introspect": Endpoint({"POST": introspect.introspect}, refuses=_OF_CLIENTS),
    "/userinfo": Endpoint(
        {"GET": userinfo.userinfo, "POST": userinfo.userinfo},
        takes=None,
        refuses=userinfo.REFUSES,
        challenge=userinfo.challenge,
    ),
    # Pages
    "/authorize": Page(
        {"GET": authorization.authorize, "POST": authorization.authorize},
        refuses=_OF_CLIENTS | _OF_SCOPES | _RATE_LIMITED | _DRAINING | rules.REFUSES,
    ),
    "/": Page({"GET": home.show}),
    "/sign-in": Page({"GET": sign_in.show, "POST": sign_in.submit}),
    "/consent": Page({"GET": consent.show, "POST": consent.submit}),
    "/sign-out": Page({"POST": home.sign_out}),
    "/link": Page({"GET": link.show, "POST": link.submit}, refuses=link.REFUSES),
    "/device": Page({"GET": device.show, "POST": device.submit}),
    "/account": Page({"GET": account.show, "POST": account.submit}),
    "/approve": Page({"GET": approve.show, "POST": approve.submit}),
}

# Every reason of a refusal that is counted, by path.
REFUSALS: dict[str, frozenset[str]] = {
    **{path: _ANYWHERE | route.refuses for path, route in ROUTES.items()},
    _RENDEZVOUS: _RATE_LIMITED | {_SEE_LOG.code},
}

STATIC = "/static/"
WELL_KNOWN = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")


def handler(site: Site) -> Handler:
    """Return what answers every request below our prefix."""
    return _drained(site, _serve)


def well_known(site: Site) -> Handler:
    """Return what answers where RFC 8414 section 3 looks for an issuer with a path."""
    return _drained(site, _serve_well_known)


def meeting(site: Site) -> Handler:
    """Return what answers where two devices meet (MSC4108)."""
    return _drained(site, _meet)


def _drained(site: Site, serve: Serve) -> Handler:
    """Let a process that stops answer this first, and take nothing new (C382)."""

    async def handle(incoming: Incoming) -> Outgoing:
        with site.homeserver.drain.passing():
            return await serve(site, incoming)

    return handle


async def resting(incoming: Incoming) -> Outgoing:
    """Answer while the module is switched off: clients are to come back, all else is not there.

    Not there either is what describes this server: clients must find what Synapse itself offers.
    """
    path = incoming.path.removeprefix(PREFIX)
    if isinstance(ROUTES.get(path), Endpoint) and path not in WELL_KNOWN:
        refusal = unavailable("")  # nothing is logged of it
        return answers.error(refusal, *answers.CORS, retry_after=_REST)
    unknown = {"errcode": "M_UNRECOGNIZED", "error": "Unrecognized request"}
    return answers.json_answer(404, unknown, *answers.CORS)


async def _meet(site: Site, incoming: Incoming) -> Outgoing:
    if site.homeserver.drain.is_closed:
        site.homeserver.metrics.refusal(_RENDEZVOUS, _STOPPING.code)
        return answers.error(_STOPPING, *answers.CORS)
    try:
        return await rendezvous.meet(site, incoming)
    except Exception:
        logger.exception("Could not serve %s of a rendezvous", incoming.method)
        site.homeserver.metrics.refusal(_RENDEZVOUS, _SEE_LOG.code)
        return answers.error(_SEE_LOG, *answers.CORS)


async def _serve_well_known(site: Site, incoming: Incoming) -> Outgoing:
    paths = {f"{root}{PREFIX}{end}" for root in WELL_KNOWN for end in ("", "/")}
    if incoming.path in paths:
        return await _endpoint(site, Endpoint({"GET": metadata.metadata}), incoming)
    return answers.error(OAuthError("invalid_request", "There is no such issuer here", 404))


async def _serve(site: Site, incoming: Incoming) -> Outgoing:
    path = incoming.path.removeprefix(PREFIX)
    if path == "" and incoming.path == PREFIX:
        return answers.redirect(site.issuer.identifier)
    if path.startswith(STATIC):
        return _static(site, path.removeprefix(STATIC), incoming)
    route = ROUTES.get(path) if incoming.path.startswith(PREFIX) else None
    if route is None:
        return await _page(site, None, incoming)
    with site.homeserver.metrics.timed(path):
        if isinstance(route, Endpoint):
            return await _endpoint(site, route, incoming)
        return await _page(site, route, incoming)


async def _endpoint(site: Site, route: Endpoint, incoming: Incoming) -> Outgoing:
    """Answer a client; every error is JSON as RFC 6749 section 5.2 wants it.

    Preflights never get here: Synapse answers OPTIONS itself, on every path and for every origin.
    """
    if site.homeserver.drain.is_closed:
        _note(site, incoming, _STOPPING)
        return answers.error(_STOPPING, *answers.CORS)
    serve = _serves(route, incoming.method)
    try:
        if serve is None:
            refusal = OAuthError("invalid_request", f"Use {_allowed(route)}", 405)
            _note(site, incoming, refusal)
            return answers.error(refusal, ("Allow", _allowed(route)), *answers.CORS)
        _check_body(route, incoming)
        return (await serve(site, incoming)).having(*answers.CORS)
    except OAuthError as refusal:
        _note(site, incoming, refusal)
        challenge = route.challenge(incoming, refusal)
        return answers.error(refusal, *challenge, *answers.CORS)
    except Away as away:
        failure = unavailable(str(away))
        _note(site, incoming, failure)
        return answers.error(failure, *answers.CORS)
    except Exception:
        logger.exception("Could not serve %s %s", incoming.method, incoming.path)
        _count(site, incoming, _SEE_LOG)
        return answers.error(_SEE_LOG, *answers.CORS)


async def _page(site: Site, route: Page | Endpoint | None, incoming: Incoming) -> Outgoing:
    """Answer a person; every error is a page."""
    reference = None
    retry = (("Retry-After", "5"),)
    try:
        if site.homeserver.drain.is_closed:
            raise Stop(503, Message.UNAVAILABLE, headers=retry, refusal=_STOPPING)
        if route is None:
            raise Stop(404, Message.NOT_FOUND)
        serve = _served(route, incoming)
        return await serve(site, incoming)
    except Stop as stop:
        if stop.refusal is not None:
            _note(site, incoming, stop.refusal)
        return messages.show(site, stop)
    except OAuthError as refusal:
        _note(site, incoming, refusal)
        detail = refusal.description
        return messages.show(site, Stop(refusal.status, Message.BAD_REQUEST, detail=detail))
    except Away as away:
        _note(site, incoming, unavailable(str(away)))
    except Exception:
        reference = random_id()[:12]
        logger.exception("Could not serve %s %s (%s)", incoming.method, incoming.path, reference)
        _count(site, incoming, _SEE_LOG)
    return messages.show(site, Stop(503, Message.UNAVAILABLE, reference=reference, headers=retry))


def _note(site: Site, incoming: Incoming, refusal: OAuthError) -> None:
    """Count a refusal, and write it down unless it is a device that waits, every five seconds."""
    _count(site, incoming, refusal)
    if refusal.code != "authorization_pending":
        logger.info(
            "Refused %s %s from %s: %s",
            incoming.method,
            incoming.path,
            logged(incoming.address, 64),
            refusal,
        )


def _count(site: Site, incoming: Incoming, refusal: OAuthError) -> None:
    path = incoming.path.removeprefix(PREFIX)
    # Where RFC 8414 looks for an issuer with a path, that is behind.
    known = next((root for root in WELL_KNOWN if path.startswith(f"{root}{PREFIX}")), path)
    if known in ROUTES:
        site.homeserver.metrics.refusal(known, refusal.reason or refusal.code)


def _served(route: Page | Endpoint, incoming: Incoming) -> Serve:
    """Return what answers a person, or stop what no browser sends."""
    serve = _serves(route, incoming.method)
    if serve is None:
        allow = (("Allow", _allowed(route)),)
        raise _misused(405, Message.METHOD_NOT_ALLOWED, f"Use {_allowed(route)}", *allow)
    if incoming.is_too_large:
        raise _misused(413, Message.TOO_LARGE, "The body is too large")
    if incoming.method == "POST" and incoming.content_type != _FORM:
        wanted = f"The content type must be {_FORM}"
        raise _misused(415, Message.UNSUPPORTED_MEDIA_TYPE, wanted)
    return serve


def _misused(status: int, message: Message, said: str, *headers: tuple[str, str]) -> Stop:
    """Return what stops a request to a page that is none of a browser's."""
    refusal = OAuthError("invalid_request", said, status)
    return Stop(status, message, headers=headers, refusal=refusal)


def _check_body(route: Endpoint, incoming: Incoming) -> None:
    if incoming.is_too_large:
        raise OAuthError("invalid_request", "The body is too large", 413)
    is_wrong = route.takes is not None and incoming.content_type != route.takes
    if incoming.method == "POST" and is_wrong:
        raise OAuthError("invalid_request", f"The content type must be {route.takes}")


def _static(site: Site, name: str, incoming: Incoming) -> Outgoing:
    file = site.templates.static_file(name)
    if file is None:
        return messages.show(site, Stop(404, Message.NOT_FOUND))
    if incoming.method not in {"GET", "HEAD"}:
        allow = (("Allow", "GET, HEAD"),)
        return messages.show(site, Stop(405, Message.METHOD_NOT_ALLOWED, headers=allow))
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


def _serves(route: Endpoint | Page, method: str) -> Serve | None:
    if method == "HEAD" and route.has_head:
        return route.methods.get("GET")
    return route.methods.get(method)


def _allowed(route: Endpoint | Page) -> str:
    head = ["HEAD"] if "GET" in route.methods and route.has_head else []
    return ", ".join([*route.methods, *head, *(["OPTIONS"] if isinstance(route, Endpoint) else [])])
