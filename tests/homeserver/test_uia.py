"""Interactive re-authentication with our tokens: passwords complete nothing, a page may (MSC4312)."""

import pytest

from support.accounts import no_account
from support.keys import master_key, public_key
from support.oauth import API, DEVICE, Browser, device_id

pytestmark = pytest.mark.every_release

V3 = "/_matrix/client/v3"
RESET = f"{V3}/keys/device_signing/upload"


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def tokens(client, user):
    return client.sign_in(user.localpart, user.password)


def password(user, session=None):
    stage = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user.localpart},
        "password": user.password,
    }
    return stage | ({"session": session} if session else {})


OPERATIONS = {
    "delete_devices": lambda other: ("POST", f"{V3}/delete_devices", {"devices": [other]}),
    "delete_device": lambda other: ("DELETE", f"{V3}/devices/{other}", {}),
    "password": lambda _: ("POST", f"{V3}/account/password", {"new_password": "battery-staple"}),
    "deactivate": lambda _: ("POST", f"{V3}/account/deactivate", {"erase": True}),
    "3pid": lambda _: ("POST", f"{V3}/account/3pid/add", {"client_secret": "secret", "sid": "1"}),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_c118_no_stage_completes_it_with_our_token(homeserver, server, client, user, tokens, name):
    """Nothing, a dummy, the right password, SSO, a session of a stock token: 403, nothing happens."""
    other = homeserver.login(user)
    method, path, body = OPERATIONS[name](other["device_id"])
    begun = server.api(method, path, other["access_token"], json=body).json()["session"]
    attempts = [
        None,
        {},
        {"type": "m.login.dummy"},
        {"type": "m.login.dummy", "session": begun},
        password(user),
        password(user, begun),
        {"session": begun},
        {"type": "m.login.sso", "session": begun},
        {"type": "m.oauth", "session": begun},
        {"type": "org.matrix.cross_signing_reset"},
    ]

    answers = [
        server.api(method, path, tokens["access_token"], json=body | {"auth": auth})
        for auth in attempts
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["errcode"]) == (403, "M_FORBIDDEN"), answer.text
        instead = answer.json()["error"]  # and what helps with something else is not named
        assert (server.url("account") in instead) == ("device" in name)
        assert ("ask the administrator" in instead) == ("device" not in name)
    assert server.whoami(other["access_token"]).status_code == 200
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert homeserver.login(user)["device_id"], "the password is the same"


def test_c118_a_stage_done_with_a_stock_token_is_not_ours(homeserver, server, user, tokens):
    """A UIA session that a stock token completed does not pass for our token."""
    stock = homeserver.login(user)
    victim = homeserver.login(user)
    method, path, body = OPERATIONS["delete_device"](victim["device_id"])
    session = server.api(method, path, stock["access_token"], json=body).json()["session"]
    done = server.api(method, path, stock["access_token"], json={"auth": password(user, session)})
    again = homeserver.login(user, device_id=victim["device_id"])

    answer = server.api(method, path, tokens["access_token"], json={"auth": {"session": session}})

    assert done.status_code == 200
    assert answer.status_code == 403
    assert server.whoami(again["access_token"]).status_code == 200


def test_c118_a_stock_token_still_completes_it_with_its_password(homeserver, server, user):
    stock, other = homeserver.login(user), homeserver.login(user)
    method, path, body = OPERATIONS["delete_device"](other["device_id"])
    session = server.api(method, path, stock["access_token"], json=body).json()["session"]

    done = server.api(method, path, stock["access_token"], json={"auth": password(user, session)})

    assert done.status_code == 200
    assert server.whoami(other["access_token"]).status_code == 401


def test_the_first_identity_and_the_same_one_again_need_no_approval(server, user, tokens):
    """Setting up encryption asks nobody anything (MSC3967)."""
    keys = master_key(user.user_id)

    first = server.api("POST", RESET, tokens["access_token"], json=keys)
    same = server.api("POST", RESET, tokens["access_token"], json=keys)

    assert (first.status_code, same.status_code) == (200, 200)


@pytest.fixture
def reset(server, user, tokens):
    """Return a function that tries to replace the cryptographic identity of an account."""
    assert server.api("POST", RESET, tokens["access_token"], json=master_key(user.user_id)).ok

    def attempt(key=None, *, with_tokens=tokens, auth=None):
        body = master_key(user.user_id, key) | ({"auth": auth} if auth is not None else {})
        return server.api("POST", RESET, with_tokens["access_token"], json=body)

    return attempt


def approve(browser, url, user):
    """Open the page of an approval, sign in and agree; return the last page."""
    page = browser.get(url)
    if 'name="password"' in page.text:
        page = browser.sign_in(user.localpart, user.password)
    assert "Reset your cryptographic identity?" in page.text, page.text
    return browser.submit(decision="approve")


def test_c299_the_reset_asks_for_an_approval_on_a_page(server, reset):
    """401 with both names of the stage, the page for each, and a session to come back with."""
    challenge = reset()
    body = challenge.json()
    (url,) = {param["url"] for param in body["params"].values()}

    assert challenge.status_code == 401
    assert body["flows"] == [
        {"stages": ["m.oauth"]},
        {"stages": ["org.matrix.cross_signing_reset"]},
    ]
    assert body["params"].keys() == {"m.oauth", "org.matrix.cross_signing_reset"}
    assert body["completed"] == []
    assert url.startswith(f"{server.issuer}approve?")
    assert body["session"]
    assert reset().json()["session"] == body["session"], "a repeated question is the same one"


def test_c299_an_approved_reset_succeeds_once(homeserver, server, client, user, tokens, reset):
    """The retry of any form works, with a refreshed token too; the next reset asks again."""
    challenge, key = reset(), public_key()
    url = challenge.json()["params"]["m.oauth"]["url"]
    page = approve(Browser(server), url, user)
    renewed = client.refresh(tokens["refresh_token"]).json()
    auth = {"type": "m.oauth", "session": challenge.json()["session"]}

    done = reset(key, with_tokens=renewed, auth=auth)
    more = [reset(with_tokens=renewed, auth=auth), reset(with_tokens=renewed)]

    assert page.status_code == 200
    assert done.status_code == 200, done.text
    assert key in str(identity(server, user, renewed))
    assert [answer.status_code for answer in more] == [401, 401]
    assert key in str(identity(server, user, renewed))
    (kinds,) = zip(
        *homeserver.query(
            "SELECT kind FROM nextgen_events WHERE user_id = ? AND detail = ?",
            user.user_id,
            "org.matrix.cross_signing_reset",
        ),
        strict=True,
    )
    assert kinds == ("operation_approved",)


@pytest.mark.parametrize("auth", [None, {}, {"type": "org.matrix.cross_signing_reset"}])
def test_c299_however_a_client_asks_again(server, user, reset, auth):
    """Some retry the same request, some name the stage, some the session."""
    url = reset().json()["params"]["org.matrix.cross_signing_reset"]["url"]
    approve(Browser(server), url, user)

    assert reset(auth=auth).status_code == 200


def test_c118_no_stage_completes_the_reset(server, user, tokens, reset):
    """Without the approval neither password nor dummy nor naming the stage will do."""
    before = identity(server, user, tokens)
    session = reset().json()["session"]
    attempts = [
        {"type": "m.login.dummy", "session": session},
        password(user, session),
        {"type": "m.oauth", "session": session},
        {"type": "org.matrix.cross_signing_reset", "session": session},
        {"session": session},
    ]

    answers = [reset(auth=auth) for auth in attempts]

    assert [answer.status_code for answer in answers] == [401] * len(attempts)
    assert identity(server, user, tokens) == before


def test_c299_another_session_cannot_use_the_approval(server, client, user, tokens, reset):
    """A stolen token of a second device finds nothing in the minutes after an approval."""
    thief = client.sign_in(user.localpart, user.password)
    challenge = reset()
    approve(Browser(server), challenge.json()["params"]["m.oauth"]["url"], user)
    auth = {"type": "m.oauth", "session": challenge.json()["session"]}

    stolen = [reset(with_tokens=thief), reset(with_tokens=thief, auth=auth)]

    assert [answer.status_code for answer in stolen] == [401, 401]
    assert stolen[0].json()["session"] != challenge.json()["session"]
    assert reset().status_code == 200


def test_c299_a_stock_token_cannot_use_it_either(homeserver, server, user, reset):
    stock = homeserver.login(user)
    challenge = reset()
    approve(Browser(server), challenge.json()["params"]["m.oauth"]["url"], user)
    auth = {"type": "m.oauth", "session": challenge.json()["session"]}

    assert reset(with_tokens=stock, auth=auth).status_code == 400
    assert reset(with_tokens=stock).json()["flows"] == [{"stages": ["m.login.password"]}]
    assert reset().status_code == 200


def test_c299_the_same_device_after_another_sign_in_asks_anew(server, client, user):
    """The approval belongs to the session, not to the name of its device."""
    scope = f"{API} {DEVICE}{device_id()}"
    first = client.sign_in(user.localpart, user.password, scope=scope)
    token = first["access_token"]
    server.api("POST", RESET, token, json=master_key(user.user_id))
    challenge = server.api("POST", RESET, token, json=master_key(user.user_id)).json()
    approve(Browser(server), challenge["params"]["m.oauth"]["url"], user)

    second = client.sign_in(user.localpart, user.password, scope=scope)
    answer = server.api("POST", RESET, second["access_token"], json=master_key(user.user_id))

    assert answer.status_code == 401


def test_c299_a_cancelled_approval_is_none(server, user, reset):
    """Who cancels, or only looks at the page, has agreed to nothing."""
    url = reset().json()["params"]["m.oauth"]["url"]
    browser = Browser(server)
    browser.get(url)
    browser.sign_in(user.localpart, user.password)
    looked = reset().status_code

    browser.submit(decision="cancel")

    assert looked == 401
    assert reset().status_code == 401


def test_c299_an_approval_is_given_once(server, user, reset):
    """A second click, or the link opened again, says that this is done."""
    url = reset().json()["params"]["m.oauth"]["url"]
    browser = Browser(server)
    approve(browser, url, user)

    again = browser.get(url)

    assert again.status_code == 409
    assert "This is already done" in again.text


def test_c301_somebody_elses_request_is_nobodys_business(homeserver, server, user, reset):
    """Another account sees neither the page nor whose it is, and cannot approve."""
    url = reset().json()["params"]["m.oauth"]["url"]
    other = homeserver.new_user()
    browser = Browser.of(server, other)

    page = browser.get(url)
    unknown = browser.get(url[:-1] + ("0" if url[-1] != "0" else "1"))

    assert page.status_code == 403
    assert user.localpart not in page.text
    assert unknown.status_code == 400
    assert reset().status_code == 401


def test_c302_a_locked_account_approves_nothing(homeserver, server, user, reset):
    """Its browser is still signed in, but its pages say that it is locked."""
    url = reset().json()["params"]["m.oauth"]["url"]
    browser = Browser.of(server, user)
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v2/users/{user.user_id}"
    server.api("PUT", path, admin, json={"locked": True})

    page = browser.get(url)
    server.api("PUT", path, admin, json={"locked": False})

    assert page.status_code == 403
    assert "This account is locked" in page.text
    assert reset().status_code == 401


def test_c302_an_account_that_is_not_there_approves_nothing(homeserver, server, user, reset):
    """Its browser is still signed in, and the request still waits."""
    url = reset().json()["params"]["m.oauth"]["url"]
    browser = Browser.of(server, user)

    with no_account(homeserver, user):
        page = browser.get(url)

    assert page.status_code == 403
    assert "It has been deactivated" in page.text
    assert reset().status_code == 401


def identity(server, user, tokens):
    """Return the cross-signing keys of an account."""
    body = {"device_keys": {user.user_id: []}}
    answer = server.api("POST", f"{V3}/keys/query", tokens["access_token"], json=body)
    return answer.json()["master_keys"]
