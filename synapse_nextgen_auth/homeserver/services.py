"""Asking a service of the operator's choice: one request, one answer of a limited size, in time.

It goes the way of Synapse's proxy settings, but past what Synapse logs of each request (at INFO): what
is in the address of one may be of a secret.
"""

import io
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn, ParamSpec, TypeVar
from urllib.parse import urlencode

from synapse.http.client import BodyExceededMaxSize, read_body_with_max_size
from synapse.logging.context import make_deferred_yieldable, run_in_background
from synapse.server import HomeServer
from twisted.web.client import FileBodyProducer
from twisted.web.http_headers import Headers

from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.records import frozen

NEEDS = (
    Needed("synapse.http.client", "read_body_with_max_size", ("response", "stream", "max_size")),
    Needed("synapse.http.client", "BodyExceededMaxSize"),
    *members("synapse.server", "HomeServer", "get_proxied_http_client", "get_reactor"),
)

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_AGENT = "synapse_nextgen_auth"


@frozen
class Unanswered(Exception):
    """The service did not answer, or said something else than expected; `why` names no address."""

    why: str


@frozen
class Answered:
    """What a service said."""

    status: int
    body: bytes


async def ask(
    hs: HomeServer,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    patience: float,
    largest: int,
) -> Answered:
    """GET this address, or POST a form to it; raise `Unanswered` after `patience` seconds.

    No redirect is followed: nobody but the operator says where something is sent.
    """
    try:
        return await within(hs, patience, _ask, hs, url, form, dict(headers or {}), largest)
    except Unanswered:
        raise
    except BodyExceededMaxSize:
        raise Unanswered(f"an answer of more than {largest} bytes") from None
    except Exception as error:  # noqa: BLE001 (whatever is wrong, it is no answer)
        # What went wrong may repeat the address, and with it what nobody is to read.
        raise Unanswered(type(error).__name__) from None


async def within(
    hs: HomeServer,
    patience: float,
    function: Callable[P, Awaitable[T]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Return what a function finds in time; raise `Unanswered` after `patience` seconds."""
    asked = run_in_background(function, *args, **kwargs)

    def too_late(_result: object, _patience: float) -> NoReturn:
        # What became of it says only that it was given up.
        raise Unanswered(f"no answer within {patience:g} seconds")

    asked.addTimeout(patience, hs.get_reactor(), onTimeoutCancel=too_late)
    found: T = await make_deferred_yieldable(asked)
    return found


async def _ask(
    hs: HomeServer,
    url: str,
    form: Mapping[str, str] | None,
    headers: dict[str, str],
    largest: int,
) -> Answered:
    agent: Any = hs.get_proxied_http_client().agent
    body: Any = None
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        written = io.BytesIO(urlencode(form).encode("ascii"))
        body = FileBodyProducer(written)  # type: ignore[no-untyped-call]  # Twisted's
    sent = Headers({name: [value] for name, value in {"User-Agent": _AGENT, **headers}.items()})
    method = b"GET" if form is None else b"POST"
    response = await make_deferred_yieldable(agent.request(method, url.encode("ascii"), sent, body))
    read = io.BytesIO()
    await make_deferred_yieldable(read_body_with_max_size(response, read, largest))
    return Answered(response.code, read.getvalue())
