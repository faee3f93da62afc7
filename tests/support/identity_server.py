"""An identity server as its API has it: it knows who got which code, and forgets whom it is told to."""

import contextlib
import json
import re
import secrets
import ssl
import threading
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import attrs
from typing_extensions import Self

from support.http_handlers import OneAnswer

_ROOT = "/_matrix/identity/api/v1"
# What it does comes before, in the path: a status, or `silent`.
_UNBIND = re.compile(r"/(\w+)/_matrix/identity/v2/3pid/unbind")


@attrs.define
class Sent:
    """One validation session: the message that went to a number."""

    number: str
    country: str
    client_secret: str
    code: str
    is_validated: bool = False


@attrs.define
class IdentityServer:
    """Listens on loopback; `sent` are the messages, by the session's id.

    With a certificate it speaks TLS, and is several: `at("200")` forgets whom it is told to, `at("500")`
    fails, `at("silent")` never answers; `unbound` are the addresses, with where it was told.
    """

    tls: ssl.SSLContext | None = None
    sent: dict[str, Sent] = attrs.field(factory=dict)
    status: int | None = None  # instead of what it would say
    tries: int = 0
    unbound: list[tuple[str, str]] = attrs.field(factory=list)
    _closing: threading.Event = attrs.field(factory=threading.Event)
    _server: ThreadingHTTPServer = attrs.field(init=False)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def at(self, does: str) -> str:
        """Return the name, as Matrix has it, of the one that does this."""
        return f"localhost:{self._server.server_port}/{does}"

    @property
    def last(self) -> Sent:
        """Return the newest message."""
        return list(self.sent.values())[-1]

    def answer(self, path, given):
        if unbind := _UNBIND.fullmatch(path):
            return self._unbind(unbind[1], given)
        if self.status is not None:
            return self.status, {"errcode": "M_UNKNOWN", "error": "it fails"}
        return {
            f"{_ROOT}/validate/msisdn/requestToken": self._request,
            f"{_ROOT}/validate/msisdn/submitToken": self._submit,
            f"{_ROOT}/3pid/getValidated3pid": self._validated,
        }[path](given)

    def _unbind(self, does, given):
        self.unbound.append((given["threepid"]["address"], does))
        if does == "silent":
            self._closing.wait()
        status = int(does) if does.isdecimal() else 500
        return status, {} if status == 200 else {"errcode": "M_UNKNOWN", "error": "it fails"}

    def _request(self, given):
        if given["phone_number"].endswith("99"):
            return 400, {"errcode": "M_INVALID_ADDRESS", "error": "no such number"}
        sid, code = secrets.token_hex(8), f"{secrets.randbelow(10**6):06}"
        self.sent[sid] = Sent(given["phone_number"], given["country"], given["client_secret"], code)
        return 200, {"sid": sid}

    def _submit(self, given):
        self.tries += 1
        sent = self.sent.get(given["sid"])
        if sent is None or sent.client_secret != given["client_secret"]:
            return 404, {"errcode": "M_NO_VALID_SESSION", "error": "no such session"}
        if sent.code != given["token"]:
            return 200, {"success": False}
        sent.is_validated = True
        return 200, {"success": True}

    def _validated(self, given):
        sent = self.sent.get(given["sid"])
        if sent is None or sent.client_secret != given["client_secret"]:
            return 404, {"errcode": "M_NO_VALID_SESSION", "error": "no such session"}
        if not sent.is_validated:
            return 400, {"errcode": "M_SESSION_NOT_VALIDATED", "error": "not validated"}
        address = sent.number.removeprefix("+")
        return 200, {"medium": "msisdn", "address": address, "validated_at": 1_700_000_000_000}


def _handler(server):
    class Handler(OneAnswer):
        def do_GET(self):
            parts = urlsplit(self.path)
            given = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._say(*server.answer(parts.path, given))

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._say(*server.answer(self.path, json.loads(body)))

        def handle(self):
            # Whoever asks a silent one goes away without a word.
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                super().handle()

        def _say(self, status, said):
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
