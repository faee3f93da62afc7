"""Whatever arrives, nothing breaks: never a 5xx, never a traceback, and the next request works.

The same requests every time; the seed is the name of the test.
"""

import json
from contextlib import contextmanager
from functools import partial
from urllib.parse import quote, urlencode, urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.addresses import coming_from, over_ipv4
from support.oauth import Browser, web_client
from support.raw_http import FORM, PREFIX, exchange, form, request
from synapse_nextgen_auth.web.routes import ROUTES

pytestmark = pytest.mark.newest_only

BRIEFLY = partial(
    settings,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

NASTY = [
    *("", " ", "\0", "\n", "\r\n", "%", "%00", "&", "=", ";", "'", '"', "<", "\\", "#", "?", "/"),
    *("null", "none", "-1", "0", "9" * 400, "1e999", "\u0663", "\ud7ff", "\ufffe", "\U0010ffff"),
    *("a" * 300, "a" * 5000, "{{7*7}}", "../../etc/passwd", "\u202e", "nga_" + "A" * 60),
    *("ngr_" + "A" * 60, "urn:matrix:client:device:", "http://[::1", "https://", "javascript:1"),
]
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=30))


@pytest.fixture(scope="session", params=["postgres"])
def homeserver(request, shared_homeserver):
    """Return the one with the stricter database: what PostgreSQL keeps, SQLite keeps too."""
    return shared_homeserver(request.param)


def rarely(draw, once_in):
    """Say yes once in so many times, and no where the simplest example is wanted."""
    return draw(st.integers(0, once_in - 1)) == once_in - 1


@st.composite
def pairs(draw, good):
    """Give parameters: most as they should be, some odd, some missing, twice or unheard of."""
    chosen = [
        (name, draw(texts) if rarely(draw, 5) else value)
        for name, value in good.items()
        if not rarely(draw, 12)
    ]
    if rarely(draw, 8):
        chosen.append((draw(st.sampled_from([*good])), draw(texts)))
    if rarely(draw, 4):
        chosen.append((draw(texts), draw(texts)))
    return draw(st.permutations(chosen))


@st.composite
def bodies(draw, good):
    """Give a form as bytes, now and then with a piece of it replaced or with nothing but noise."""
    if rarely(draw, 10):
        return draw(st.binary(max_size=200))
    body = urlencode(draw(pairs(good)), errors="surrogatepass").encode()
    if not rarely(draw, 6):
        return body
    where = draw(st.integers(0, len(body)))
    return body[:where] + draw(st.binary(max_size=10)) + body[where + draw(st.integers(0, 5)) :]


def lines(*names):
    """Give header lines with any bytes that a header can have."""
    value = st.binary(max_size=60).map(lambda raw: raw.translate(None, b"\r\n"))
    line = st.builds(lambda name, text: name.encode() + b": " + text, st.sampled_from(names), value)
    return st.lists(line, max_size=2)


HEADERS = lines("Cookie", "Accept-Language", "User-Agent", "Origin", "X-Forwarded-For", "Host")
AUTHORIZATION = st.one_of(st.just([]), st.just([]), lines("Authorization"))


@contextmanager
def unbroken(homeserver, server):
    """Promise that the log has no traceback afterwards, and that people can still sign in."""
    before = len(homeserver.log_text())
    yield
    logged = homeserver.log_text()[before:]
    user = homeserver.new_user()
    tokens = server.client().sign_in(user.localpart, user.password)

    assert "Traceback" not in logged, logged[logged.index("Traceback") - 2000 :][:6000]
    assert " - ERROR - " not in logged
    assert " - CRITICAL - " not in logged
    assert server.whoami(tokens["access_token"]).status_code == 200


def survives(server, sent):
    """Send a request and check that it is not our fault that it fails."""
    status, answer = exchange(server, sent)
    assert status < 500, (sent, answer)
    return status


@pytest.fixture
def signed_in(homeserver, server):
    """Return a client with tokens, and a browser in which its person is signed in."""
    user = homeserver.new_user()
    client = server.client()
    browser = Browser(server)
    parameters, verifier = client.request()
    code = browser.let_in(parameters, user.localpart, user.password)["code"]
    tokens = client.redeem(code, verifier).json()
    return client, browser, tokens | {"code": code, "code_verifier": verifier}


def cookie_of(browser):
    (cookie,) = browser.http.cookies
    return f"Cookie: {cookie.name}={cookie.value}".encode()


FORMS = {
    "code": ("token", "grant_type", "code", "redirect_uri", "code_verifier", "client_id"),
    "refresh": ("token", "grant_type", "refresh_token", "client_id", "scope"),
    "device code": ("token", "grant_type", "device_code", "client_id"),
    "assertion": ("token", "client_assertion_type", "client_assertion", "grant_type"),
    "secret": ("token", "client_id", "client_secret", "grant_type", "code"),
    "revoke": ("revoke", "token", "token_type_hint", "client_id"),
    "introspect": ("introspect", "token", "token_type_hint", "client_id", "client_secret"),
    "device": ("device-authorization", "client_id", "scope"),
}
RENDEZVOUS = ("org.matrix.msc4108", "io.element.msc4388")
GRANT_TYPES = {
    "refresh": "refresh_token",
    "device code": "urn:ietf:params:oauth:grant-type:device_code",
}


@pytest.mark.parametrize("kind", FORMS)
def test_fuzz_forms(homeserver, server, signed_in, kind):
    """Codes, refresh tokens, client credentials and everything beside them."""
    client, _browser, tokens = signed_in
    path, *names = FORMS[kind]
    if "client_secret" in names:
        client = server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    values = {
        "grant_type": GRANT_TYPES.get(kind, "authorization_code"),
        "client_id": client.id,
        "client_secret": client.registered.get("client_secret"),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.AAAA",
        "redirect_uri": client.redirect_uri,
        "device_code": "d" * 43,
        "token": tokens["access_token"],
        "token_type_hint": "access_token",
        **{name: tokens[name] for name in ("code", "code_verifier", "refresh_token", "scope")},
    }
    good = {name: values[name] for name in names}

    @BRIEFLY(max_examples=30)
    @given(body=bodies(good), headers=AUTHORIZATION)
    def fuzz(body, headers):
        survives(server, form(path, body, *headers))

    with unbroken(homeserver, server):
        fuzz()


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_fuzz_authorize(homeserver, server, signed_in, *, is_signed_in):
    """By GET and POST, with a session and without, and never off to somewhere unregistered."""
    client, browser, _tokens = signed_in
    parameters, _verifier = client.request(
        response_mode="fragment", nonce="n", prompt="consent", max_age="60", login_hint="mxid:@a:b"
    )
    more = [cookie_of(browser)] if is_signed_in else []
    path = f"{PREFIX}/authorize?".encode()

    @BRIEFLY(max_examples=60)
    @given(body=bodies(parameters), headers=HEADERS, by_get=st.booleans())
    def fuzz(body, headers, by_get):
        if by_get:
            escaped = quote(body, safe="%&=+;/:?@!$'()*,~-._").encode()
            sent = request(b"GET", path + escaped, *more, *headers)
        else:
            sent = form("authorize", body, *more, *headers)
        status, answer = exchange(server, sent)
        assert status in {200, 303, 400}, (sent, answer)
        location = answer.partition(b"\r\nLocation: ")[2].partition(b"\r\n")[0]
        fine = (b"authorize?", b"sign-in?", b"consent?", client.redirect_uri.encode() + b"?")
        assert location.startswith((*fine, client.redirect_uri.encode() + b"#")) or not location

    with unbroken(homeserver, server):
        fuzz()


PAGES = {
    "sign-in": ("identifier", "password", "decision"),
    "consent": ("decision",),
    "link": ("user_code", "decision"),
    "device": ("decision", "user_code"),
    "account-device-end": ("decision", "id"),
    "account-identity-reset": ("decision", "id", "account"),
    "account-devices-end": ("decision", "id", "shown"),
    "account-app-end": ("decision", "id"),
    "account-invitations": ("decision", "invitation", "text"),
    "account-token-add": ("decision", "name", "rooms", "device", "lifetime", "may_read"),
    "account-token-end": ("decision", "id"),
    "account-data": ("decision",),
    "approve": ("decision",),
}


@pytest.mark.parametrize("page", PAGES)
def test_fuzz_pages(homeserver, server, signed_in, page):
    """With a session and a proof in order, so that what follows is reached."""
    client, browser, _tokens = signed_in
    parameters, _verifier = client.request()
    browser.authorize(parameters)
    grant = urlsplit(browser.page.url).query.partition("=")[2]
    csrf = browser.page.text.partition('name="csrf" value="')[2].partition('"')[0]
    values = {"decision": "no such decision", "identifier": "nobody", "password": "wrong"}
    good = {name: values.get(name, "x") for name in PAGES[page]} | {"csrf": csrf}
    cookie = cookie_of(browser)
    asked = {"grant": grant, "request": "0" * 32, "user_code": "AAAA-AAAA", "action": "x"}

    @BRIEFLY(max_examples=25)
    @given(query=bodies(asked), body=bodies(good), headers=HEADERS, posts=st.integers(0, 3))
    def fuzz(query, body, headers, posts):
        target = f"{PREFIX}/{page}?".encode() + quote(query, safe="%&=+").encode()
        if not posts:
            survives(server, request(b"GET", target, cookie, *headers))
            return
        content_type = f"Content-Type: {FORM}".encode()
        survives(server, request(b"POST", target, content_type, cookie, *headers, body=body))

    assert csrf
    with unbroken(homeserver, server):
        fuzz()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
METADATA = web_client(
    **{
        "client_name#fr": "x",
        "logo_uri": "https://client.example.com/logo",
        "tos_uri": "https://client.example.com/tos",
        "contacts": [],
        "jwks": {"keys": []},
        "id_token_signed_response_alg": "RS256",
        "client_id": "x",
    }
)


@st.composite
def registrations(draw):
    """Give metadata with some values replaced, as text with some bytes replaced, or noise."""
    if rarely(draw, 10):
        return draw(st.binary(max_size=100))
    document = dict(METADATA)
    for name in draw(st.lists(st.sampled_from([*METADATA, "x", "jwks_uri"]), max_size=2)):
        document[name] = draw(json_values)
    body = json.dumps(document, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if not rarely(draw, 4):
        return body
    where = draw(st.integers(0, len(body)))
    return body[:where] + draw(st.binary(max_size=6)) + body[where + draw(st.integers(0, 6)) :]


def test_fuzz_registration(homeserver, server):
    """From an address of its own, whose limit it may reach."""
    url = over_ipv4(server.url("clients/register"))
    with coming_from("127.0.0.99") as session:

        @BRIEFLY(max_examples=120)
        @given(body=registrations())
        def fuzz(body):
            headers = {"Content-Type": "application/json"}
            answer = session.post(url, data=body, headers=headers, timeout=30)
            assert answer.status_code in {201, 400, 413, 429}, (body, answer.text)
            assert answer.headers["Content-Type"] == "application/json"

        with unbroken(homeserver, server):
            fuzz()


def test_fuzz_every_route(homeserver, server, signed_in):
    """Any method, path, query, header and body, on whatever the router knows and beside it."""
    _client, browser, tokens = signed_in
    bearer = f"Authorization: Bearer {tokens['access_token']}".encode()
    known = st.sampled_from([*sorted(ROUTES), "/static/"])
    endings = st.integers(0, 3).flatmap(lambda n: st.just("") if n < 3 else texts)
    paths = st.builds("{}{}".format, known, endings)
    methods = st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "BREW"])
    kinds = st.sampled_from([FORM, "application/json", "text/html", "multipart/form-data", "\xff"])

    @BRIEFLY(max_examples=80)
    @given(
        method=methods,
        path=paths,
        query=st.binary(max_size=40),
        kind=kinds,
        headers=st.tuples(HEADERS, st.sampled_from([[], [bearer], [cookie_of(browser)]])),
        body=st.binary(max_size=80),
    )
    def fuzz(method, path, query, kind, headers, body):
        target = f"{PREFIX}{quote(path, safe='/')}?".encode() + quote(query, safe="%&=").encode()
        more = [*headers[0], *headers[1], f"Content-Type: {kind}".encode("latin-1")]
        survives(server, request(method.encode(), target, *more, body=body))

    with unbroken(homeserver, server):
        fuzz()


def test_fuzz_raw_bytes(homeserver, server):
    """Not even HTTP."""

    @BRIEFLY(max_examples=40)
    @given(noise=st.binary(min_size=1, max_size=200), tail=st.sampled_from([b"", b"\r\n\r\n"]))
    def fuzz(noise, tail):
        line = f"POST {PREFIX}/token HTTP/1.1\r\nConnection: close\r\n".encode()
        for sent in (line + noise + tail, noise + b"\r\n\r\n"):
            status, answer = exchange(server, sent + b"\r\n\r\n")
            assert status < 500, (sent, answer)

    with unbroken(homeserver, server):
        fuzz()


def test_fuzz_rendezvous(homeserver, server):
    """Both kinds: made, read, overwritten and left with whatever comes."""
    unstable = "/_matrix/client/unstable"
    etag, sequence = (f"{unstable}/{name}/rendezvous" for name in RENDEZVOUS)
    text = {"Content-Type": "text/plain"}
    spot = requests.post(server.base_url + etag, data=b"1", headers=text, timeout=30).json()["url"]
    other = requests.post(server.base_url + sequence, json={"data": "1"}, timeout=30).json()["id"]
    paths = [etag, sequence, urlsplit(spot).path, f"{sequence}/{other}", f"{sequence}/"]
    endings = st.one_of(st.just(""), st.just(""), texts)
    bodies = st.one_of(
        st.binary(max_size=80),
        st.just(b"x" * 5000),
        st.dictionaries(
            st.sampled_from(["data", "sequence_token", "x"]), json_values, max_size=3
        ).map(lambda body: json.dumps(body).encode("utf-8", "surrogatepass")),
    )
    kinds = st.sampled_from(["text/plain", "application/json", FORM, "\xff"])

    @BRIEFLY(max_examples=60)
    @given(
        method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "BREW"]),
        path=st.builds("{}{}".format, st.sampled_from(paths), endings),
        kind=kinds,
        headers=lines("If-Match", "If-None-Match", "Sec-Fetch-Dest", "Content-Encoding"),
        body=bodies,
    )
    def fuzz(method, path, kind, headers, body):
        target = quote(path, safe="/").encode()
        more = [*headers, f"Content-Type: {kind}".encode("latin-1")]
        survives(server, request(method.encode(), target, *more, body=body))

    with unbroken(homeserver, server):
        fuzz()
