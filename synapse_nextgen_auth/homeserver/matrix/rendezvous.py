"""Sign-in by QR code: the Matrix endpoints of the rendezvous, on every process (MSC4108, MSC4388).

Synapse has its own, but refuses its options without another service and keeps the spots in memory of
one process; ours are in the database, so that both devices may reach different workers.
"""

from email.utils import formatdate
from typing import Any

from synapse.api.errors import Codes, LimitExceededError, NotFoundError, SynapseError
from synapse.http.server import HttpServer, respond_with_json
from synapse.http.servlet import RestServlet, parse_json_object_from_request
from synapse.rest.client._base import client_patterns
from synapse.rest.client.versions import VersionsRestServlet
from synapse.server import HomeServer

from synapse_nextgen_auth.flows.rendezvous import Write, has_room, write
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.database.outage import answered_503
from synapse_nextgen_auth.homeserver.http import address, header
from synapse_nextgen_auth.homeserver.limits import Limiter
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.oauth.rendezvous import (
    LIFETIME,
    MAX_DATA,
    Kind,
    Rendezvous,
    is_id,
    refuse_fetch,
)
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.store import rendezvous

NEEDS = (
    Needed("synapse.rest.client._base", "client_patterns", ("releases", "unstable")),
    Needed("synapse.rest.client.versions", "VersionsRestServlet.on_GET", ("request",)),
)

# Where the spots of MSC4108 are: Synapse answers preflights below this path with the right headers.
PATH = "/_synapse/client/rendezvous"
FLAGS = {"org.matrix.msc4108": True, "io.element.msc4388": True}
_COUNTED_EVERY = 2  # seconds
_METADATA = ("Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-User", "Sec-Fetch-Site")


@frozen
class RendezvousHandler:
    """Makes rendezvous, within limits; one of MSC4108 lives as long as a device grant."""

    homeserver: Homeserver
    limiter: Limiter
    lifetime: int
    room: "Room"

    async def create(self, kind: Kind, data: str, *, address: str) -> Rendezvous:
        """Make a rendezvous; raise a Matrix error when there is too much of anything."""
        refuse_size(data)
        now = self.homeserver.now()
        until = now + (self.lifetime if kind is Kind.ETAG else LIFETIME)
        made = Rendezvous(random_id(), kind, data, random_id(), now, now, until)
        with answered_503(self.homeserver):
            wait = await self.limiter.count(address)
            if wait is not None:
                raise LimitExceededError("rendezvous", retry_after_ms=wait * 1000)
            if not await self.room.is_left():
                self.limiter.refused("all networks together")
                raise LimitExceededError("rendezvous", retry_after_ms=LIFETIME * 1000)
            await self.homeserver.run(rendezvous.add, made)
        return made


class Room:
    """Knows whether one more rendezvous may live.

    Counting 50,000 takes longer than making one. So each process counts at most once in a few seconds,
    and what is made meanwhile may be too many: little, beside what they all are.
    """

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver
        self._counted_at: int | None = None
        self._is_left = True

    async def is_left(self) -> bool:
        """Say so by the last count, or by a new one if that is old."""
        now, then = self._homeserver.now(), self._counted_at
        if then is None or not then <= now < then + _COUNTED_EVERY:
            # Whoever comes meanwhile goes by the count before.
            self._counted_at = now
            self._is_left = await self._homeserver.read(has_room, now=now)
        return self._is_left


def refuse_size(data: str) -> None:
    """Raise for data that is too large, or cannot be stored."""
    if len(data.encode("utf-8", "surrogatepass")) > MAX_DATA:
        raise SynapseError(413, f"The data is larger than {MAX_DATA} bytes", Codes.TOO_LARGE)
    if "\0" in data or any("\ud800" <= letter <= "\udfff" for letter in data):
        raise SynapseError(400, "The data is not text", Codes.INVALID_PARAM)


def headers(rendezvous: Rendezvous) -> tuple[tuple[str, str], ...]:
    """Return what every answer about a rendezvous of MSC4108 carries."""
    return (
        ("ETag", rendezvous.etag),
        ("Expires", formatdate(rendezvous.expires_at, usegmt=True)),
        ("Last-Modified", formatdate(rendezvous.modified_at, usegmt=True)),
        ("Cache-Control", "no-store, no-transform"),
        ("Pragma", "no-cache"),
        ("X-Content-Type-Options", "nosniff"),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Expose-Headers", "ETag, Expires, Last-Modified"),
    )


class CreateWithEtag(RestServlet):
    """Make a rendezvous of MSC4108, in its form of 2024."""

    PATTERNS = client_patterns("/org.matrix.msc4108/rendezvous$", releases=(), unstable=True)

    def __init__(self, place: RendezvousHandler) -> None:
        super().__init__()
        self._place = place

    async def on_POST(self, request: Any) -> None:  # noqa: N802 (Synapse's name)
        """Keep the body and tell where it is."""
        made = await self._place.create(Kind.ETAG, read_text(request), address=address(request))
        url = f"{self._place.homeserver.public_baseurl}{PATH[1:]}/{made.rendezvous_id}"
        for name, value in headers(made):
            request.setHeader(name.encode(), value.encode())
        respond_with_json(request, 201, {"url": url}, send_cors=False)


def read_text(request: Any) -> str:
    """Return the body of a `text/plain` request."""
    content_type = (header(request, "Content-Type") or "").partition(";")[0].strip().lower()
    if content_type != "text/plain":
        raise SynapseError(400, "The content type must be text/plain", Codes.INVALID_PARAM)
    raw = request.content.read(MAX_DATA + 1)
    if len(raw) > MAX_DATA:
        raise SynapseError(413, f"The data is larger than {MAX_DATA} bytes", Codes.TOO_LARGE)
    try:
        return str(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise SynapseError(400, "The data is not text", Codes.INVALID_PARAM) from None


class CreateWithSequence(RestServlet):
    """Make a rendezvous of MSC4388."""

    PATTERNS = client_patterns("/io.element.msc4388/rendezvous$", releases=(), unstable=True)

    def __init__(self, place: RendezvousHandler) -> None:
        super().__init__()
        self._place = place

    async def on_GET(self, _request: Any) -> tuple[int, dict[str, Any]]:  # noqa: N802
        """Say that anybody may make one: a new device is not signed in yet."""
        return 200, {"create_available": True}

    async def on_POST(self, request: Any) -> tuple[int, dict[str, Any]]:  # noqa: N802
        """Keep the data and tell its id."""
        body = parse_json_object_from_request(request)
        made = await self._place.create(
            Kind.SEQUENCE, _text(body, "data"), address=address(request)
        )
        return 200, {
            "id": made.rendezvous_id,
            "sequence_token": made.sequence,
            "expires_in_ms": LIFETIME * 1000,
        }


class MeetWithSequence(RestServlet):
    """Read, overwrite and leave a rendezvous of MSC4388."""

    PATTERNS = client_patterns(
        "/io.element.msc4388/rendezvous/(?P<rendezvous_id>[^/]+)$", releases=(), unstable=True
    )

    def __init__(self, homeserver: Homeserver) -> None:
        super().__init__()
        self._homeserver = homeserver

    async def on_GET(  # noqa: N802
        self, request: Any, rendezvous_id: str
    ) -> tuple[int, dict[str, Any]]:
        """Return the data, to scripts only."""
        reason = refuse_fetch({name.lower(): header(request, name) for name in _METADATA})
        if reason is not None:
            raise SynapseError(403, reason, Codes.FORBIDDEN)
        _refuse_foreign(rendezvous_id)
        now = self._homeserver.now()
        with answered_503(self._homeserver):
            found = await self._homeserver.read(
                rendezvous.get, rendezvous_id, kind=Kind.SEQUENCE, now=now
            )
        if found is None:
            raise NotFoundError("There is no such rendezvous")
        return 200, {
            "data": found.data,
            "sequence_token": found.sequence,
            "expires_in_ms": (found.expires_at - now) * 1000,
        }

    async def on_PUT(  # noqa: N802
        self, request: Any, rendezvous_id: str
    ) -> tuple[int, dict[str, Any]]:
        """Overwrite the data that the device saw."""
        _refuse_foreign(rendezvous_id)
        body = parse_json_object_from_request(request)
        data = _text(body, "data")
        refuse_size(data)
        wanted = Write(
            rendezvous_id, Kind.SEQUENCE, (_text(body, "sequence_token"),), data, random_id()
        )
        with answered_503(self._homeserver):
            written = await self._homeserver.run(write, wanted, now=self._homeserver.now())
        if written is None:
            raise NotFoundError("There is no such rendezvous")
        if written.is_conflict:
            raise SynapseError(
                409, "Somebody else wrote there", "IO_ELEMENT_MSC4388_CONCURRENT_WRITE"
            )
        return 200, {"sequence_token": written.rendezvous.sequence}

    async def on_DELETE(  # noqa: N802
        self, _request: Any, rendezvous_id: str
    ) -> tuple[int, dict[str, Any]]:
        """Leave."""
        _refuse_foreign(rendezvous_id)
        with answered_503(self._homeserver):
            left = await self._homeserver.run(
                rendezvous.remove, rendezvous_id, kind=Kind.SEQUENCE, now=self._homeserver.now()
            )
        if not left:
            raise NotFoundError("There is no such rendezvous")
        return 200, {}


class Versions(VersionsRestServlet):
    """`/versions`, with the flags that clients look for before they offer a QR code."""

    async def on_GET(self, request: Any) -> tuple[int, dict[str, Any]]:  # noqa: N802
        """Add our flags to Synapse's answer."""
        code, body = await super().on_GET(request)
        features = {**body.get("unstable_features", {}), **FLAGS}
        return code, {**body, "unstable_features": features}


def register(hs: HomeServer, http_server: HttpServer, place: RendezvousHandler) -> None:
    """Serve the rendezvous on a listener."""
    Versions(hs).register(http_server)
    CreateWithEtag(place).register(http_server)
    CreateWithSequence(place).register(http_server)
    MeetWithSequence(place.homeserver).register(http_server)


def _refuse_foreign(rendezvous_id: str) -> None:
    """Look up nothing that is no id of ours: a path may hold anything (C213)."""
    if not is_id(rendezvous_id):
        raise NotFoundError("There is no such rendezvous")


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise SynapseError(400, f"{name} must be a string", Codes.INVALID_PARAM)
    return value
