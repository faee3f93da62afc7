"""The admin API: who may call it, and what each of its calls has in common."""

import pytest
import requests

from support.admin_api import MAS_ADMIN, ROOT, AdminApi, scope
from support.oauth import ADMIN, API, DEVICE, Browser, device_id
from support.personal_tokens import make_token

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]


@pytest.fixture
def admin(homeserver):
    """Return an administrator of this test's own."""
    return homeserver.new_user(admin=True)


@pytest.fixture
def token(server, admin):
    return server.client().sign_in(admin.localpart, admin.password, scope=scope())["access_token"]


@pytest.fixture
def api(server, token):
    return AdminApi.of(server, token)


def challenge(answer):
    return answer.headers["WWW-Authenticate"]


def test_site_config_and_version(homeserver, api):
    """Scripts of any site may read them, with a token."""
    told = api.ask("GET", "site-config")

    assert told.json()["server_name"] == homeserver.server_name
    assert told.headers["Access-Control-Allow-Origin"] == "*"
    assert told.headers["Cache-Control"] == "no-store"
    assert api.get("version")["version"]


def test_c330_without_a_token_or_with_a_bad_one_it_is_401(homeserver, server, api, user):
    """As everywhere here, where matrix-authentication-service says 400; also where there is nothing."""
    stock = homeserver.login(user)["access_token"]
    for path in ("site-config", "nothing/here"):
        url = server.url(ROOT + path)
        for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}):
            answer = requests.get(url, headers=headers, timeout=30)
            assert answer.status_code == 401
            assert challenge(answer).startswith("Bearer")
            assert answer.json()["errors"][0]["title"]
        for bad in ("nonsense", f"{api.token}x", stock):
            answer = requests.get(url, headers={"Authorization": f"Bearer {bad}"}, timeout=30)
            assert answer.status_code == 401
            assert 'error="invalid_token"' in challenge(answer)
        assert requests.get(f"{url}?access_token={api.token}", timeout=30).status_code == 401


def test_c311_it_takes_the_scope_and_an_administrator(homeserver, server, admin):
    """Neither the whole account nor the power over Synapse's own admin API is enough."""
    client = server.client()
    for granted in (API, f"{API} {ADMIN}"):
        tokens = client.sign_in(
            admin.localpart, admin.password, scope=f"{granted} {DEVICE}{device_id()}"
        )
        answer = server.api(
            "GET", "/_synapse/client/auth/" + ROOT + "users", tokens["access_token"]
        )

        assert answer.status_code == 403
        assert f'scope="{MAS_ADMIN}"' in challenge(answer)
        assert "insufficient_scope" in challenge(answer)


def test_c311_the_flag_is_asked_for_at_each_call(homeserver, server, api, admin):
    """Whoever is no administrator any more gets nothing with the token of before (C313)."""
    other = homeserver.new_user(admin=True)
    with_power = server.client().sign_in(
        other.localpart, other.password, scope=f"{API} {DEVICE}{device_id()} {ADMIN}"
    )["access_token"]
    api.get("site-config")
    demoted = server.api(
        "PUT",
        f"/_synapse/admin/v1/users/{admin.user_id}/admin",
        with_power,
        json={"admin": False},
    )
    assert demoted.status_code == 200

    assert "administrator" in api.refused("GET", "site-config", 403)


def test_c311_nobody_else_is_granted_the_scope(server, user):
    """The page says that this is not theirs to give."""
    client = server.client()
    parameters, _ = client.request(scope=scope())
    browser = Browser.of(server, user)
    page = browser.authorize(parameters)

    assert page.status_code == 403


def test_the_scope_opens_nothing_of_matrix(server, admin):
    """A program may have that alone, as scripts for matrix-authentication-service ask for it."""
    tokens = server.client().sign_in(admin.localpart, admin.password, scope=MAS_ADMIN)
    api = AdminApi.of(server, tokens["access_token"])

    assert tokens["scope"] == MAS_ADMIN
    assert api.get("version")
    refused = server.whoami(tokens["access_token"])
    assert refused.status_code == 403
    assert refused.json()["errcode"] == "M_FORBIDDEN"


def test_a_personal_token_opens_it(server, admin):
    """An administrator makes one for a script; others are not offered that, and get none."""
    browser = Browser.of(server, admin)
    made = make_token(browser, may_read=None, may_manage_accounts="on")

    assert AdminApi.of(server, made).get("site-config")


def test_c179_a_locked_account_is_401(homeserver, server, admin, api):
    """Its tokens open nothing until it is unlocked."""
    api.get("site-config")
    other = homeserver.new_user(admin=True)
    with_power = server.client().sign_in(
        other.localpart, other.password, scope=f"{API} {DEVICE}{device_id()} {ADMIN}"
    )["access_token"]

    def lock(is_locked):
        answer = server.api(
            "PUT",
            f"/_synapse/admin/v2/users/{admin.user_id}",
            with_power,
            json={"locked": is_locked},
        )
        assert answer.status_code == 200, answer.text

    lock(is_locked=True)
    api.refused("GET", "site-config", 401)
    lock(is_locked=False)
    assert api.get("site-config")


def test_what_is_not_there_and_what_nobody_asks_so(server, api):
    """Unknown paths, methods and parameters are named; a HEAD is a GET without its body."""
    url = f"/_synapse/client/auth/{ROOT}"
    missing = server.api("GET", f"{url}nothing", api.token)
    wrong = server.api("POST", f"{url}version", api.token, json={})

    assert missing.status_code == 404
    assert missing.json()["errors"]
    assert wrong.status_code == 405
    assert wrong.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert "no parameter" in api.refused("GET", "version", 400, params={"filter[admn]": "true"})
    assert server.api("HEAD", f"{url}version", api.token).content == b""
