"""A provider of our own that asks nobody anything and says what a test tells it to: OpenID and CAS."""

import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4
from xml.sax.saxutils import escape

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from support.providers import servers

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_CAS = (
    "<cas:serviceResponse xmlns:cas='http://www.yale.edu/tp/cas'><cas:authenticationSuccess>"
    "<cas:user>{}</cas:user></cas:authenticationSuccess></cas:serviceResponse>"
)


def signed(claims, key=_KEY, *, kid="1", **headers):
    """Return an ID token as an honest provider makes it."""
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid, **headers})


def unsigned(claims):
    """Return one that says that nobody signed it."""
    return jwt.encode(claims, None, algorithm="none")


def signed_with_the_public_key(claims):
    """Return one whose HMAC everybody can make (CVE-2022-29217)."""
    public = _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = [json.dumps({"alg": "HS256", "kid": "1"}), json.dumps(claims)]
    text = b".".join(urlsafe_b64encode(part.encode()).rstrip(b"=") for part in parts)
    mac = hmac.digest(public, text, "sha256")
    return (text + b"." + urlsafe_b64encode(mac).rstrip(b"=")).decode()


def signed_by_somebody_else(claims):
    return signed(claims, rsa.generate_private_key(public_exponent=65537, key_size=2048))


def changed_afterwards(claims):
    head, body, mac = signed({**claims, "sub": "nobody"}).split(".")
    said = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    assert said != body
    return f"{head}.{said}.{mac}"


class Liar:
    """What it says next: of whom (`subject`), with which `claims`; and what it was `asked`."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.subject = ""
        self.claims = {}
        self.sign = signed
        self.asked = []
        self._nonces = {}

    def says(self, subject, *, sign=None, **claims):
        """Let whoever comes be this person, from now on; a claim of `None` is left out.

        `sign` makes an ID token of the claims in another way.
        """
        self.subject, self.claims, self.sign = subject, claims, sign or signed
        self.asked.clear()

    def entry(self, idp_id, **options):
        """Return what stands in `oidc_providers`."""
        return servers.openid_entry(
            self.issuer, idp_id=idp_id, idp_name=f"The {idp_id}", scopes=["openid"], **options
        )

    def get(self, path, query):
        """Answer a GET: where to go on, or a document."""
        if path == "/.well-known/openid-configuration":
            return self._metadata()
        if path == "/jwks":
            key = RSAAlgorithm.to_jwk(_KEY.public_key(), as_dict=True)
            return {"keys": [{**key, "kid": "1", "use": "sig", "alg": "RS256"}]}
        if path == "/auth":
            self.asked.append(query)
            code = uuid4().hex
            self._nonces[code] = query.get("nonce")
            return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
        if path == "/login":
            self.asked.append(query)
            mark = "&" if "?" in query["service"] else "?"
            return f"{query['service']}{mark}ticket=ST-{uuid4().hex}"
        return _CAS.format(escape(self.subject)).encode()

    def token(self, form):
        """Answer at the token endpoint."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": servers.CLIENT_ID,
            "sub": self.subject,
            "iat": now,
            "exp": now + 300,
            "nonce": self._nonces.pop(form["code"]),
            **self.claims,
        }
        id_token = self.sign({name: each for name, each in claims.items() if each is not None})
        return {"access_token": "x", "token_type": "Bearer", "id_token": id_token}

    def _metadata(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        self._answer(self.server.liar.get(url.path, dict(parse_qsl(url.query))))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self.server.liar.token(dict(parse_qsl(body.decode()))))

    def _answer(self, found):
        body = b""
        if isinstance(found, str):
            self.send_response(302)
            self.send_header("Location", found)
        else:
            self.send_response(200)
            is_xml = isinstance(found, bytes)
            self.send_header("Content-Type", "text/xml" if is_xml else "application/json")
            body = found if is_xml else json.dumps(found).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def lying():
    """Run it; yield the liar, at one address for both kinds."""
    server = ThreadingHTTPServer(("localhost", 0), _Handler)
    server.liar = Liar(f"http://localhost:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.liar
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
