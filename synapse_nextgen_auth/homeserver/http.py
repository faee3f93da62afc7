"""Between Twisted's requests and ours: what came in as a frozen record, what goes out as another."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
from synapse.http import get_request_user_agent
from synapse.http.server import DirectServeJsonResource
from synapse.http.site import SynapseRequest
from synapse.logging.context import current_context
from twisted.python.failure import Failure
from twisted.web.resource import Resource

from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.late import Broken
from synapse_nextgen_auth.oauth.networks import printable
from synapse_nextgen_auth.oauth.sessions import Sender
from synapse_nextgen_auth.records import frozen

NEEDS = (
    Needed("synapse.http.site", "SynapseRequest.get_client_ip_if_available"),
    Needed("synapse.logging.context", "current_context"),
    Needed("synapse.logging.context", "ContextRequest", ("ip_address", "requester")),
    Needed("synapse.http.server", "DirectServeJsonResource._async_render", ("request",)),
    Needed("synapse.http.server", "DirectServeJsonResource._send_error_response"),
)

logger = logging.getLogger(__name__)

# Where a request keeps its query once the logs can no longer see it.
_QUERY = "_nextgen_query"

# RFC 9110 section 8.6: never with 204, and with 304 only that of the answer that was asked for.
_WITHOUT_LENGTH = frozenset({204, 304})

# What the tables keep of a user agent; real ones have half of it.
MAX_USER_AGENT = 255
MAX_BODY = 64 * 1024  # bytes; the largest honest request is a client registration


@frozen
class Incoming:
    """A request as it came: nothing decoded, nothing merged, `query` and `body` apart.

    `path` is as sent (still percent-encoded), `address` the network address as Synapse sees it.
    """

    method: str
    path: str
    query: bytes = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    address: str
    user_agent: str
    _header: Callable[[str], list[bytes]] = attrs.field(repr=False)

    @property
    def sender(self) -> Sender:
        """Who sends it; what it says of itself is cut to what a table should keep."""
        return Sender(self.address, self.user_agent[:MAX_USER_AGENT] or None)

    @property
    def is_too_large(self) -> bool:
        """Whether the body is more than any honest request needs (C218)."""
        return len(self.body) > MAX_BODY

    def header(self, name: str) -> str | None:
        """Return a header, `None` if it is absent, repeated or not ASCII."""
        values = self._header(name)
        if len(values) != 1:
            return None
        try:
            return values[0].decode("ascii")
        except UnicodeDecodeError:
            return None

    def listed(self, name: str) -> str | None:
        """Return a header that may be repeated, as one list (RFC 9110 section 5.3)."""
        values = self._header(name)
        return b", ".join(values).decode("ascii", "replace") if values else None

    def raw_headers(self, name: str) -> list[bytes]:
        """Return the values of a header as they came, one for each time it is there."""
        return self._header(name)

    def has_header(self, name: str) -> bool:
        """Say whether the header is there at all."""
        return bool(self._header(name))

    @property
    def content_type(self) -> str:
        """The media type of the body in lower case, without parameters."""
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()


@frozen
class Outgoing:
    """An answer; `headers` may repeat a name."""

    status: int
    body: bytes = attrs.field(default=b"", repr=False)
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)

    def having(self, *headers: tuple[str, str]) -> "Outgoing":
        """Return the same answer with more headers."""
        return Outgoing(self.status, self.body, (*self.headers, *headers))


_UNREADY = Outgoing(
    503,
    b"This server cannot answer now. Try again later.\n",
    (
        ("Content-Type", "text/plain; charset=utf-8"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
        ("Retry-After", "5"),
    ),
)

Handler = Callable[[Incoming], Awaitable[Outgoing]]


class Tree(Resource):
    """The root of all our paths: one leaf answers everything below it.

    It sees a request before Synapse logs it, and takes the query out of the logged URI: codes,
    states, user codes and hints stand there (C338).
    """

    def __init__(self, handler: Handler) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._leaf = _Leaf(handler)

    def getChild(self, path: bytes, request: SynapseRequest) -> Resource:  # noqa: ARG002, N802
        """Answer every path below the root."""
        hide_query(request)
        return self._leaf

    def render(self, request: SynapseRequest) -> int:
        """Answer the root itself, without the trailing slash."""
        hide_query(request)
        return self._leaf.render(request)


class _Leaf(DirectServeJsonResource):
    """Runs the handler inside Synapse's logging and metrics."""

    isLeaf = True  # noqa: N815 (Twisted's name)

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self._handler = handler

    async def _async_render(self, request: SynapseRequest) -> None:
        outgoing = await self._handler(incoming(request))
        if not request._disconnected:  # noqa: SLF001 (as Synapse asks it)
            send(request, outgoing)

    def _send_error_response(self, f: Failure, request: SynapseRequest) -> None:
        # The handler answers every error itself; this is for errors while answering.
        if isinstance(f.value, Broken):
            logger.error("Could not answer %s: %s", request, f.value)
        else:
            logger.error("Could not answer %s: %r", request, f.value, exc_info=f.value)
        if request.startedWriting:
            request.loseConnection()  # type: ignore[no-untyped-call]
        else:
            send(request, _UNREADY)


def hide_query(request: SynapseRequest) -> None:
    """Keep the query to ourselves and leave the bare path for the logs."""
    if not hasattr(request, _QUERY):
        path, _, query = (request.uri or b"").partition(b"?")
        request.uri = path
        setattr(request, _QUERY, query)


def user_agent(request: Any) -> str:
    """Return the browser's name for itself, "" if it has none; NUL can be stored nowhere (C213)."""
    return get_request_user_agent(request).replace("\0", "")


def address(request: Any) -> str:
    """Return the network address as Synapse sees it; what a proxy forwards may be anything (C210)."""
    return printable(request.get_client_ip_if_available())


def address_of_request() -> str | None:
    """Return the network address of the request that this is done for, where it is for one."""
    request = getattr(current_context(), "request", None)
    return None if request is None else printable(request.ip_address)


def signed_in_with_request() -> str | None:
    """Return who is signed in with the request that this is done for, `None` where nobody is."""
    request = getattr(current_context(), "request", None)
    name: str | None = None if request is None else request.requester
    return name


def header(request: Any, name: str) -> str | None:
    """Return a header as text; what is not ASCII is replaced, so that it equals nothing."""
    values = request.requestHeaders.getRawHeaders(name.encode("ascii"))
    return values[-1].decode("ascii", "replace") if values else None


def incoming(request: SynapseRequest) -> Incoming:
    """Return a request as it came."""
    assert request.content is not None, "Twisted sets it before rendering"  # noqa: S101
    return Incoming(
        method=request.get_method(),
        path=(request.uri or b"").decode("ascii", "replace"),
        query=getattr(request, _QUERY, b""),
        body=request.content.read(),
        address=address(request),
        user_agent=user_agent(request),
        header=lambda name: list(request.requestHeaders.getRawHeaders(name.encode()) or ()),
    )


def send(request: Any, outgoing: Outgoing) -> None:
    """Answer a request."""
    request.setResponseCode(outgoing.status)
    for name, value in outgoing.headers:
        if name == "Set-Cookie":
            # Synapse sets cookies of its own this way, and Twisted then drops any other header of them.
            request.cookies.append(value.encode("ascii"))
            continue
        request.responseHeaders.addRawHeader(name.encode("ascii"), value.encode("latin-1"))
    if outgoing.status not in _WITHOUT_LENGTH:
        request.setHeader(b"Content-Length", b"%d" % len(outgoing.body))
    if request.method != b"HEAD":
        request.write(outgoing.body)
    request.finish()
