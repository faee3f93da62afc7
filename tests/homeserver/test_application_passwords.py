"""A personal token in the place of the password at `/login`: that same token, nothing stock."""

import asyncio
import time
from urllib.parse import quote

import nio
import pytest
import requests
from mautrix.api import HTTPAPI
from mautrix.client import ClientAPI
from mautrix.types import UserID

from support.oauth import Browser, Server
from support.personal_tokens import A_BOT, A_TOKEN, make_token
from support.step_up import gets_a_second_factor
from support.tokens import made_from
from support.waiting import eventually

pytestmark = [pytest.mark.one_database, pytest.mark.every_release]

V3 = "/_matrix/client/v3"
FORM = "account-token-add?id=password"


@pytest.fixture
def token(browser):
    """Return one that was made on the page for an application that asks for a password."""
    return make_token(browser, at=FORM, **A_BOT)


def log_in(server, password, *, by=None, path="v3", **fields):
    named = {"identifier": {"type": "m.id.user", "user": by.localpart}} if by else {}
    asks = {"type": "m.login.password", "password": password} | named | fields
    return requests.post(f"{server.base_url}/_matrix/client/{path}/login", json=asks, timeout=30)


def got(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


def is_wrong(answer):
    said = {"errcode": "M_FORBIDDEN", "error": "Invalid username or password"}
    return answer.status_code == 403 and answer.json() == said


def rows(homeserver, user):
    """Return what Synapse would have made for a sign-in of its own."""
    return [
        homeserver.query(f"SELECT COUNT(*) FROM {table} WHERE user_id = ?", user.user_id)[0][0]
        for table in ("access_tokens", "refresh_tokens", "devices")
    ]


def test_what_login_answers_is_the_token_itself(homeserver, server, user, token):
    """With its device and its end, whatever the client asks for; nothing stock is minted, ever."""
    device = server.whoami(token).json()["device_id"]
    before = rows(homeserver, user)
    asks = {"device_id": "ANOTHERONE", "initial_device_display_name": "Mine", "refresh_token": True}
    first = got(log_in(server, token, by=user, **asks))
    second = got(log_in(server, f" {token}\n", by=user))

    assert first | {"expires_in_ms": 0} == second | {"expires_in_ms": 0}
    assert first["access_token"] == token
    assert (first["user_id"], first["device_id"]) == (user.user_id, device)
    assert "refresh_token" not in first
    assert 0 < first["expires_in_ms"] / 1000 - 30 * 24 * 3600 + 600 <= 600
    assert rows(homeserver, user) == before
    assert before[:2] == [0, 0]
    assert server.whoami(first["access_token"]).json()["device_id"] == device
    named = server.api("GET", f"{V3}/devices/{device}", token).json()
    assert named["display_name"] == "Bot"


def test_the_account_is_named_in_every_spelling(homeserver, server, user, token):
    """As at any sign-in: in full, in part, in the old field, in another case, by its address."""
    address = f"{user.localpart}@example.com"
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    known = {"threepids": [{"medium": "email", "address": address}]}
    server.api("PUT", f"/_synapse/admin/v2/users/{user.user_id}", admin, json=known)
    for fields in (
        {"identifier": {"type": "m.id.user", "user": user.user_id}},
        {"identifier": {"type": "m.id.user", "user": user.localpart.upper()}},
        {"user": user.localpart},
        {"user": user.user_id},
        {"identifier": {"type": "m.id.thirdparty", "medium": "email", "address": address}},
        {"medium": "email", "address": address.upper()},
    ):
        assert got(log_in(server, token, **fields))["access_token"] == token, fields
    assert got(log_in(server, token, by=user, path="r0"))["access_token"] == token
    assert got(log_in(server, token, by=user, path="api/v1"))["access_token"] == token


def test_a_narrow_one_stays_as_narrow(server, browser, user):
    """Its scope is its scope, whichever way it comes in."""
    token = make_token(browser, **{**A_TOKEN, "device": "new"})
    got(log_in(server, token, by=user))

    assert server.api("GET", f"{V3}/sync", token, params={"timeout": 0}).status_code == 200
    assert server.api("POST", f"{V3}/createRoom", token, json={}).status_code == 403


def test_one_without_a_device_is_told_so(server, browser, user):
    """Whoever has it may know: signing in takes a device."""
    answer = log_in(server, make_token(browser), by=user)

    assert answer.status_code == 403
    assert "has no device" in answer.json()["error"]


def test_anything_else_is_a_wrong_password(homeserver, server, user, token):
    """Of somebody else, changed, over, of another kind, and one whose time has come."""
    other = homeserver.new_user()
    wrong = [
        (other, token),
        (user, token[:-2] + ("AA" if token[-2:] != "AA" else "BB")),
        (user, "ngp_" + "A" * 60),
        (user, made_from(token, expires_at=int(time.time()) - 1)),
    ]
    for account, text in wrong:
        assert is_wrong(log_in(server, text, by=account)), text
    missing = {"type": "m.id.user", "user": "nobody-is-called-this"}
    assert is_wrong(log_in(server, token, identifier=missing))
    elsewhere = {"type": "m.id.thirdparty", "medium": "email", "address": "nobody@example.com"}
    assert is_wrong(log_in(server, token, identifier=elsewhere))
    for identifier in ({}, {"type": "m.id.user"}, {"type": "made.up"}, {"type": "m.id.thirdparty"}):
        answer = log_in(server, token, identifier=identifier)
        assert answer.status_code == 400, identifier
    assert got(log_in(server, token, by=user))["access_token"] == token
    assert got(log_in(server, user.password, by=user))["access_token"] != token


def test_what_is_refused_is_no_use_of_it(homeserver, server, browser, user, token):
    """Whoever shows it with the name of another account leaves no trace on its owner's page."""
    assert is_wrong(log_in(server, token, by=homeserver.new_user()))
    without = make_token(browser)
    assert log_in(server, without, by=user).status_code == 403
    third = make_token(browser, at=FORM, **{**A_BOT, "name": "Mine"})
    got(log_in(server, third, by=user))

    # What is used is written down in batches, in their order.
    eventually(lambda: used(homeserver, user))
    assert used(homeserver, user) == [("Mine",)]


def used(homeserver, user):
    """Return what the tokens of an account are called that were used."""
    return homeserver.query(
        "SELECT name FROM nextgen_personal_tokens AS t, nextgen_sessions AS s"
        " WHERE t.session_id = s.session_id AND t.user_id = ? AND s.confirmed_generation > 0",
        user.user_id,
    )


def test_it_is_no_password_anywhere_else(server, browser, user, token):
    """Not on our pages, and not where a dangerous request wants the password again."""
    page = Browser(server)
    page.get(server.url("sign-in"))
    assert page.sign_in(user.localpart, token).status_code == 403
    stock = got(log_in(server, user.password, by=user))["access_token"]
    answer = server.api("POST", f"{V3}/delete_devices", stock, json={"devices": ["X"]})
    auth = {
        "type": "m.login.password",
        "session": answer.json()["session"],
        "identifier": {"type": "m.id.user", "user": user.localpart},
        "password": token,
    }
    again = server.api("POST", f"{V3}/delete_devices", stock, json={"devices": ["X"], "auth": auth})

    assert again.status_code == 401, again.text


def test_the_end_of_it_is_the_end(homeserver, server, browser, user):
    """Signed out by the application, revoked, deactivated: then it is a wrong password."""
    ends = (
        lambda token: server.api("POST", f"{V3}/logout", token, json={}),
        lambda token: server.revoke(token=token),
        lambda token: server.api(
            "DELETE", f"/_synapse/admin/v2/users/{user.user_id}/devices/{device_of(token)}", admin
        ),
    )
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]

    def device_of(token):
        return server.whoami(token).json()["device_id"]

    for end in ends:
        token = make_token(browser, at=FORM, **A_BOT)
        got(log_in(server, token, by=user))
        assert end(token).status_code == 200
        assert is_wrong(log_in(server, token, by=user))
        assert server.whoami(token).status_code == 401


def test_a_locked_account_hears_that_it_is(homeserver, server, user, token):
    """In Synapse's own words, and it is let in again when it is unlocked."""
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v2/users/{user.user_id}"
    server.api("PUT", path, admin, json={"locked": True})
    answer = log_in(server, token, by=user)

    assert (answer.status_code, answer.json()["errcode"]) == (401, "M_USER_LOCKED")
    server.api("PUT", path, admin, json={"locked": False})
    assert got(log_in(server, token, by=user))["access_token"] == token


def test_clients_of_others_sign_in_with_it(homeserver, server, user, token):
    """Nio and mautrix, as with any password; what they do then is done with the token."""

    async def with_nio():
        client = nio.AsyncClient(server.base_url, user.user_id)
        try:
            answer = await client.login(token, device_name="nio")
            assert isinstance(answer, nio.LoginResponse), answer
            assert client.access_token == token
            synced = await client.sync(timeout=0)
            assert isinstance(synced, nio.SyncResponse), synced
            return answer.device_id
        finally:
            await client.close()

    async def with_mautrix():
        api = HTTPAPI(base_url=server.base_url)
        client = ClientAPI(UserID(user.user_id), api=api)
        try:
            answer = await client.login(password=token, device_name="mautrix")
            assert api.token == token
            return answer.device_id, (await client.whoami()).user_id
        finally:
            await api.session.close()

    device = asyncio.run(with_nio())
    assert asyncio.run(with_mautrix()) == (device, user.user_id)
    room = server.api("POST", f"{V3}/createRoom", token, json={}).json()["room_id"]
    assert server.api("GET", f"{V3}/rooms/{quote(room)}/members", token).status_code == 200


def test_the_page_says_what_to_do_with_it(server, user, browser):
    """From the list to the form, and to what is to be typed where."""
    listed = browser.get(server.url("account-tokens")).text
    assert FORM in listed
    form = browser.get(server.url(FORM)).text
    assert "Make an application password" in form
    assert 'name="may_whole" type="checkbox" value="on" checked' in form
    made = browser.submit(decision="make", **A_BOT).text
    assert f"sign in there as <bdi>{user.user_id}</bdi>" in made


def test_c293_it_is_the_way_of_who_has_a_second_factor(factor_homeserver, factor_server):
    """Their password alone opens no old application, and this is none."""
    user = factor_homeserver.new_user()
    token = make_token(Browser.of(factor_server, user), at=FORM, **A_BOT)
    gets_a_second_factor(factor_homeserver, user)
    closed = log_in(factor_server, user.password, by=user)

    assert closed.status_code == 403
    assert "second factor" in closed.json()["error"]
    assert got(log_in(factor_server, token, by=user))["access_token"] == token


def test_the_operator_says_what_it_is_where_passwords_are_closed(start_homeserver):
    """Offered, taken or nothing; wrong ones count as wrong passwords of the account do."""
    few = {"per_second": 0.001, "burst_count": 3}
    module = {"legacy_login": {"password": "never"}, "personal_tokens": {"at_login": "offered"}}
    homeserver = start_homeserver(module=module, config={"rc_login": {"failed_attempts": few}})
    server, user = Server(homeserver.base_url), homeserver.new_user()
    other = homeserver.new_user()
    token = make_token(Browser.of(server, user), at=FORM, **A_BOT)

    def flows():
        answer = requests.get(f"{server.base_url}{V3}/login", timeout=30)
        return [each["type"] for each in answer.json()["flows"]]

    assert flows()[0] == "m.login.password"
    closed = log_in(server, user.password, by=user)
    assert (closed.status_code, "closed this way" in closed.json()["error"]) == (403, True)
    assert got(log_in(server, token, by=user))["access_token"] == token
    tries = [log_in(server, token, by=other) for _ in range(4)]
    assert [each.status_code for each in tries] == [403, 403, 403, 429]
    assert tries[-1].json()["errcode"] == "M_LIMIT_EXCEEDED"
    assert got(log_in(server, token, by=user))["access_token"] == token
    junk = [log_in(server, "ngp_" + "A" * 60, by=user).status_code for _ in range(4)]
    assert junk == [403, 403, 403, 429]
    assert log_in(server, token, by=other).status_code == 429
    assert got(log_in(server, token, by=user))["access_token"] == token

    module["personal_tokens"]["at_login"] = "taken"
    homeserver.restart()
    assert "m.login.password" not in flows()
    assert got(log_in(server, token, by=user))["access_token"] == token

    module["personal_tokens"]["at_login"] = "refused"
    homeserver.restart()
    refused = log_in(server, token, by=user)
    assert (refused.status_code, "closed this way" in refused.json()["error"]) == (403, True)
    assert FORM not in Browser.of(server, user).get(server.url("account-tokens")).text
