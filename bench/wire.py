"""A client that costs as little as possible: prepared bytes on a connection that stays open."""

import asyncio
import json
import socket
import ssl
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode

NONE: Mapping[str, str] = MappingProxyType({})
WHOAMI = "/_matrix/client/v3/account/whoami"
REFRESH = "/_matrix/client/v3/refresh"
TOKEN = "/_synapse/client/auth/token"


class Unexpected(RuntimeError):
    """An answer has another status than the one that was wanted."""


class Line:
    """One open connection to a homeserver, to one on this machine unless a host is named."""

    def __init__(self, port: int, host: str = "127.0.0.1", *, is_tls: bool = False) -> None:
        self._socket = socket.create_connection((host, port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if is_tls:
            context = ssl.create_default_context()
            self._socket = context.wrap_socket(self._socket, server_hostname=host)

    def ask(self, request: bytes, *, expected: int = 200) -> bytes:
        """Send a request and return the body of the answer, which must have this status."""
        return self.answer(request, expected=expected)[1]

    def answer(self, request: bytes, *, expected: int = 200) -> tuple[bytes, bytes]:
        """Send a request and return head and body of the answer, which must have this status."""
        self._socket.sendall(request)
        received = self._more(b"")
        while b"\r\n\r\n" not in received:
            received = self._more(received)
        head, _, body = received.partition(b"\r\n\r\n")
        body = self._rest(head, body)
        if not head.startswith(b"HTTP/1.1 %d" % expected):
            asked = request.partition(b"\r\n")[0].decode()  # what follows has tokens
            raise Unexpected(f"{asked} was answered with {_in_short(head, body)}")
        return head, body

    def _rest(self, head: bytes, body: bytes) -> bytes:
        """Return the whole body of which this much has come."""
        if b"chunked" in head:
            while not body.endswith(b"0\r\n\r\n"):
                body = self._more(body)
            return _joined(body)
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        while len(body) < length:
            body = self._more(body)
        return body

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "Line":  # noqa: PYI034 (typing.Self is newer than Python 3.10)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _more(self, received: bytes) -> bytes:
        part = self._socket.recv(65536)
        if not part:
            raise ConnectionError("the homeserver hung up")
        return received + part


def _in_short(head: bytes, body: bytes) -> str:
    """Return the status of an answer, and what it says in JSON of why."""
    status = head.partition(b"\r\n")[0].partition(b" ")[2].decode("latin-1")
    try:
        said = json.loads(body)
    except ValueError:
        return status
    if not isinstance(said, dict):
        return status
    known = [said[key] for key in ("errcode", "error", "error_description") if key in said]
    return f"{status} ({', '.join(map(str, known))[:200]})" if known else status


class Stream:
    """The same for many at once: answers come with their status, whatever it is."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and return status and body; open the connection if there is none."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head[9:12])
        if b"chunked" in head:
            return status, _joined(await reader.readuntil(b"0\r\n\r\n"))
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        return status, await reader.readexactly(length)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def whoami(access_token: str, *, host: str = "localhost") -> bytes:
    return _request("GET", WHOAMI, token=access_token, host=host)


def refresh_stock(refresh_token: str, *, host: str = "localhost") -> bytes:
    body = json.dumps({"refresh_token": refresh_token}).encode()
    return _request("POST", REFRESH, body, "application/json", host=host)


def refresh_ours(
    refresh_token: str, client_id: str, *, path: str = TOKEN, host: str = "localhost"
) -> bytes:
    """Return what any client of OAuth sends (RFC 6749 section 6)."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": client_id,
    }
    return _form(path, form, host=host)


def poll(device_code: str, client_id: str) -> bytes:
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": device_code,
        "client_id": client_id,
    }
    return _form(TOKEN, form)


def get(path: str) -> bytes:
    return _request("GET", path)


def post(path: str, body: object) -> bytes:
    """Return what a client sends as JSON."""
    return _request("POST", path, json.dumps(body).encode(), "application/json")


def form_of_ours(path: str, form: dict[str, str], *, cookie: str) -> bytes:
    """Return what a browser sends for one of our pages."""
    return _form(path, form, {"Cookie": cookie})


def _form(
    path: str,
    form: dict[str, str],
    headers: Mapping[str, str] = NONE,
    host: str = "localhost",
) -> bytes:
    body = urlencode(form).encode()
    kind = "application/x-www-form-urlencoded"
    return _request("POST", path, body, kind, headers=headers, host=host)


def _request(  # noqa: PLR0913 (all that a request has)
    method: str,
    path: str,
    body: bytes = b"",
    content_type: str = "",
    *,
    token: str = "",
    headers: Mapping[str, str] = NONE,
    host: str = "localhost",
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _joined(chunked: bytes) -> bytes:
    """Return what the chunks carry (RFC 9112 section 7.1)."""
    body = b""
    while True:
        size, _, chunked = chunked.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return body
        body, chunked = body + chunked[:length], chunked[length + 2 :]
