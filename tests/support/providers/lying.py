"""A provider of our own that asks nobody anything and says what a test tells it to: OpenID and CAS."""

import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4
from xml.sax.saxutils import escape

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from support.http_handlers import OneAnswer
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


def _mapped(**options):
    names = {"localpart_template": "{{ user.sub }}", "display_name_template": "{{ user.name }}"}
    config = {name: each for name, each in {**names, **options}.items() if each is not None}
    return {"user_mapping_provider": {"config": config}}


class Liar:
    """What it says next: of whom (`subject`), with which `claims`.

    `asked` is what it was asked since, `redeemed` is every request at its token endpoint, `adds` is what
    comes with a code. One that `announces_iss` says that it always names itself there (RFC 9207).
    """

    def __init__(self, issuer, *, announces_iss=False):
        self.issuer = issuer
        self.announces_iss = announces_iss
        self.adds = []
        self.subject = ""
        self.claims = {}
        self.sign = signed
        self.asked = []
        self.redeemed = []
        self._requests = {}

    def says(self, subject, *, sign=None, **claims):
        """Let whoever comes be this person, from now on; a claim of `None` is left out.

        `sign` makes an ID token of the claims in another way.
        """
        self.subject, self.claims, self.sign = subject, claims, sign or signed
        self.asked.clear()
        self.redeemed.clear()
        self.adds = []

    def entry(self, idp_id, **options):
        """Return what stands in `oidc_providers`."""
        named = {"idp_id": idp_id, "idp_name": f"The {idp_id}", "scopes": ["openid"]}
        return servers.openid_entry(self.issuer, **{**named, **options})

    def entries(self, *names, prefix):
        """Return some of the ways of `config` under names of their own, beside other providers."""
        every = {each["idp_id"]: each for each in self.config["oidc_providers"]}
        return [{**every[name], "idp_id": prefix + name} for name in names]

    @property
    def config(self):
        """What stands in homeserver.yaml: the same provider, in as many ways as Synapse has."""
        members = [{"attribute": "groups", "value": "matrix"}]
        plain = {"scopes": ["profile"]}
        badges = {"extra_attributes": {"org.example.badge": "{{ user.badge }}"}}
        return {
            "oidc_providers": [
                self.entry("silent"),
                self.entry("trusted"),
                self.entry("picks", **_mapped(localpart_template=None)),
                self.entry("existing", allow_existing_users=True),
                self.entry("members", attribute_requirements=members),
                self.entry("closed", enable_registration=False),
                self.entry(
                    "confirms",
                    **_mapped(localpart_template="{{ user.nick }}", confirm_localpart=True),
                ),
                self.entry("plain", **plain),
                self.entry("plain-trusted", **plain),
                self.entry("picky", user_mapping_provider={"module": "support.mappers.Picky"}),
                self.entry("badges", **_mapped(**badges)),
                self.entry("badges-picks", **_mapped(localpart_template=None, **badges)),
                self.entry(
                    "names",
                    allow_existing_users=True,
                    **_mapped(localpart_template="{{ user.nick }}"),
                ),
                self.entry("mails", **_mapped(email_template="{{ user.email }}")),
                self.entry(
                    "mails-picks",
                    **_mapped(localpart_template=None, email_template="{{ user.email }}"),
                ),
            ],
            "cas_config": {"enabled": True, "server_url": self.issuer},
        }

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
            self._requests[code] = query
            back = [("code", code), ("state", query["state"]), *self.adds]
            return f"{query['redirect_uri']}?{urlencode(back)}"
        if path == "/userinfo":
            return {"sub": self.subject, **self.claims}
        if path == "/login":
            self.asked.append(query)
            mark = "&" if "?" in query["service"] else "?"
            return f"{query['service']}{mark}ticket=ST-{uuid4().hex}"
        return _CAS.format(escape(self.subject)).encode()

    def token(self, form):
        """Answer at the token endpoint: without an ID token where none was asked for."""
        request, now = self._requests.pop(form["code"]), int(time.time())
        self.redeemed.append(form)
        answer = {"access_token": "x", "token_type": "Bearer"}
        if "openid" not in request["scope"].split():
            return answer
        claims = {
            "iss": self.issuer,
            "aud": servers.CLIENT_ID,
            "sub": self.subject,
            "iat": now,
            "exp": now + 300,
            "nonce": request.get("nonce"),
            **self.claims,
        }
        id_token = self.sign({name: each for name, each in claims.items() if each is not None})
        return {**answer, "id_token": id_token}

    def logout_token(self, **claims):
        """Return what tells that a sign-in here is over (Back-Channel Logout section 2.4)."""
        now = int(time.time())
        events = {"http://schemas.openid.net/event/backchannel-logout": {}}
        told = {"iss": self.issuer, "aud": servers.CLIENT_ID, "iat": now, "exp": now + 300}
        return signed({**told, "jti": uuid4().hex, "events": events, **claims})

    def _metadata(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": self.announces_iss,
        }


class _Handler(OneAnswer):
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


class _Server(ThreadingHTTPServer):
    # A Synapse that starts asks for all its providers at once: nobody is turned away.
    request_queue_size = 128


@contextmanager
def lying(**options):
    """Run it; yield the liar, at one address for both kinds."""
    server = _Server(("localhost", 0), _Handler)
    server.liar = Liar(f"http://localhost:{server.server_port}", **options)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.liar
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
