"""Values that no database keeps, or no index holds, in every place that a request has (C213 to C215)."""

import json
import random
import string
from urllib.parse import urlencode

import pytest

from support.oauth import Browser, web_client
from support.raw_http import FORM, PREFIX, exchange, request
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
# What each path reads; of a path that is not here, all of these are tried.
_REQUEST = (
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method", "prompt", "max_age", "login_hint", "ui_locales"),
)
_CLIENT = ("client_id", "client_secret", "client_assertion", "client_assertion_type")
_FORM = ("csrf", "decision")
NAMES = {
    "/authorize": _REQUEST,
    "/token": (*_CLIENT, "grant_type", "code", "code_verifier", "refresh_token", "device_code"),
    "/revoke": ("client_id", "token", "token_type_hint"),
    "/introspect": ("client_id", "token", "token_type_hint"),
    "/device-authorization": (*_CLIENT, "scope"),
    "/userinfo": ("access_token",),
    "/clients/register": ("client_id",),
    "/command": ("command",),
    "/sign-in": (*_FORM, "grant", "request", "device", "page", "id", "identifier", "password"),
    "/consent": (*_FORM, "grant"),
    "/link": (*_FORM, "user_code"),
    "/device": (*_FORM, "grant", "user_code"),
    "/account": ("action", "device_id", "done"),
    "/account-devices": ("id", "done", "search", "part"),
    "/account-device": (*_FORM, "id", "name"),
    "/account-device-end": (*_FORM, "id"),
    "/account-identity-reset": (*_FORM, "id", "account"),
    "/account-devices-end": (*_FORM, "id", "shown"),
    **dict.fromkeys(("/factor", "/factor-enrol"), (*_FORM, "attempt", "app", "by", "code")),
    "/factor-lost": (*_FORM, "attempt"),
    "/factor-lost-cancel": (*_FORM, "link"),
    "/account-factor-lost": (*_FORM, "done"),
    "/account-factor-add": (*_FORM, "id", "name", "code"),
    **dict.fromkeys(("/account-factor", "/account-factor-remove"), (*_FORM, "id", "name")),
    "/account-factor-mail": (*_FORM, "id", "to", "code"),
    **dict.fromkeys(("/account-factors", "/account-recovery-codes"), (*_FORM, "done", "browser")),
    "/account-apps": ("id", "done"),
    "/account-app": ("id",),
    "/account-app-end": (*_FORM, "id"),
    "/account-invitations": (*_FORM, "invitation", "text", "done"),
    "/account-events": ("before",),
    "/account-tokens": ("id", "done"),
    "/account-token-add": (*_FORM, "id", "name", "rooms", "device", "lifetime", "may_read"),
    "/account-token-end": (*_FORM, "id"),
    "/account-data": _FORM,
    "/approve": (*_FORM, "request"),
    "/sign-out": _FORM,
    **dict.fromkeys(("/keys", *(path for path in ROUTES if "well-known" in path)), ("x",)),
}
_ALL = tuple(sorted({name for names in NAMES.values() for name in names}))
PATHS = [path for path in sorted(ROUTES) if path != "/"]
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


@pytest.mark.parametrize("kind", VALUES)
def test_c213_every_parameter_of_every_path(server, honest, kind):
    """In the query and in the body, with a session."""
    values, cookie = honest
    content_type = f"Content-Type: {FORM}".encode()
    for path in PATHS:
        target = f"{PREFIX}{path}".encode()
        for name in NAMES.get(path, _ALL):
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
