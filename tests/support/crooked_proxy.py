"""A proxy with TLS in front of a homeserver, that does one thing wrong when a test says so."""

import http.client
import json
import ssl
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path

import attrs
from typing_extensions import Self

from support.http_handlers import OneAnswer
from support.nginx import write_certificate
from support.ports import free_port

Headers = list[tuple[str, str]]
WELL_KNOWN = "/.well-known/matrix/client"
_OF_ONE_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@attrs.define
class Request:
    """What a client sent, for a fault to change."""

    method: str
    path: str
    headers: Headers
    body: bytes


@attrs.define
class Response:
    """What the client gets, for a fault to change."""

    status: int
    headers: Headers
    body: bytes

    def drop(self, name: str) -> None:
        """Leave a header out."""
        self.headers = [each for each in self.headers if each[0].lower() != name.lower()]

    def set(self, name: str, value: str) -> None:
        """Send this in the place of what was there."""
        self.drop(name)
        self.headers.append((name, value))


@attrs.define
class CrookedProxy:
    """Listens at `url`; `before` and `after` are the faults of the moment."""

    directory: Path
    addresses: tuple[str, ...]
    backend: int = 0
    before: Callable[[Request], Response | None] | None = None
    after: Callable[[Request, Response], None] | None = None
    overwrites: bool = True  # X-Forwarded-For, as the documentation says
    well_known: Response | None = None
    port: int = attrs.field(init=False)
    _servers: list[ThreadingHTTPServer] = attrs.field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.port = free_port(self.addresses)
        self.heal()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def certificate(self) -> Path:
        return self.directory / "certificate.pem"

    def heal(self) -> None:
        """Do nothing wrong."""
        self.before = self.after = None
        self.overwrites = True
        document = {"m.homeserver": {"base_url": self.url}}
        headers = [("Content-Type", "application/json"), ("Access-Control-Allow-Origin", "*")]
        self.well_known = Response(200, headers, json.dumps(document).encode())

    def __enter__(self) -> Self:
        key = self.directory / "key.pem"
        write_certificate(self.certificate, key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, key)
        for address in self.addresses:
            server = _server(self, address)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self._servers.append(server)
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers.clear()

    def answer(self, request: Request, address: str) -> Response:
        """Return what the client gets."""
        if request.path == WELL_KNOWN and self.well_known is not None:
            return self.well_known
        if self.overwrites:
            request.headers = [
                each for each in request.headers if each[0].lower() != "x-forwarded-for"
            ]
            request.headers.append(("X-Forwarded-For", address))
        early = self.before(request) if self.before else None
        response = early or self._pass_on(request)
        if self.after:
            self.after(request, response)
        return response

    def _pass_on(self, request: Request) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self.backend, timeout=60)
        headers = {name: value for name, value in request.headers if name.lower() != "connection"}
        connection.request(request.method, request.path, request.body or None, headers)
        got = connection.getresponse()
        body = got.read()
        connection.close()
        kept = [each for each in got.getheaders() if each[0].lower() not in _OF_ONE_HOP]
        return Response(got.status, kept, body)


def _server(proxy: CrookedProxy, address: str) -> ThreadingHTTPServer:
    class Handler(OneAnswer):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(
                self.command, self.path, list(self.headers.items()), self.rfile.read(length)
            )
            response = proxy.answer(request, self.client_address[0])
            self.send_response_only(response.status)
            for name, value in response.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_POST = do_OPTIONS = do_DELETE = do_PUT = _do  # noqa: N815 (the library's)

    class Server(ThreadingHTTPServer):
        address_family = 10 if ":" in address else 2
        daemon_threads = True

    return Server((address, proxy.port), Handler)
