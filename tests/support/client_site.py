"""The web site of a client, where browsers end up: it remembers what they asked it for."""

import ipaddress
import ssl
import threading
from datetime import datetime, timedelta, timezone
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typing_extensions import Self

from support.http_handlers import OneAnswer

HTML = "text/html; charset=utf-8"
WELCOME = (
    200,
    {"Content-Type": HTML},
    b"<!doctype html><title>Client</title><h1>Welcome back</h1>",
)


@attrs.frozen
class Visit:
    """One request of a browser."""

    method: str
    path: str
    query: str
    body: str
    headers: dict[str, str]

    @property
    def parameters(self):
        """Return what came in the query, or in the form that was posted."""
        return dict(parse_qsl(self.body or self.query, keep_blank_values=True))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Say nothing: browsers open connections that they never use."""


@attrs.define
class ClientSite:
    """Listens on loopback until the end of its `with` block; `pages` are answers by path."""

    tls: ssl.SSLContext | None = None
    host: str = "localhost"
    pages: dict[str, tuple[int, dict[str, str], bytes]] = attrs.field(factory=dict)
    visits: list[Visit] = attrs.field(factory=list)
    _server: _Server = attrs.field(init=False)

    def __enter__(self) -> Self:
        address = "::1" if self.host == "[::1]" else "127.0.0.1"
        kind = type("_Server", (_Server,), {"address_family": 10 if ":" in address else 2})
        self._server = kind((address, 0), _handler(self))
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return self._server.server_port

    def url(self, path: str = "/") -> str:
        """Return the address of one of its pages."""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{self.host}:{self.port}{path}"

    def page(self, path: str, html: str, **headers: str) -> str:
        """Put up a page and return its address."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = (200, {"Content-Type": HTML, **told}, html.encode())
        return self.url(path)

    def redirect(self, path: str, location: str) -> str:
        """Send whoever comes here on to another place."""
        self.pages[path] = (302, {"Location": location}, b"")
        return self.url(path)

    def visits_of(self, path: str) -> list[Visit]:
        """Return who came to a path."""
        return [visit for visit in self.visits if visit.path == path]


def _handler(site: ClientSite) -> type[OneAnswer]:
    class Handler(OneAnswer):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            visit = Visit(self.command, parts.path, parts.query, body, dict(self.headers))
            site.visits.append(visit)
            status, headers, content = site.pages.get(parts.path, WELCOME)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

    return Handler


def self_signed(directory: Path, *hosts: str) -> ssl.SSLContext:
    """Return the TLS side of a server whose certificate nobody but a test accepts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a client of the tests")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([*map(_general_name, hosts)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = directory / "tls.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
