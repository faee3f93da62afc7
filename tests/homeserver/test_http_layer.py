"""Requests that somebody bent: hosts, paths, addresses, and bytes on the wire."""

import json
import re
import socket
from urllib.parse import urlsplit

import pytest
import requests

from support.oauth import Browser, web_client
from synapse_nextgen_auth.oauth.metadata import PREFIX
from synapse_nextgen_auth.web.routes import ROUTES

HOSTILE = {
    "Host": "evil.test",
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "X-Original-URL": "/evil",
    "Forwarded": "host=evil.test;proto=https",
}


def raw(server, request):
    """Send bytes and return all bytes that come back until the server closes the connection."""
    parts = urlsplit(server.base_url)
    received = b""
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(request)
        while chunk := connection.recv(65536):
            received += chunk
    return received


def statuses(received):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def test_c207_nothing_is_built_from_headers(homeserver, server):
    """A hostile `Host` or `X-Forwarded-…` leaves no trace in pages, redirects or documents."""
    user, browser = homeserver.new_user(), Browser(server)
    browser.http.headers.update(HOSTILE)
    parameters, _ = server.client().request()
    seen = []
    browser.http.hooks["response"].append(lambda answer, **_: seen.append(answer))
    browser.authorize(parameters)
    browser.sign_in(user.localpart, user.password)
    browser.submit(decision="approve")
    native = server.client(
        web_client(application_type="native", redirect_uris=None, response_types=[],
                   grant_types=["urn:ietf:params:oauth:grant-type:device_code"])
    )  # fmt: skip
    form = {"client_id": native.id, "scope": parameters["scope"]}
    seen.append(server.post("device-authorization", form, headers=HOSTILE))
    for path in ("", "account", ".well-known/openid-configuration", "nothing"):
        browser.get(server.url(path))

    assert "code=" in str([answer.headers.get("Location") for answer in seen])
    for answer in seen:
        assert "evil" not in answer.text + json.dumps(dict(answer.headers))


@pytest.mark.parametrize("path", [path for path in ROUTES if not path.endswith("/")])
def test_c209_every_path_has_one_spelling(server, path):
    """What a proxy's rule would not recognise, we do not either."""
    (*folders, name) = path.strip("/").split("/")
    folder = "".join(f"/{part}" for part in folders)
    bent = [
        f"{path};x",
        f"{path};jsessionid=1",
        f"//{path.strip('/')}",
        f"{folder}//{name}",
        f"{folder}/./{name}",
        f"{folder}/x/../{name}",
        f"{folder}/%{ord(name[0]):02x}{name[1:]}",
        f"{folder}/{name[:-1]}%{ord(name[-1]):02X}",
        f"{folder}%2f{name}",
        f"{path}/",
        f"{path}/x",
        f"{path}%00",
        f"{path}%20",
        f"{path}%3f",
        f"{path}.json",
        folder + "/" + name.upper(),
    ]

    for spelling in bent:
        request = f"GET {PREFIX}{spelling} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        received = raw(server, request.encode())
        assert statuses(received) == [404], (spelling, received[:200])


@pytest.mark.parametrize(
    "path",
    [
        *("//api/admin/v1/users", "/api//admin/v1/users", "/api/./admin/v1/users"),
        *("/api/x/../admin/v1/users", "/api/admin/v1;x/users", "/api/admin%2fv1/users"),
        *("/%61pi/admin/v1/users", "/API/admin/v1/users", "/api/admin/v1"),
    ],
)
def test_c209_what_is_below_a_path_is_below_one_spelling_of_it(server, path):
    """There, whoever has no token learns nothing of what is below; elsewhere there is nothing."""
    received = [
        raw(server, f"GET {PREFIX}{each} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        for each in (path, "/api/admin/v1/users", "/api/admin/v1/x;x/")
    ]

    assert [statuses(each) for each in received] == [[404], [401], [401]]


@pytest.mark.parametrize("prefix", ["/_SYNAPSE/client/auth", "/_synapse/client/auth;x",
                                    "/_synapse/client/authx", "/_synapse//client/auth",
                                    "/_synapse/client/%61uth/x/.."])  # fmt: skip
def test_c209_the_prefix_has_one_spelling(server, prefix):
    """Nothing of ours answers beside our own tree."""
    request = f"GET {prefix}/keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    assert statuses(raw(server, request.encode())) == [404]


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 6\r\nContent-Length: 7\r\n",
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: +6\r\n",
        "Content-Length: 0x6\r\n",
        "Content-Length: -6\r\n",
        "Transfer-Encoding: identity, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
    ],
)
def test_c211_two_minds_about_the_length_are_refused(server, headers):
    """Whatever a proxy could read differently is a 400, and the rest is not taken for a request."""
    smuggled = f"GET {PREFIX}/keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    request = f"POST {PREFIX}/token HTTP/1.1\r\nHost: x\r\n{headers}\r\n0\r\n\r\n{smuggled}"

    answered = statuses(raw(server, request.encode()))

    assert answered[:1] in ([400], [501])
    assert 200 not in answered


def test_c211_requests_in_a_row_get_answers_in_a_row(server):
    """Pipelining is fine, and no body is mistaken for another request."""
    body = b"grant_type=x"
    post = (
        f"POST {PREFIX}/token HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    ).encode() + body
    get = f"GET {PREFIX}/keys HTTP/1.1\r\nHost: x\r\n".encode()

    received = raw(server, get + b"\r\n" + post + get + b"Connection: close\r\n\r\n")

    assert statuses(received) == [200, 401, 200]


@pytest.mark.parametrize(
    "value",
    ["1.2.3.4", "1.2.3.4, 5.6.7.8", "1.2.3.4:80", "::1", "[::1]:80", "::ffff:1.2.3.4", "unknown",
     "'; DROP TABLE users;--", "é", "", ",", "1" * 5000],
)  # fmt: skip
def test_c210_forwarded_addresses_are_never_an_error(server, value):
    """Whoever writes what into `X-Forwarded-For`, pages and endpoints work."""
    headers = {"X-Forwarded-For": value.encode()}

    page = requests.get(server.url("sign-in"), headers=headers, timeout=30)
    token = requests.post(server.url("token"), headers=headers, data={"a": "b"}, timeout=30)

    assert page.status_code == 200
    assert token.status_code == 401
