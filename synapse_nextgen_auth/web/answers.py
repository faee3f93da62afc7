"""Making answers: JSON that speaks RFC 6749, pages that browsers cannot be tricked with."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.uris import parse
from synapse_nextgen_auth.web.loads import NOTHING, Loads

if TYPE_CHECKING:
    from synapse_nextgen_auth.oauth.grants.authorization_answer import Answer

# Proxies give up on long headers; 8 kB for all of them together is what most take.
MAX_LOCATION = 6000  # characters

NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
NOSNIFF = ("X-Content-Type-Options", "nosniff")
# For what is no page: should a browser ever show it, nothing in it runs (C201).
INERT = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "Link, Retry-After, WWW-Authenticate"),
)
RENDEZVOUS_CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag, Expires, Last-Modified"),
)
_PAGE_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    *NO_STORE,
    NOSNIFF,
    ("X-Frame-Options", "DENY"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"),
    ("X-Robots-Tag", "noindex"),
)
# `json.dumps` makes one for each call, which takes longer than to encode an answer.
_encoded = json.JSONEncoder(separators=(",", ":")).encode
_JSON_HEADERS = (("Content-Type", "application/json"), *NO_STORE, NOSNIFF, INERT)


def json_answer(status: int, body: Mapping[str, object], *headers: tuple[str, str]) -> Outgoing:
    """Answer with JSON that nobody may keep."""
    return Outgoing(status, _encoded(body).encode("utf-8"), (*_JSON_HEADERS, *headers))


def document(body: bytes, *headers: tuple[str, str]) -> Outgoing:
    """Answer with JSON that anybody may keep for a while."""
    return Outgoing(
        200,
        body,
        (
            ("Content-Type", "application/json"),
            ("Cache-Control", "public, max-age=600, s-maxage=3600, stale-while-revalidate=600"),
            NOSNIFF,
            INERT,
            *headers,
        ),
    )


def error(refusal: OAuthError, *headers: tuple[str, str], retry_after: int = 5) -> Outgoing:
    """Answer with a refusal as RFC 6749 section 5.2 wants it; a 503 says when to come back."""
    body = {"error": refusal.code}
    if refusal.description:
        body["error_description"] = refusal.description
    extra: tuple[tuple[str, str], ...] = ()
    if refusal.status == 503:
        extra = (("Retry-After", str(retry_after)),)
    return json_answer(refusal.status, body, *extra, *headers)


def matrix_error(status: int, errcode: str, said: str, *headers: tuple[str, str]) -> Outgoing:
    """Answer with an error as the Client-Server API wants it."""
    return json_answer(status, {"errcode": errcode, "error": said}, *headers)


NO_ISSUER = error(OAuthError("invalid_request", "There is no such issuer here", 404))
NO_RENDEZVOUS = matrix_error(404, "M_NOT_FOUND", "There is no such rendezvous", *RENDEZVOUS_CORS)


def page(  # noqa: PLR0913 (a word for each thing that a page may be)
    status: int,
    html: str,
    *,
    goes_to: str | None = None,
    goes_further: bool = False,
    keeps_opener: bool = False,
    loads: Loads = NOTHING,
    headers: tuple[tuple[str, str], ...] = (),
) -> Outgoing:
    """Answer with a page.

    `goes_to` is the redirect URI that a form of this page may end up at: browsers apply
    `form-action` to the redirects after it, too, those of the client included (C202). A client
    with a server often `goes_further`, to another host. `keeps_opener` lets a page tell the window
    that opened it that it is done. What it `loads` is its own, or what its record says.
    """
    policy = "; ".join(
        (
            *loads.directives,
            f"form-action {' '.join(_form_targets(goes_to, goes_further=goes_further))}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
    opener = "unsafe-none" if keeps_opener else "same-origin"
    return Outgoing(
        status,
        html.encode("utf-8"),
        (
            *_PAGE_HEADERS,
            ("Referrer-Policy", loads.referrer),
            ("Content-Security-Policy", policy),
            ("Cross-Origin-Opener-Policy", opener),
            *headers,
        ),
    )


def redirect(location: str, *headers: tuple[str, str]) -> Outgoing:
    """Send the browser on with a GET, never with the form it just posted (C033)."""
    return Outgoing(
        303,
        b"",
        (
            *_PAGE_HEADERS,
            ("Referrer-Policy", NOTHING.referrer),
            INERT,
            ("Location", _ascii(location)),
            *headers,
        ),
    )


def static(content: bytes, content_type: str, *, is_foreign: bool) -> Outgoing:
    """Answer with a file that pages load, under a name that changes with its content.

    Should somebody open one by itself that is not ours, nothing in it runs.
    """
    policy = "default-src 'none'"
    if is_foreign:
        policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return Outgoing(
        200,
        content,
        (
            ("Content-Type", content_type),
            ("Cache-Control", "public, max-age=31536000, immutable"),
            NOSNIFF,
            ("Content-Security-Policy", policy),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ),
    )


def attachment(body: bytes, name: str, content_type: str) -> Outgoing:
    """Answer with a file that the browser keeps, and shows nobody as a page."""
    return Outgoing(
        200,
        body,
        (
            *(header for header in _PAGE_HEADERS if header[0] != "Content-Type"),
            ("Referrer-Policy", NOTHING.referrer),
            INERT,
            ("Content-Type", content_type),
            ("Content-Disposition", f'attachment; filename="{name}"'),
        ),
    )


def to_client(answer: "Answer") -> Outgoing:
    """Send an authorization response in the query or the fragment of the redirect URI."""
    return redirect(answer.location)


def _form_targets(goes_to: str | None, *, goes_further: bool) -> tuple[str, ...]:
    uri = parse(goes_to) if goes_to is not None else None
    if uri is None:
        return ("'self'",)
    if goes_further or uri.scheme not in {"https", "http"} or uri.host.startswith("["):
        # Of an app's scheme or an IPv6 loopback address no host fits into a policy.
        return ("'self'", f"{uri.scheme}:")
    port = f":{uri.port}" if uri.port is not None else ""
    return ("'self'", f"{uri.scheme}://{uri.host}{port}")


def _ascii(location: str) -> str:
    # A registered URI is ASCII without control characters; anything else never gets here.
    location.encode("ascii")
    return location
