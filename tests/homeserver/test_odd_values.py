"""Values that no database keeps, or no index holds, in every place that a request has (C213 to C215)."""

import json
import random
import string
from urllib.parse import urlencode

import pytest

from support import parameters
from support.oauth import Browser, web_client
from support.raw_http import FORM, PREFIX, exchange, request
from synapse_nextgen_auth.web.kinds import ForPeople
from synapse_nextgen_auth.web.routes import ROUTES

pytestmark = pytest.mark.newest_only

_LONG = "".join(random.Random(1).choices(string.ascii_letters, k=7000))  # does not compress

# As they stand in a query or a form.
VALUES = {
    "nul": b"a%00b",
    "nul alone": b"%00",
    "half a pair": b"%ED%A0%80",
    "not UTF-8": b"%FF%FE",
    "overlong": b"%C0%80",
    "raw bytes": b"\xff\xfe",
    "long": _LONG.encode(),
    "long and wide": b"%F0%9F%98%80" * 600,
}
# What a path reads that stands neither in its file nor in one that this imports.
_CLIENT = ("client_id", "client_secret", "client_assertion", "client_assertion_type")
NAMES = {
    "/authorize": ("login_hint", "ui_locales"),
    "/token": (*_CLIENT, "code", "code_verifier", "device_code", "redirect_uri", "scope"),
    "/revoke": ("token_type_hint",),
    "/introspect": ("token_type_hint",),
    "/device-authorization": _CLIENT,
    "/userinfo": ("access_token",),
    "/clients/register": ("client_id",),
    "/device": ("user_code",),
    "/link": ("decision",),
    "/factor": ("app",),
    "/account": tuple(parameters.read_by_all()),
    "/sign-in": ("request", "device", *parameters.read_by_all()),
    "/account-devices": ("id",),
    "/account-token-add": ("may_read",),
    "/approve": ("request",),
}
PATHS = [path for path in sorted(ROUTES) if path != "/"]


def names_of(path):
    """Return the parameters that a path reads; one that is none, too, where that is no page."""
    route = ROUTES[path]
    more = ("csrf", "attempt", "done") if isinstance(route, ForPeople) else ("x",)
    return sorted({*parameters.read_by(route), *NAMES.get(path, ()), *more})


JSON = {
    "nul": '"a\\u0000b"',
    "half a pair": '"\\ud800"',
    "half a pair, raw": '"\ud800"',
    "long": f'"{_LONG}"',
    "long and wide": '"' + "\\ud83d\\ude00" * 600 + '"',
}


@pytest.fixture(scope="session", params=["postgres"])
def homeserver(request, shared_homeserver):
    """Return the one with the stricter database: what PostgreSQL keeps, SQLite keeps too."""
    return shared_homeserver(request.param)


def ask(server, method, target, *headers, body=b""):
    """Send a request; it must not be our fault that it fails."""
    status, answer = exchange(server, request(method, target, *headers, body=body))
    assert 200 <= status < 500, (method, target[:200], headers, answer[:600])
    return status


@pytest.fixture
def honest(homeserver, server):
    """Return parameters that are in order, and a browser that is signed in."""
    user = homeserver.new_user()
    client = server.client(
        web_client(
            grant_types=[
                "authorization_code",
                "refresh_token",
                "urn:ietf:params:oauth:grant-type:device_code",
            ]
        )
    )
    browser = Browser.of(server, user)
    page = browser.get(server.url("account"))
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    values = {
        **client.request()[0],
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": "d" * 43,
        "token": "t" * 43,
        "csrf": csrf,
        "grant": "0" * 32,
        "request": "0" * 32,
        "user_code": "BCD-FGH-JKL",
        "identifier": "nobody",
        "password": "x",
        "decision": "approve",
    }
    return values, f"Cookie: nextgen_auth={browser.cookie}".encode()


def encoded(values, name, odd):
    """Return these parameters as a form, one of them odd and the others as they should be."""
    others = urlencode({key: value for key, value in values.items() if key != name}).encode()
    return others + b"&" + name.encode() + b"=" + odd


def test_what_a_path_reads_is_found():
    """In its own file, in what it imports, and in what serves all."""
    assert {"display_name", "csrf"} <= {*names_of("/account-profile")}
    assert {"redirect_uri", "code_challenge", "max_age"} <= {*names_of("/authorize")}
    assert {"refresh_token", "client_assertion", "resource"} <= {*names_of("/token")}
    assert {"grant", "login_hint", "identifier", "password"} <= {*names_of("/sign-in")}
    assert {"id", "rooms", "lifetime", "decision"} <= {*names_of("/account-token-add")}
    assert sum(len(names_of(path)) for path in PATHS) > 550


@pytest.mark.parametrize("kind", VALUES)
def test_c213_every_parameter_of_every_path(server, honest, kind):
    """In the query and in the body, with a session."""
    values, cookie = honest
    content_type = f"Content-Type: {FORM}".encode()
    for path in PATHS:
        target = f"{PREFIX}{path}".encode()
        for name in names_of(path):
            odd = encoded(values, name, VALUES[kind])
            if kind != "raw bytes":
                ask(server, b"GET", target + b"?" + odd, cookie)
            ask(server, b"POST", target, content_type, cookie, body=odd)


@pytest.mark.parametrize("kind", VALUES)
def test_c213_every_path_and_every_header(server, honest, kind):
    """A path that goes on with it, and headers that are read, kept or logged."""
    values, cookie = honest
    odd = VALUES[kind]
    raw = {"nul": b"a\0b", "nul alone": b"\0", "half a pair": b"\xed\xa0\x80"}.get(kind, odd)
    names = (b"User-Agent", b"Cookie", b"Accept-Language", b"Origin", b"Authorization")
    form = encoded(values, "x", b"x")

    for path in PATHS:
        if kind != "raw bytes":
            ask(server, b"GET", f"{PREFIX}{path}/".encode() + odd, cookie)
    for path in (
        "device-authorization",
        "authorize",
        "link",
        "sign-in",
        "token",
        "clients/register",
    ):
        for name in names:
            content_type = f"Content-Type: {FORM}".encode()
            target = f"{PREFIX}/{path}".encode()
            header = name + b": " + (b"nextgen_auth=" if name == b"Cookie" else b"") + raw[:4000]
            more = (header,) if name == b"Cookie" else (header, cookie)
            status, answer = exchange(
                server, request(b"POST", target, content_type, *more, body=form)
            )
            # A header that is none is refused before it gets to us.
            assert status < 500, (path, header, answer[:500])


@pytest.mark.parametrize("kind", JSON)
def test_c214_every_field_of_a_registration(server, kind):
    """As a value, as a name, and deep inside."""
    fields = [*web_client(), "client_name#fr", "logo_uri", "unknown"]
    for n, name in enumerate(fields):
        shapes = (JSON[kind], f"[{JSON[kind]}]", f'{{"x": {JSON[kind]}}}', f"{{{JSON[kind]}: 1}}")
        for odd in shapes[:: 1 if n % 3 == 0 else 3]:
            document = json.dumps({k: v for k, v in web_client().items() if k != name})
            body = f"{document[:-1]}, {json.dumps(name)}: {odd}}}".encode("utf-8", "surrogatepass")
            status = ask(
                server,
                b"POST",
                f"{PREFIX}/clients/register".encode(),
                b"Content-Type: application/json",
                body=body,
            )
            assert status in {201, 400, 413, 429}


@pytest.mark.parametrize("kind", JSON)
def test_c214_every_field_of_a_rendezvous(server, kind):
    """Made and overwritten."""
    base = "/_matrix/client/unstable/io.element.msc4388/rendezvous"
    json_type = b"Content-Type: application/json"
    for body in (f'{{"data": {JSON[kind]}}}', f'{{"data": "x", "sequence_token": {JSON[kind]}}}'):
        raw = body.encode("utf-8", "surrogatepass")
        ask(server, b"POST", base.encode(), json_type, body=raw)
        assert ask(server, b"PUT", f"{base}/{'0' * 32}".encode(), json_type, body=raw) in {
            400,
            404,
            413,
        }
