"""A stand-in for a service that Synapse delegates authentication to: introspection (RFC 7662).

`python -m bench.introspector` prints its port, and ends when it is told to.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

SECRET = "only-the-bench-introspects"


def token_of(localpart: str, device_id: str) -> str:
    """Return a token of which the service says that it is good."""
    return f"mat_{localpart}_{device_id}"


class _Introspection(BaseHTTPRequestHandler):
    """The endpoint: what stands in a token is true."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        known = self.headers["Authorization"] == f"Bearer {SECRET}"
        self._answer(_introspected(form["token"][0]) if known else {"active": False})

    def _answer(self, said: dict[str, object]) -> None:
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no tokens anywhere."""


def _introspected(token: str) -> dict[str, object]:
    kind, _, rest = token.partition("_")
    localpart, _, device = rest.rpartition("_")
    return {
        "active": kind == "mat",
        "scope": f"urn:matrix:client:api:* urn:matrix:client:device:{device}",
        "username": localpart,
        "sub": localpart,
        "expires_in": 3600,
    }


def main() -> None:
    """Be the service until somebody ends it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Introspection)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
