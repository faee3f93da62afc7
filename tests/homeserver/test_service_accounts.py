"""A program by itself: `client_credentials` for the account that the configuration names."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus

import jwt
import pytest

from support.answers import assert_not_kept, assert_refused
from support.oauth import ADMIN, API, DEVICE, Server
from support.public import ISSUER, KEY, SECRET, SERVICE_ACCOUNT
from support.waiting import eventually

BASIC = {"auth": ("backup", quote_plus(SECRET))}
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASK = {"grant_type": "client_credentials"}


@pytest.fixture(scope="module")
def homeserver(public_homeserver):
    return public_homeserver


@pytest.fixture(scope="module")
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture(scope="module")
def account(homeserver):
    """Make the account that the configuration names; `backup` is it."""
    found = homeserver.query(
        "SELECT name FROM users WHERE name = ?", f"@{SERVICE_ACCOUNT}:localhost"
    )
    return found[0][0] if found else homeserver.register_user(SERVICE_ACCOUNT, admin=True).user_id


@pytest.fixture
def ask(server, account):
    """Return a function that asks for a token."""

    def asked(**form):
        return server.post("token", ASK | form, **BASIC)

    return asked


def living(homeserver, account):
    return homeserver.query(
        "SELECT session_id, device_id, began_by FROM nextgen_sessions"
        " WHERE user_id = ? AND ended_at IS NULL",
        account,
    )


def test_a_program_proves_itself_and_is_its_account(homeserver, server, ask, account):
    """An access token alone; whoever asks again has the same session and device."""
    answer = ask()
    tokens = answer.json()
    assert_not_kept(answer)
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope"}
    ((_, device, began_by),) = living(homeserver, account)
    assert began_by == "client_credentials"
    assert tokens["scope"].split() == [API, ADMIN, f"{DEVICE}{device}"]
    assert server.whoami(tokens["access_token"]).json() == {
        "user_id": account,
        "device_id": device,
        "is_guest": False,
    }

    again = ask().json()["access_token"]
    assert server.whoami(again).json()["device_id"] == device
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert len(living(homeserver, account)) == 1
    told = server.api("GET", f"/_matrix/client/v3/devices/{device}", again).json()
    assert told["display_name"] == "Backup"


def test_it_administers_if_that_is_written_and_wanted(server, ask):
    """Less where it asks for less (RFC 6749 section 3.3)."""
    rooms = "/_synapse/admin/v1/rooms"

    assert server.api("GET", rooms, ask().json()["access_token"]).status_code == 200
    less = ask(scope=API).json()
    assert ADMIN not in less["scope"]
    assert server.whoami(less["access_token"]).status_code == 200
    assert server.api("GET", rooms, less["access_token"]).status_code == 403


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"scope": f"{API} {DEVICE}SOMEBODYS1"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "made.up"}, "invalid_scope"),
    ],
)
def test_it_gets_nothing_that_is_not_written(ask, form, code):
    """Another device, or who somebody is."""
    assert_refused(ask(**form), code)


@pytest.mark.parametrize("client_id", ["basic", "post", "public"])
def test_other_clients_have_no_account(server, client_id):
    """A secret alone is no account; without one nothing is proven."""
    auth = {"auth": (client_id, quote_plus(SECRET))} if client_id == "basic" else {}
    form = {"client_id": client_id} if client_id == "public" else {}
    if client_id == "post":
        form = {"client_id": client_id, "client_secret": SECRET}
    answer = server.post("token", ASK | form, **auth)

    assert_refused(answer, "unauthorized_client")


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_a_wrong_secret_opens_nothing(homeserver, server, account, secret):
    """And begins nothing."""
    before = living(homeserver, account)
    answer = server.post("token", ASK, auth=("backup", secret))

    assert answer.status_code == 401
    assert living(homeserver, account) == before


def test_an_account_that_is_not_there_is_said(server):
    """By a client with a key; the operator reads this."""
    stated = {"iss": "absent", "sub": "absent", "aud": ISSUER, "exp": int(time.time()) + 60}
    assertion = jwt.encode(stated | {"jti": secrets.token_hex(16)}, KEY, algorithm="ES256")
    answer = server.post(
        "token",
        ASK | {"client_assertion_type": ASSERTION, "client_assertion": assertion},
    )

    assert_refused(answer, "access_denied")
    assert "service account" in answer.json()["error_description"]


def test_a_revoked_token_ends_it_and_the_next_request_begins_anew(homeserver, server, ask, account):
    """As of any session (RFC 7009); its device goes, and comes back with the same id."""
    first = ask().json()["access_token"]
    ((before, device, _),) = living(homeserver, account)
    revoked = server.post("revoke", {"token": first}, **BASIC)
    assert revoked.status_code == 200
    assert server.whoami(first).status_code == 401

    second = ask().json()["access_token"]
    assert server.whoami(second).json()["device_id"] == device
    ((after, _, _),) = living(homeserver, account)
    assert after != before


def test_many_at_once_have_one_session(homeserver, server, ask, account):
    """A program that is started ten times at the same moment, and none of them is signed out."""
    server.post("revoke", {"token": ask().json()["access_token"]}, **BASIC)
    devices = "SELECT device_id FROM devices WHERE user_id = ? AND hidden = ?"
    assert eventually(lambda: not homeserver.query(devices, account, False))
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: ask(), range(10)))

    assert [answer.status_code for answer in answers] == [200] * 10
    assert len(living(homeserver, account)) == 1
    assert {server.whoami(each.json()["access_token"]).status_code for each in answers} == {200}


def test_a_locked_account_gets_nothing(homeserver, server, ask, account):
    """Until somebody lets it again."""
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v2/users/{account}"
    server.api("PUT", path, admin, json={"locked": True}).raise_for_status()
    try:
        assert eventually(lambda: ask().status_code == 400)
        assert_refused(ask(), "access_denied")
    finally:
        server.api("PUT", path, admin, json={"locked": False}).raise_for_status()
    assert eventually(lambda: ask().status_code == 200)


def test_the_metadata_names_it(server):
    """As a client of the configuration has it."""
    assert "client_credentials" in server.metadata()["grant_types_supported"]
