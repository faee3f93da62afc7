"""Input that is no text, too much, or meant for another reader, at every endpoint and page."""

import json
import socket
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from support.answers import assert_page, assert_refused
from support.oauth import Browser, web_client
from support.raw_http import FORM, PREFIX, exchange, form, request
from support.rows import unchanged

pytestmark = pytest.mark.newest_only

LIMIT = 64 * 1024

TOKEN = ("grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "client_id")
ENDPOINTS = {
    "token": (*TOKEN, "client_secret", "client_assertion", "client_assertion_type", "scope"),
    "revoke": ("token", "token_type_hint", "client_id", "client_secret"),
    "introspect": ("token", "token_type_hint", "client_id", "client_secret"),
}
AUTHORIZE = (
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method", "prompt", "max_age", "login_hint", "ui_locales"),
    *("request", "request_uri", "unheard_of"),
)
NOT_TEXT = {
    "NUL": b"%00",
    "NUL inside": b"a%00b",
    "raw NUL": b"a\0b",
    "invalid UTF-8": b"%ff",
    "overlong": b"%c0%ae",
    "surrogate": b"%ed%a0%80",
    "raw Latin-1": b"\xe9",
    "UTF-16": "code".encode("utf-16").replace(b"\0", b"%00"),
    "truncated": b"%e2%82",
}


def good(client, path):
    """Return a form that is in order, but for a code or token that exists."""
    forms = {
        "token": {"grant_type": "authorization_code", "code": "c", "code_verifier": "v" * 43},
        "revoke": {"token": "t"},
        "introspect": {"token": "t"},
    }
    return {**forms[path], "client_id": client.id}


@pytest.mark.parametrize("value", NOT_TEXT.values(), ids=NOT_TEXT)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_c213_c215_a_parameter_that_is_no_text(homeserver, server, path, value):
    """Each of them, and a name too: 400, and never a step further."""
    client = server.client()
    with unchanged(homeserver):
        for name in ENDPOINTS[path]:
            rest = {k: v for k, v in good(client, path).items() if k != name}
            status, answer = exchange(
                server, form(path, urlencode(rest).encode() + b"&%s=%s" % (name.encode(), value))
            )
            assert status == 400, (name, answer)
            assert b'"error":"invalid_request"' in answer
        status, _ = exchange(
            server, form(path, urlencode(good(client, path)).encode() + b"&%s=1" % value)
        )
        assert status == 400


@pytest.mark.parametrize("value", NOT_TEXT.values(), ids=NOT_TEXT)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_c213_c215_an_authorization_request_that_is_no_text(homeserver, server, method, value):
    """A page says no; nobody is redirected with half of what was asked."""
    client = server.client()
    parameters, _verifier = client.request()
    if method == "GET" and b"\0" in value:
        value = b"%00%00"
    with unchanged(homeserver):
        for name in AUTHORIZE:
            rest = urlencode({k: v for k, v in parameters.items() if k != name}).encode()
            query = rest + b"&%s=%s" % (name.encode(), value)
            path = f"{PREFIX}/authorize".encode()
            asked = request(b"GET", path + b"?" + query)
            status, answer = exchange(
                server, asked if method == "GET" else form("authorize", query)
            )
            assert status == 400, (name, answer)
            assert b"\r\nLocation:" not in answer


@pytest.mark.parametrize("value", NOT_TEXT.values(), ids=NOT_TEXT)
def test_c213_c215_a_posted_page_that_is_no_text(homeserver, server, value):
    """Sign-in and consent with a session and a proof in order, but for one field."""
    user = homeserver.new_user()
    browser = Browser.of(server, user)
    parameters, _verifier = server.client().request()
    browser.authorize(parameters)
    grant = urlsplit(browser.page.url).query
    cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.http.cookies)
    headers = [f"Content-Type: {FORM}".encode(), f"Cookie: {cookie}".encode()]
    with unchanged(homeserver):
        for page in ("sign-in", "consent", "sign-out"):
            for name in ("csrf", "identifier", "password", "decision", "unheard_of"):
                body = b"%s=%s" % (name.encode(), value)
                path = f"{PREFIX}/{page}?{grant}".encode()
                status, answer = exchange(server, request(b"POST", path, *headers, body=body))
                assert status == 400, (page, name, answer)

    assert browser.get(browser.page.url).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        *("client_name", "client_name#fr", "client_uri", "logo_uri", "tos_uri", "policy_uri"),
        *("application_type", "token_endpoint_auth_method", "id_token_signed_response_alg"),
        *("software_id", "unheard_of"),
    ],
)
@pytest.mark.parametrize("bad", ["\0", "a\0b", "\ud800", "\udfff\ud800", "x\udc00"])
def test_c213_c214_registered_texts_must_be_storable(homeserver, server, name, bad):
    """NUL and half a surrogate pair, escaped in otherwise proper JSON, in values and names."""
    with unchanged(homeserver):
        for changed in ({name: bad}, {name: [bad]}, {name: {"x": bad}}, {name + bad: "x"}):
            answer = requests.post(
                server.url("clients/register"),
                data=json.dumps(web_client() | changed),
                headers={"Content-Type": "application/json"},
                timeout=60,
            )
            assert_refused(answer, "invalid_client_metadata", "invalid_redirect_uri")


@pytest.mark.parametrize("name", ["redirect_uris", "grant_types", "response_types", "contacts"])
@pytest.mark.parametrize("bad", ["\0", "authorization_code\0", "\ud800"])
def test_c213_c214_so_must_those_in_arrays(homeserver, server, name, bad):
    with unchanged(homeserver):
        answer = server.register(web_client() | {name: [*web_client().get(name, []), bad]})

    assert_refused(answer, "invalid_client_metadata", "invalid_redirect_uri")


@pytest.mark.parametrize(
    "line",
    [
        b"Cookie: nextgen_auth=a\0b",
        b"Cookie: nextgen_auth=\xff\xfe",
        b"Cookie: nextgen_auth=" + b"A" * 10_000,
        b"Accept-Language: de\0",
        b"Accept-Language: \xff;q=\xd9\xa3",
        b"User-Agent: a\0b",
        b"User-Agent: \xed\xa0\x80",
        b"Origin: \0",
        b"Sec-Fetch-Site: \xff",
        b"X-Forwarded-For: \0",
        b"Authorization: Basic \0",
        b"Authorization: Bearer \xff",
        b"Content-Type: \0",
    ],
)
def test_c213_headers_that_are_no_text(homeserver, server, line):
    """Never a 5xx, on pages, endpoints and documents alike; the next request is answered."""
    parameters, _verifier = server.client().request()
    authorize = f"{PREFIX}/authorize?{urlencode(parameters)}".encode()
    before = len(homeserver.log_text())
    body = b"grant_type=refresh_token&refresh_token=x"
    statuses = [
        exchange(server, request(method, path, line, *more, body=sent))[0]
        for method, path, more, sent in (
            (b"GET", authorize, [], b""),
            (b"GET", f"{PREFIX}/sign-in".encode(), [], b""),
            (b"GET", f"{PREFIX}/userinfo".encode(), [], b""),
            (b"POST", f"{PREFIX}/token".encode(), [f"Content-Type: {FORM}".encode()], body),
            (b"POST", f"{PREFIX}/sign-in".encode(), [f"Content-Type: {FORM}".encode()], body),
            (b"GET", b"/_matrix/client/v1/auth_metadata", [], b""),
        )
    ]

    assert max(statuses) < 500, statuses
    assert "Traceback" not in homeserver.log_text()[before:]
    assert server.metadata()["issuer"] == server.issuer


@pytest.mark.parametrize(
    "path",
    [
        b"/%00",
        b"/token%00",
        b"/static/%00",
        b"/static/..%2f..%2fetc/passwd",
        b"/%ff",
        b"/\xff",
        b"/authorize%3Fclient_id=x",
        b"/../../../etc/passwd",
        b"//token",
        b"/token/",
        b"/TOKEN",
        b"/token;x",
        b"/%74oken",
        b"/./token",
        b"/token/../introspect",
        b"/sign-in/..",
        b"/" + b"x" * 10_000,
    ],
)
def test_c213_paths_that_are_none(homeserver, server, path):
    """What is not spelled like a path of ours is not found, and nobody's handler runs."""
    with unchanged(homeserver):
        for method in (b"GET", b"POST"):
            status, answer = exchange(
                server,
                request(
                    method,
                    PREFIX.encode() + path,
                    f"Content-Type: {FORM}".encode(),
                    body=b"a=b" if method == b"POST" else b"",
                ),
            )
            assert status in {400, 404}, answer


@pytest.mark.parametrize(
    "body",
    [
        '{"redirect_uris": ["https://evil.example.net/"], REST}',
        '{REST, "redirect_uris": ["https://evil.example.net/"]}',
        '{"client_uri": "https://evil.example.net/", REST}',
        '{REST, "client_name": "Element"}',
        '{REST, "x": {"a": 1, "a": 2}}',
    ],
)
def test_c217_a_name_that_stands_twice_is_refused(homeserver, server, body):
    """Which one counts is nothing to guess at."""
    rest = json.dumps(web_client())[1:-1]
    with unchanged(homeserver):
        answer = requests.post(
            server.url("clients/register"),
            data=body.replace("REST", rest),
            headers={"Content-Type": "application/json"},
            timeout=60,
        )

    assert_refused(answer, "invalid_client_metadata")


@pytest.mark.parametrize("path", [*ENDPOINTS, "clients/register"])
def test_c218_a_body_has_a_limit(homeserver, server, path):
    """64 KiB are read, one byte more is not."""
    client = server.client()
    if path == "clients/register":
        full, headers = json.dumps(web_client()).encode(), {"Content-Type": "application/json"}
        full += b" " * (LIMIT - len(full))
    else:
        full, headers = urlencode(good(client, path)).encode() + b"&x=", {"Content-Type": FORM}
        full += b"a" * (LIMIT - len(full))
    url = server.url(path)
    with unchanged(homeserver):
        read = requests.post(url, data=full, headers=headers, timeout=60)
        for more in (1, 2**20):
            answer = requests.post(url, data=full + b"a" * more, headers=headers, timeout=60)
            assert_refused(answer, "invalid_request", status=413)

    assert read.status_code != 413


@pytest.mark.parametrize("page", ["authorize", "sign-in", "consent", "sign-out"])
def test_c218_so_has_what_a_page_reads(homeserver, server, page):
    with unchanged(homeserver):
        answer = requests.post(
            server.url(page), data={"identifier": "a" * LIMIT, "csrf": "x"}, timeout=60
        )

    assert_page(answer, "That was too much at once", status=413)


def test_c218_a_flood_is_cut_off(homeserver, server):
    """Synapse itself ends a connection that sends more than its own limit."""
    head = request(
        b"POST",
        f"{PREFIX}/token".encode(),
        f"Content-Type: {FORM}".encode(),
        b"Content-Length: 14000000",
    )
    port = urlsplit(server.base_url).port
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plug:
        plug.sendall(head)
        try:
            for _ in range(14):
                plug.sendall(b"a" * 1_000_000)
            answer = plug.recv(100)
        except OSError:
            answer = b""

    assert answer == b"" or b" 4" in answer[:13], answer
    assert server.metadata()["issuer"] == server.issuer


@pytest.mark.parametrize(
    "path", [*ENDPOINTS, "clients/register", "userinfo", "authorize", "sign-in"]
)
def test_c219_multipart_is_refused(homeserver, server, path):
    """Twisted would parse it before anybody looks (CVE-2024-52805)."""
    with unchanged(homeserver):
        answer = requests.post(
            server.url(path), files={"grant_type": ("a", b"refresh_token")}, timeout=60
        )

    assert answer.status_code in {400, 415}


HOSTILE = [
    "'",
    "' OR '1'='1",
    "'; DROP TABLE nextgen_clients; --",
    '" OR ""="',
    "%",
    "_",
    "%' OR client_id LIKE '%",
    "\\'; SELECT pg_sleep(5); --",
    "$1",
    "?",
    "%s",
    "{0}",
    "${7*7}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_c223_nothing_reaches_the_database_as_sql(homeserver, server, text):
    """Ids, codes, tokens, names and states are values: found literally or not at all."""
    user = homeserver.new_user()
    client = server.client()
    parameters, verifier = client.request(state=text, nonce=text)
    answer = Browser(server).let_in(parameters, user.localpart, user.password)
    name = {"client_name": text, "software_id": text}
    with unchanged(homeserver):
        assert_page(requests.get(server.url("authorize"), params={"client_id": text}, timeout=60))
        assert_page(requests.get(server.url("consent"), params={"grant": text}, timeout=60))
        assert_refused(client.redeem(text, verifier), "invalid_grant")
        assert_refused(client.refresh(text), "invalid_grant")
        assert_refused(client.refresh("x", client_id=text), "invalid_client", status=401)
        assert server.revoke(token=text, client_id=text).status_code == 200

    assert answer["state"] == text
    assert client.redeem(answer["code"], verifier).status_code == 200
    assert server.client(web_client(**name)).registered["client_name"] == text


def test_c225_a_broken_body_is_not_logged(homeserver, server):
    """Whatever secret it held."""
    secret = "geheimnis-4711"
    for path, body, content_type in (
        ("clients/register", f'{{"client_secret": "{secret}"', "application/json"),
        ("clients/register", f'{{"a": "{secret}", "a": 1}}', "application/json"),
        ("token", f"client_secret={secret}&password=%ff", FORM),
        ("token", f'{{"password": "{secret}"}}', "application/json"),
        ("sign-in", f"password={secret}&identifier=%00", FORM),
        ("sign-in", f'{{"password": "{secret}"', "application/json"),
    ):
        answer = requests.post(
            server.url(path), data=body, headers={"Content-Type": content_type}, timeout=60
        )
        assert 400 <= answer.status_code < 500
        assert secret not in answer.text

    assert secret not in homeserver.log_text()
