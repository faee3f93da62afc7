"""An OAuth client and a browser for tests, in the words of the protocol and over plain HTTP."""

import base64
import hashlib
import html
import json
import re
import secrets
from urllib.parse import parse_qsl, urljoin, urlsplit

import attrs
import requests

API = "urn:matrix:client:api:*"
DEVICE = "urn:matrix:client:device:"
ADMIN = "urn:synapse:admin:*"
ISSUER_PATH = "/_synapse/client/auth/"


def pkce():
    """Return a verifier and its S256 challenge."""
    verifier = secrets.token_urlsafe(48)
    hashed = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def device_id():
    """Return a fresh device id."""
    return "TESTDEVICE" + secrets.token_hex(4).upper()


def web_client(**changes):
    """Return the metadata of a public web client."""
    metadata = {
        "client_name": "Test client",
        "client_uri": "https://client.example.com/",
        "redirect_uris": ["https://client.example.com/callback"],
        "token_endpoint_auth_method": "none",
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"],
        "application_type": "web",
    }
    return {name: value for name, value in (metadata | changes).items() if value is not None}


@attrs.define
class Server:
    """The endpoints of one authorization server."""

    base_url: str

    @property
    def issuer(self):
        return self.base_url.rstrip("/") + ISSUER_PATH

    def url(self, path):
        return self.issuer + path

    def metadata(self):
        answer = requests.get(f"{self.base_url}/_matrix/client/v1/auth_metadata", timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def register(self, metadata=None):
        """Register a client and return the whole answer."""
        return requests.post(
            self.url("clients/register"), json=metadata or web_client(), timeout=30
        )

    def client(self, metadata=None):
        """Register a client and return it as an object that makes requests."""
        answer = self.register(metadata)
        assert answer.status_code == 201, answer.text
        return Client(self, answer.json())

    def token(self, **form):
        return self.post("token", form)

    def revoke(self, **form):
        return self.post("revoke", form)

    def post(self, path, form, **options):
        given = {name: value for name, value in form.items() if value is not None}
        return requests.post(self.url(path), data=given, timeout=30, **options)

    def whoami(self, access_token):
        return self.api("GET", "/_matrix/client/v3/account/whoami", access_token)

    def api(self, method, path, access_token, **options):
        headers = {"Authorization": f"Bearer {access_token}"}
        return requests.request(
            method, self.base_url.rstrip("/") + path, headers=headers, timeout=30, **options
        )


@attrs.define
class Client:
    """A registered client."""

    server: Server
    registered: dict

    @property
    def id(self):
        return self.registered["client_id"]

    @property
    def redirect_uri(self):
        return self.registered["redirect_uris"][0]

    def request(self, **changes):
        """Begin an authorization: the parameters to send, and the verifier to keep."""
        verifier, challenge = pkce()
        parameters = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "scope": f"{API} {DEVICE}{device_id()}",
            "state": secrets.token_urlsafe(8),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        } | changes
        return {k: v for k, v in parameters.items() if v is not None}, verifier

    def redeem(self, code, verifier, **changes):
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": self.id,
            "code_verifier": verifier,
        }
        return self.server.token(**(form | changes))

    def refresh(self, refresh_token, **changes):
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": self.id,
        }
        return self.server.token(**(form | changes))

    def sign_in(self, user, password, *, browser=None, **changes):
        """Go through the whole flow and return the token answer as a dict."""
        parameters, verifier = self.request(**changes)
        browser = browser or Browser(self.server)
        code = browser.let_in(parameters, user, password)["code"]
        answer = self.redeem(code, verifier, redirect_uri=parameters["redirect_uri"])
        assert answer.status_code == 200, answer.text
        return answer.json()


class BehindTls(requests.Session):
    """Sends `Secure` cookies too, as if a proxy in front of the server spoke TLS."""

    def send(self, request, **options):
        answer = super().send(request, **options)
        for cookie in self.cookies:
            cookie.secure = False
        return answer


class Browser:
    """A browser without JavaScript: a cookie jar, and forms that it fills in and sends."""

    def __init__(self, server):
        self.server = server
        self.http = BehindTls()
        self.page = None

    @classmethod
    def of(cls, server, user):
        """Return a browser in which this account is signed in already."""
        browser = cls(server)
        browser.get(server.url("sign-in"))
        page = browser.sign_in(user.localpart, user.password)
        assert page.status_code == 200, page.text
        return browser

    @property
    def cookie(self):
        """Return the value of the server's cookie that says who is signed in."""
        (cookie,) = [each for each in self.http.cookies if each.name.endswith("nextgen_auth")]
        return cookie.value

    @property
    def secret(self):
        """Return the secret of the sign-in that is the present one."""
        return self.cookie.split(".")[1]

    def get(self, url, **options):
        """Follow redirects while they stay on the server; keep the page we end at."""
        return self._follow(self.http.get(url, allow_redirects=False, timeout=30, **options))

    def authorize(self, parameters, **options):
        return self.get(self.server.url("authorize"), params=parameters, **options)

    def submit(self, **fields):
        """Fill in the first form of the page and send it."""
        form = re.search(r'<form[^>]*action="([^"]*)".*?</form>', self.page.text, re.DOTALL)
        assert form, self.page.text
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0])
        data = {name: html.unescape(value) for name, value in hidden} | fields
        action = urljoin(self.page.url, html.unescape(form[1]))
        answer = self.http.post(action, data=data, allow_redirects=False, timeout=30)
        return self._follow(answer)

    def sign_in(self, user, password):
        return self.submit(identifier=user, password=password, decision="sign-in")

    def let_in(self, parameters, user, password):
        """Authorize, sign in if asked, agree; return the answer's parameters."""
        page = self.authorize(parameters)
        if 'name="password"' in page.text:
            page = self.sign_in(user, password)
        if page.status_code == 200:
            page = self.submit(decision="approve")
        return self.answer(page)

    def answer(self, page):
        """Return what an authorization response carries, in query or fragment."""
        assert page.status_code == 303, (page.status_code, page.text)
        parts = urlsplit(page.headers["Location"])
        return dict(parse_qsl(parts.fragment or parts.query, keep_blank_values=True))

    def _follow(self, answer):
        for _ in range(10):
            location = answer.headers.get("Location")
            if location is None:
                break
            url = urljoin(answer.url, location)
            if not url.startswith(self.server.issuer):
                break
            answer = self.http.get(url, allow_redirects=False, timeout=30)
        self.page = answer
        return answer


def claims(jwt):
    """Return the payload of a JWT without checking it."""
    payload = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
