"""Requests as a browser or an application sends them, and what can go wrong on the way."""

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs

from synapse_nextgen_auth.records import frozen

PATIENCE = 20  # seconds
_MOST = 1_000_000  # bytes of an answer
Connect = Callable[[], http.client.HTTPConnection]


@frozen
class Unreachable(Exception):
    """Nobody answered; `what` says why, `fix` what would help."""

    what: str
    fix: str = ""


@frozen
class Answer:
    """What came back; headers by their names in small letters, one that is repeated in a list."""

    status: int
    headers: Mapping[str, tuple[str, ...]]
    body: bytes = attrs.field(repr=False)

    def header(self, name: str) -> str | None:
        """Return the first of these headers."""
        return next(iter(self.headers.get(name.lower(), ())), None)

    @property
    def json(self) -> Any:
        """Return the body as JSON, `None` if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode("utf-8", "replace")


def to_host(url: str, *, trust: str | None = None) -> Connect:
    """Return how to connect to the host of an address; `trust` is a file of certificates."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        return lambda: http.client.HTTPConnection(host, parts.port or 80, timeout=PATIENCE)
    context = ssl.create_default_context(cafile=trust)
    return lambda: http.client.HTTPSConnection(
        host, parts.port or 443, timeout=PATIENCE, context=context
    )


def ask(
    connect: Connect,
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    name: str | None = None,
) -> Answer:
    """Send one request, follow nothing, and return what came; raise `Unreachable`.

    `name` is what the host is called where the connection goes elsewhere.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {"User-Agent": "synapse-nextgen-auth doctor", **(headers or {})}
    if name is not None:
        sent["Host"] = name
    connection = connect()
    try:
        connection.request(method, target, body=body, headers=sent)
        response = connection.getresponse()
        text = response.read(_MOST)
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(error, parts.netloc) from error
    finally:
        connection.close()
    found: dict[str, tuple[str, ...]] = {}
    for key, value in response.getheaders():
        found[key.lower()] = (*found.get(key.lower(), ()), value)
    return Answer(response.status, found, text)


def unreachable(error: Exception, host: str) -> Unreachable:
    """Say in words why a host did not answer."""
    if isinstance(error, socket.gaierror):
        return Unreachable(
            f"the name {host} leads to no address", "Add an A or AAAA record, or correct the name."
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unreachable(
            f"the certificate of {host} is not good: {error.verify_message}", _fix_of(error)
        )
    if isinstance(error, ssl.SSLError):
        return Unreachable(
            f"{host} does not speak TLS as it should: {error.reason or error}",
            "Is this the port of the proxy that has the certificate?",
        )
    if isinstance(error, ConnectionRefusedError):
        return Unreachable(
            f"nothing listens at {host}",
            "Is the server, or the proxy before it, running, and at this address and port?",
        )
    if isinstance(error, TimeoutError):
        return Unreachable(
            f"{host} did not answer within {PATIENCE} seconds", "Does a firewall drop it?"
        )
    return Unreachable(f"{host} does not answer: {error or type(error).__name__}")


def _fix_of(error: ssl.SSLCertVerificationError) -> str:
    told = error.verify_message
    if "expired" in told:
        return "Renew it, and let the proxy load it."
    if "not valid for" in told or "match" in told:
        return "Get one for this name."
    return (
        "Let the proxy send the whole chain (fullchain.pem), from an authority that clients know."
    )
