"""A captcha's service as its `siteverify` behaves: it knows an answer once, and where it is from."""

import json
import threading
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qs

import attrs
from typing_extensions import Self

from support.http_handlers import OneAnswer

SECRET = "ES_0000000000000000000000000000000000000001"


@attrs.define
class Siteverify:
    """Listens on loopback; `answers` are those that people got from the widget, by their host."""

    answers: dict[str, str] = attrs.field(factory=dict)
    asked: list[dict[str, str]] = attrs.field(factory=list)
    says: bytes | None = None  # instead of what it would say
    status: int = 200
    hangs: threading.Event = attrs.field(factory=threading.Event)
    _server: ThreadingHTTPServer = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.hangs.set()

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hangs.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/siteverify"

    def solved(self, response: str, host: str) -> str:
        """Let somebody have solved it on a page of this host."""
        self.answers[response] = host
        return response

    def verify(self, form: dict[str, str]) -> dict[str, object]:
        """Say what the services say, in the words that they share."""
        if form.get("secret") != SECRET:
            return {"success": False, "error-codes": ["invalid-input-secret"]}
        host = self.answers.pop(form.get("response", ""), None)
        if host is None:
            return {"success": False, "error-codes": ["timeout-or-duplicate"]}
        return {"success": True, "hostname": host, "challenge_ts": "2026-11-27T00:00:00Z"}

    def _handler(self):
        service = self

        class Handler(OneAnswer):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                service.asked.append(form)
                service.hangs.wait(60)
                said = service.says or json.dumps(service.verify(form)).encode()
                self.send_response(service.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

        return Handler
