"""Providers, OpenID and CAS, that send people back at once and fail whoever asks who that was."""

import json
import threading
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

from support.http_handlers import OneAnswer
from support.providers import servers


class Failing:
    """One that fails as `how` says: `drops`, `hangs`, `is down`, or answers with these bytes."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.how = b""
        self.has_metadata = True
        self.go_on = threading.Event()

    @property
    def config(self):
        """What stands in homeserver.yaml of both."""
        entry = servers.openid_entry(self.issuer, idp_id="fails", idp_name="The Fails")
        cas = {"enabled": True, "server_url": self.issuer}
        return {"oidc_providers": [entry], "cas_config": cas}

    def metadata(self):
        """Return what it says of itself."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }


class _Handler(OneAnswer):
    def do_GET(self):
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        failing = self.server.failing
        if url.path == "/.well-known/openid-configuration":
            if failing.has_metadata:
                self._answer(200, json.dumps(failing.metadata()).encode())
            else:
                self._answer(503, b"down")
        elif url.path == "/jwks":
            # Old Synapse reads the keys while it starts, and does not start without.
            self._answer(200, b'{"keys": []}')
        elif url.path == "/auth":
            back = {"code": "code", "state": query["state"]}
            self._answer(302, location=f"{query['redirect_uri']}?{urlencode(back)}")
        elif url.path == "/login":
            self._answer(302, location=f"{query['service']}&ticket=ST-1")
        else:
            self._fail()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._fail()

    def _fail(self):
        failing = self.server.failing
        if failing.how == "drops":
            self.connection.close()
        elif failing.how == "hangs":
            failing.go_on.wait(60)
        elif failing.how == "is down":
            self._answer(503, b"<html>")
        else:
            self._answer(200, failing.how)

    def _answer(self, status, body=b"", *, location=None):
        self.send_response(status)
        if location is not None:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def failing():
    """Run it, both kinds at one address."""
    server = ThreadingHTTPServer(("localhost", 0), _Handler)
    server.daemon_threads = True
    found = server.failing = Failing(f"http://localhost:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        found.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
