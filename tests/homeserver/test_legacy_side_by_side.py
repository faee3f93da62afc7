"""Everything that Synapse did before goes on beside us: logins, bridges, other modules, UIA."""

import pytest
import requests

from support.keys import master_key
from support.neighbours import BRIDGE_TOKEN, ODD_BRIDGE_TOKEN, Neighbours
from support.oauth import API, DEVICE, ISSUER_PATH, Browser, Server, device_id
from support.pushers import set_pusher
from support.synapse import User
from support.tokens import inside

pytestmark = pytest.mark.every_release

V3 = "/_matrix/client/v3"


@pytest.fixture
def homeserver(busy_homeserver):
    return busy_homeserver


@pytest.fixture
def neighbours(homeserver):
    return Neighbours(homeserver)


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


def works(server, token):
    return server.whoami(token).status_code == 200


# Legacy clients


def test_a_legacy_client_signs_in_refreshes_and_signs_out(homeserver, server, user):
    first = homeserver.login(user, refresh_token=True)
    plain = homeserver.login(user)["access_token"]

    again = legacy_refresh(server, first["refresh_token"]).json()
    worked = [works(server, token) for token in (first["access_token"], plain)]
    out = [server.api("POST", f"{V3}/logout", token) for token in (again["access_token"], plain)]

    assert worked == [True, True]
    assert [answer.status_code for answer in out] == [200, 200]
    assert not works(server, plain)
    assert legacy_refresh(server, again["refresh_token"]).status_code in {401, 403}


def test_logging_out_of_a_legacy_device_leaves_our_session_alone(homeserver, server, client, user):
    ours = client.sign_in(user.localpart, user.password)["access_token"]
    legacy = homeserver.login(user)["access_token"]

    server.api("POST", f"{V3}/logout", legacy)

    assert works(server, ours)
    assert not works(server, legacy)


def test_an_account_is_registered_as_before(homeserver, server, neighbours):
    """Through UIA with a dummy stage, then approval, then `/login`; and our pages know it, too."""
    localpart = f"{homeserver.new_user().localpart}-new"
    user = User(f"@{localpart}:localhost", localpart, "correct-horse")

    asked = neighbours.registered(username=localpart, password=user.password, auth={})
    made = neighbours.registered(
        username=localpart,
        password=user.password,
        auth={"type": "m.login.dummy", "session": asked.json()["session"]},
    )
    neighbours.administer("PUT", user, {"approved": True})

    assert asked.status_code == 401
    assert asked.json()["flows"] == [{"stages": ["m.login.dummy"]}]
    assert made.json()["errcode"] == "ORG.MATRIX.MSC3866_USER_AWAITING_APPROVAL"
    assert works(server, homeserver.login(user)["access_token"])
    assert works(server, server.client().sign_in(localpart, user.password)["access_token"])


@pytest.mark.parametrize("keep_others", [False, True])
def test_a_password_changed_by_a_legacy_client(homeserver, server, client, user, keep_others):
    """UIA with the password as ever; our sessions and browsers end unless others may stay."""
    browser = Browser(server)
    ours = client.sign_in(user.localpart, user.password, browser=browser)
    legacy = homeserver.login(user)["access_token"]
    body = {"new_password": "battery-staple", "logout_devices": not keep_others}

    asked = server.api("POST", f"{V3}/account/password", legacy, json=body)
    done = server.api(
        "POST", f"{V3}/account/password", legacy, json=body | password_stage(asked, user)
    )
    parameters, _ = client.request()
    signed_out = 'name="password"' in browser.authorize(parameters).text

    assert {"stages": ["m.login.password"]} in asked.json()["flows"]
    assert done.status_code == 200, done.text
    assert works(server, legacy)
    assert works(server, ours["access_token"]) is keep_others
    assert signed_out is not keep_others
    changed = User(user.user_id, user.localpart, "battery-staple")
    assert works(server, client.sign_in(changed.localpart, changed.password)["access_token"])


def test_a_legacy_client_deletes_our_device(homeserver, server, client, user):
    """UIA with the password completes for a stock token, and our session ends with its device."""
    device = device_id()
    ours = client.sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{device}")
    legacy = homeserver.login(user)["access_token"]
    path = f"{V3}/devices/{device}"

    asked = server.api("DELETE", path, legacy, json={})
    done = server.api("DELETE", path, legacy, json=password_stage(asked, user))

    assert done.status_code == 200, done.text
    assert not works(server, ours["access_token"])
    assert client.refresh(ours["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_legacy_client_deactivates_the_account(homeserver, server, client, user):
    ours = client.sign_in(user.localpart, user.password)
    legacy = homeserver.login(user)["access_token"]

    asked = server.api("POST", f"{V3}/account/deactivate", legacy, json={})
    done = server.api("POST", f"{V3}/account/deactivate", legacy, json=password_stage(asked, user))

    assert done.status_code == 200, done.text
    assert not works(server, ours["access_token"])
    assert client.refresh(ours["refresh_token"]).json()["error"] == "invalid_grant"


def test_c117_c334_a_token_of_ours_makes_a_login_token_only_once_approved(
    homeserver, server, client, user
):
    """`login_via_existing_session` works once for a stock token; with one of ours a page comes first."""
    ours = client.sign_in(user.localpart, user.password)["access_token"]
    legacy = homeserver.login(user)["access_token"]
    path = "/_matrix/client/v1/login/get_token"

    asked = server.api("POST", path, ours, json={})
    made = server.api("POST", path, legacy, json={})
    login = {"type": "m.login.token", "token": made.json()["login_token"]}
    used = [requests.post(f"{homeserver.base_url}{V3}/login", json=login, timeout=30) for _ in "12"]

    assert asked.status_code == 401
    assert asked.json()["flows"] == [{"stages": ["m.login.sso"]}]
    assert "login_token" not in asked.json()
    assert [answer.status_code for answer in used] == [200, 403]
    assert works(server, used[0].json()["access_token"])
    assert works(server, ours)


def test_c117_without_the_setting_there_are_no_login_tokens_for_anybody(sqlite_homeserver):
    """Synapse does not serve the endpoint then: 404, to our tokens as to any other."""
    server, user = Server(sqlite_homeserver.base_url), sqlite_homeserver.new_user()
    ours = server.client().sign_in(user.localpart, user.password)["access_token"]
    legacy = sqlite_homeserver.login(user)["access_token"]
    path = "/_matrix/client/v1/login/get_token"
    answers = [server.api("POST", path, token, json={}) for token in (ours, legacy)]

    for answer in answers:
        assert (answer.status_code, answer.json()["errcode"]) == (404, "M_UNRECOGNIZED")


def test_c117_a_token_of_ours_that_does_not_work_is_not_told_more(server, client, user):
    """`/login/get_token` answers a dead token as every other endpoint does."""
    tokens = client.sign_in(user.localpart, user.password)
    server.revoke(token=tokens["access_token"])

    answer = server.api(
        "POST", "/_matrix/client/v1/login/get_token", tokens["access_token"], json={}
    )

    assert (answer.status_code, answer.json()["errcode"]) == (401, "M_UNKNOWN_TOKEN")


# Application services


def test_c119_a_bridge_is_served_by_the_endpoints_that_are_not_for_our_tokens(server):
    """What its token looks like decides nothing."""
    answers = [
        server.api(method, f"/_matrix/client/{path}", ODD_BRIDGE_TOKEN, json={}).json()
        for method, path in (
            ("POST", "v3/account/3pid"),
            ("POST", "v3/account/3pid/delete"),
            ("PUT", "unstable/org.matrix.msc3814.v1/dehydrated_device"),
            ("GET", "v3/capabilities"),
        )
    ]

    assert [answer.get("errcode") for answer in answers[:3]] == ["M_MISSING_PARAM"] + [
        "M_BAD_JSON"
    ] * 2
    assert answers[3]["capabilities"]["m.3pid_changes"] == {"enabled": True}


def test_c119_a_bridges_token_that_looks_like_ours_may_stand_in_the_address(server):
    """Only what we gave out is refused there."""
    path = f"{V3}/account/whoami?access_token={ODD_BRIDGE_TOKEN}"

    answer = requests.get(server.base_url.rstrip("/") + path, timeout=30)

    assert (answer.status_code, answer.json()["user_id"]) == (200, "@odd_bot:localhost")


def test_c119_a_bridge_is_asked_for_first(server):
    """A bridge whose token begins like ours is a bridge."""
    who = server.whoami(ODD_BRIDGE_TOKEN)

    assert (who.status_code, who.json()["user_id"]) == (200, "@odd_bot:localhost")


def test_c119_a_bridge_acts_as_its_users_as_before(server, neighbours, user):
    bridged = neighbours.bridged(f"bridge_{user.localpart}")
    as_user = f"{V3}/account/whoami?user_id={bridged.user_id}"
    as_other = f"{V3}/account/whoami?user_id={user.user_id}"

    assert server.api("GET", as_user, BRIDGE_TOKEN).json()["user_id"] == bridged.user_id
    assert server.api("GET", as_other, BRIDGE_TOKEN).status_code == 403


def test_a_bridge_signs_its_users_in_as_before(server, neighbours, user):
    """`m.login.application_service`, also for accounts that our pages refuse."""
    bridged = neighbours.bridged(f"bridge_{user.localpart}")
    identifier = {"type": "m.id.user", "user": bridged.localpart}
    body = {"type": "m.login.application_service", "identifier": identifier}

    answer = server.api("POST", f"{V3}/login", BRIDGE_TOKEN, json=body)

    assert works(server, answer.json()["access_token"])


def test_c329_a_bridge_keeps_devices_without_asking_anybody(server, client, neighbours, user):
    """MSC4190: devices come, go and get keys without UIA; sessions of people are not touched."""
    localpart = f"odd_{user.localpart}"
    body = {"type": "m.login.application_service", "username": localpart, "inhibit_login": True}
    registered = server.api("POST", f"{V3}/register", ODD_BRIDGE_TOKEN, json=body).json()
    who = f"?user_id={registered['user_id']}"
    device = device_id()
    ours = client.sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{device}")
    path = f"{V3}/devices/{device}{who}"

    asked = [
        server.api("PUT", path, ODD_BRIDGE_TOKEN, json={}),
        *(
            server.api(
                "POST",
                f"{V3}/keys/device_signing/upload{who}",
                ODD_BRIDGE_TOKEN,
                json=master_key(registered["user_id"]),
            )
            for _ in range(2)
        ),
        server.api("DELETE", path, ODD_BRIDGE_TOKEN, json={}),
        server.api(
            "POST", f"{V3}/delete_devices{who}", ODD_BRIDGE_TOKEN, json={"devices": [device]}
        ),
    ]

    assert [answer.status_code for answer in asked] == [201, 200, 200, 200, 200]
    assert works(server, ours["access_token"])


@pytest.mark.parametrize("token", [BRIDGE_TOKEN, ODD_BRIDGE_TOKEN])
def test_c330_a_bridge_gets_nothing_from_our_endpoints(server, client, token):
    """It has no session, so it is nobody to userinfo, introspection, token and revocation."""
    userinfo = server.api("GET", f"{ISSUER_PATH}userinfo", token)
    introspected = server.api("POST", f"{ISSUER_PATH}introspect", token, data={"token": token})
    refreshed = client.refresh(token)
    redeemed = client.redeem(token, "v" * 43)
    revoked = server.revoke(token=token)

    assert (userinfo.status_code, userinfo.json()["error"]) == (401, "invalid_token")
    assert (introspected.status_code, introspected.json()["error"]) == (401, "invalid_client")
    assert refreshed.json()["error"] == redeemed.json()["error"] == "invalid_grant"
    assert revoked.status_code == 200
    assert server.whoami(token).status_code == 200


# Other modules


def test_c335_a_password_provider_signs_people_in(homeserver, server, client, neighbours):
    """The account has no password here; the other module knows it, and is asked once."""
    localpart = f"{homeserver.new_user().localpart}-ldap"
    user_id = f"@{localpart}:localhost"
    neighbours.accept(user_id, "from-the-directory")
    neighbours.administer("PUT", User(user_id, localpart, ""), {"displayname": "Known already"})

    tokens = client.sign_in(localpart, "from-the-directory")

    assert server.whoami(tokens["access_token"]).json()["user_id"] == user_id
    assert neighbours.calls("check_auth", user_id) == [["m.login.password"]]


def test_c335_a_password_provider_may_make_the_account(homeserver, server, client, neighbours):
    """Who never was here signs in with the directory's password, as at `/login`."""
    localpart = f"{homeserver.new_user().localpart}-from-ldap"
    user_id = f"@{localpart}:localhost"
    neighbours.accept(user_id, "from-the-directory")
    browser = Browser(server)
    browser.get(server.url("sign-in"))

    page = browser.sign_in(localpart, "from-the-directory")

    # Approval is required on this homeserver, so the new account waits; but it was signed in.
    assert "Your account is waiting for approval" in page.text
    assert homeserver.query("SELECT approved FROM users WHERE name = ?", user_id)


@pytest.mark.parametrize("known", ["", "@{0}:localhost", "{0}:localhost"])
def test_c335_a_wrong_password_is_asked_about_once(server, neighbours, user, known):
    """However somebody spells the name, the other module sees one attempt."""
    browser = Browser(server)
    browser.get(server.url("sign-in"))

    page = browser.sign_in((known or "{0}").format(user.localpart), "wrong")

    assert page.status_code == 403
    assert len(neighbours.calls("check_auth", user.user_id)) == 1


def test_c335_a_password_provider_knows_e_mail_addresses(homeserver, server, neighbours, user):
    """`check_3pid_auth` decides about an address that Synapse has never heard of."""
    address = f"{user.localpart}@directory.example.org"
    neighbours.accept(user.user_id, "from-the-directory", address=address)

    tokens = server.client().sign_in(address, "from-the-directory")

    assert server.whoami(tokens["access_token"]).json()["user_id"] == user.user_id
    assert neighbours.calls("check_3pid_auth").count(["email", address]) == 1


def test_people_sign_in_with_their_e_mail_address(homeserver, server, neighbours, user):
    """An address that belongs to the account, in any case, with its password."""
    address = f"{user.localpart}@example.org"
    threepids = [{"medium": "email", "address": address}]
    neighbours.administer("PUT", user, {"threepids": threepids})

    for typed in (address, address.upper(), f"  {address} "):
        tokens = server.client().sign_in(typed, user.password)

        assert server.whoami(tokens["access_token"]).json()["user_id"] == user.user_id


def test_c335_a_sign_in_is_told_once(client, neighbours, user):
    """`on_user_login` fires when the session begins, not at a refresh or a second consent."""
    tokens = client.sign_in(user.localpart, user.password)
    before = neighbours.calls("on_user_login", user.user_id)
    client.refresh(tokens["refresh_token"])

    assert before == [["m.login.password", None]]
    assert neighbours.calls("on_user_login", user.user_id) == before


def _by_logout(server, neighbours, user, tokens):
    server.api("POST", f"{V3}/logout", tokens["access_token"])


def _by_logout_all(server, neighbours, user, tokens):
    server.api("POST", f"{V3}/logout/all", tokens["access_token"])


def _by_revocation(server, neighbours, user, tokens):
    server.revoke(token=tokens["refresh_token"])


def _by_revocations(server, neighbours, user, tokens):
    for token in (tokens["refresh_token"], tokens["access_token"], tokens["refresh_token"]):
        server.revoke(token=token)


def _by_an_administrator(server, neighbours, user, tokens):
    device = server.whoami(tokens["access_token"]).json()["device_id"]
    path = f"/_synapse/admin/v2/users/{{user_id}}/devices/{device}"
    neighbours.administer("DELETE", user, None, path)


def _by_deactivation(server, neighbours, user, tokens):
    neighbours.administer("POST", user, {}, "/_synapse/admin/v1/deactivate/{user_id}")


LOGOUTS = [
    _by_logout,
    _by_logout_all,
    _by_revocation,
    _by_revocations,
    _by_an_administrator,
    _by_deactivation,
]


@pytest.mark.parametrize("log_out", LOGOUTS)
def test_c335_a_logout_is_told_once_and_without_the_token(
    server, client, neighbours, user, log_out
):
    """`on_logged_out` gets the device and a name for the session that opens nothing."""
    tokens = client.sign_in(user.localpart, user.password)
    device = server.whoami(tokens["access_token"]).json()["device_id"]

    log_out(server, neighbours, user, tokens)

    ((told_device, stand_in),) = neighbours.calls("on_logged_out", user.user_id)
    assert told_device == device
    assert stand_in.startswith("nextgen_session_")
    assert inside(tokens["access_token"]).session_id not in stand_in
    assert not works(server, stand_in)
    assert server.whoami(stand_in).json()["soft_logout"] is False


@pytest.mark.parametrize("log_out", LOGOUTS)
def test_c335_a_logout_is_told_while_the_pushers_are_still_there(
    server, client, neighbours, user, log_out
):
    """As Synapse promises its modules; afterwards they are gone."""
    tokens = client.sign_in(user.localpart, user.password)
    set_pusher(server, tokens["access_token"])

    log_out(server, neighbours, user, tokens)

    assert neighbours.calls("pushers_at_logout", user.user_id) == [[1]]
    left = neighbours.homeserver.query(
        "SELECT pushkey FROM pushers WHERE user_name = ?", user.user_id
    )
    assert left == []


def test_c335_what_is_not_a_logout_is_not_told(homeserver, server, client, neighbours, user):
    """Neither a refresh nor a failed revocation logs anybody out."""
    tokens = client.sign_in(user.localpart, user.password)
    client.refresh(tokens["refresh_token"])
    server.revoke(token="nga_garbage")

    assert neighbours.calls("on_logged_out", user.user_id) == []


def test_c307_a_dehydrated_device_is_nobodys_to_sign_in_to(homeserver, server, client, user):
    """MSC3814: the device that waits for messages keeps its keys."""
    tokens = client.sign_in(user.localpart, user.password)
    device = device_id()
    path = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device"
    keys = {
        "user_id": user.user_id,
        "device_id": device,
        "algorithms": [],
        "keys": {f"ed25519:{device}": "A" * 43},
        "signatures": {},
    }
    body = {
        "device_id": device,
        "device_data": {"algorithm": "m.x"},
        "device_keys": keys,
        "initial_device_display_name": "Dehydrated",
    }
    put = server.api("PUT", path, tokens["access_token"], json=body)
    parameters, _ = client.request(scope=f"{API} {DEVICE}{device}")

    browser = Browser(server)
    browser.authorize(parameters)
    asks = browser.sign_in(user.localpart, user.password)
    told = browser.answer(browser.submit(decision="approve"))

    assert put.status_code == 200, put.text
    # Nobody hears what an account has before its person agreed (C029).
    assert "/consent?grant=" in asks.url
    assert told["error"] == "invalid_scope"
    assert server.api("GET", path, tokens["access_token"]).json()["device_id"] == device
    assert works(server, tokens["access_token"])


def legacy_refresh(server, refresh_token):
    url = f"{server.base_url}{V3}/refresh"
    return requests.post(url, json={"refresh_token": refresh_token}, timeout=30)


def password_stage(asked, user):
    """Answer a UIA question with the password."""
    stage = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user.localpart},
        "password": user.password,
        "session": asked.json()["session"],
    }
    return {"auth": stage}
