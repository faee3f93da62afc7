"""`WWW-Authenticate` beside Matrix's JSON, and where a scope caused the refusal (RFC 6750 section 3)."""

import time

import pytest
import requests

from support.oauth import ADMIN, API, Server
from support.tokens import made_from

pytestmark = pytest.mark.one_database

V3 = "/_matrix/client/v3"
USERINFO = "/_synapse/client/auth/userinfo"
PATHS = [
    f"{V3}/account/whoami",
    f"{V3}/sync",
    "/_matrix/client/v1/media/config",
    "/_synapse/admin/v2/users",
    f"{V3}/account/3pid",
    f"{V3}/capabilities",
]
BAD = 'Bearer error="invalid_token"'


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def tokens(client, user):
    return client.sign_in(user.localpart, user.password)


def get(server, path, **headers):
    return requests.get(server.base_url.rstrip("/") + path, headers=headers, timeout=30)


def said(answer):
    return answer.status_code, answer.headers.get("WWW-Authenticate")


@pytest.mark.parametrize("path", [*PATHS, USERINFO])
def test_without_a_token_the_scheme_is_named_and_no_more(server, path):
    """RFC 6750 section 3.1: no error code where no authentication was tried."""
    answer = get(server, path)

    assert said(answer) == (401, "Bearer")
    assert path == USERINFO or answer.json()["errcode"] == "M_MISSING_TOKEN"


@pytest.mark.parametrize("path", [*PATHS, USERINFO])
@pytest.mark.parametrize(
    "odd",
    [
        lambda tokens: tokens["access_token"][:-1],
        lambda tokens: made_from(tokens["access_token"], expires_at=int(time.time()) - 1),
        lambda tokens: tokens["refresh_token"],
        lambda _: "syt_nothing_of_Synapse",
    ],
)
def test_a_bad_token_is_called_bad(server, tokens, path, odd):
    """Ours or Synapse's, with the JSON of Matrix as it was."""
    answer = server.api("GET", path, odd(tokens))

    assert said(answer) == (401, BAD)
    assert path == USERINFO or answer.json()["errcode"] == "M_UNKNOWN_TOKEN"
    assert path == USERINFO or "soft_logout" in answer.json()


def test_a_token_in_the_address_is_none(server, tokens):
    answer = get(server, f"{PATHS[0]}?access_token={tokens['access_token']}")

    assert said(answer) == (401, "Bearer")


def test_a_locked_account_has_no_bad_token(homeserver, server, user, tokens):
    """M_USER_LOCKED: another token would be refused, too."""
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    server.api("PUT", f"/_synapse/admin/v2/users/{user.user_id}", admin, json={"locked": True})

    answer = server.whoami(tokens["access_token"])

    assert said(answer) == (401, "Bearer")
    assert answer.json()["errcode"] == "M_USER_LOCKED"


def test_c137_what_a_scope_would_open_is_named(server, client, user):
    """403 `insufficient_scope`, with what is missing."""
    plain = client.sign_in(user.localpart, user.password)["access_token"]
    openid = client.sign_in(user.localpart, user.password, scope="openid")["access_token"]

    matrix = server.whoami(openid)
    who = server.api("GET", USERINFO, plain)

    assert said(matrix) == (403, f'Bearer error="insufficient_scope", scope="{API}"')
    assert matrix.json()["errcode"] == "M_FORBIDDEN"
    assert said(who) == (403, 'Bearer error="insufficient_scope", scope="openid"')


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_synapse/admin/v2/users"),
        ("GET", "/_synapse/admin/v1/rooms"),
        ("POST", "/_synapse/admin/v1/purge_history/!room:localhost"),
        ("GET", f"{V3}/admin/whois/@somebody:localhost"),
    ],
)
def test_c113_an_administrator_hears_that_the_session_lacks_the_scope(
    homeserver, server, client, method, path
):
    """Not that she is no administrator: she is, and a client can ask for the scope."""
    admin, other = homeserver.new_user(admin=True), homeserver.new_user()
    token = client.sign_in(admin.localpart, admin.password)["access_token"]
    ordinary = client.sign_in(other.localpart, other.password)["access_token"]
    legacy = homeserver.login(other)["access_token"]

    answer = server.api(method, path, token, json={})
    others = [server.api(method, path, one, json={}) for one in (ordinary, legacy)]

    assert said(answer) == (403, f'Bearer error="insufficient_scope", scope="{ADMIN}"')
    assert answer.json() == {
        "errcode": "M_FORBIDDEN",
        "error": f"This session was not granted {ADMIN}",
    }
    for one in others:
        assert said(one) == (403, None)
        assert one.json()["error"] == "You are not a server admin"


def test_another_refusal_says_nothing_of_scopes(server, client, tokens):
    """Neither what belongs to somebody else nor what our tokens never open."""
    paths = [
        ("PUT", f"{V3}/profile/@somebody:localhost/displayname"),
        ("GET", f"{V3}/rooms/!room:localhost/members"),
        ("POST", f"{V3}/account/3pid"),
        ("POST", f"{V3}/account/3pid/delete"),
    ]

    for method, path in paths:
        answer = server.api(method, path, tokens["access_token"], json={"displayname": "x"})
        assert answer.status_code in {400, 403}, answer.text
        assert "WWW-Authenticate" not in answer.headers


def test_a_worker_says_the_same(homeserver_with_worker):
    main = Server(homeserver_with_worker.base_url)
    worker = Server(homeserver_with_worker.workers["worker1"].base_url)
    admin = homeserver_with_worker.new_user(admin=True)
    token = main.client().sign_in(admin.localpart, admin.password)["access_token"]
    path = "/_synapse/admin/v1/rooms/!room:localhost/delete_status"

    told = [
        (said(get(at, PATHS[0])), said(at.whoami("x")), said(at.api("GET", path, token)))
        for at in (main, worker)
    ]

    assert told[0][:2] == told[1][:2] == ((401, "Bearer"), (401, BAD))
    shared = f"/_synapse/admin/v2/users/{admin.user_id}"
    legacy = homeserver_with_worker.login(admin)["access_token"]
    serving = [
        at for at in (main, worker) if at.api("GET", shared, legacy).ok
    ]  # old releases: main
    refused = [said(at.api("GET", shared, token)) for at in serving]
    assert refused == [(403, f'Bearer error="insufficient_scope", scope="{ADMIN}"')] * len(serving)
    assert main in serving
