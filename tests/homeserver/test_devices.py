"""One session per Matrix device: who may have which device id, and what ends a session."""

import pytest

from support.answers import offered
from support.keys import device_keys, master_key, public_key
from support.oauth import ADMIN, API, DEVICE, Browser, device_id, web_client
from support.television import Television, let_in
from synapse_nextgen_auth.oauth.scopes.grammar import UNSTABLE

pytestmark = pytest.mark.every_release

V3 = "/_matrix/client/v3"


@pytest.fixture
def client(server):
    return server.client()


def scope_for(device):
    return f"{API} {DEVICE}{device}"


def refused_scope(server, client, scope):
    """Ask for a scope; return the refusal that a page offers to take back to the client.

    `None` if there is none.
    """
    parameters, _ = client.request(scope=scope)
    page = Browser(server).authorize(parameters)
    return offered(page, client.redirect_uri) if page.status_code == 400 else None


@pytest.mark.parametrize(
    "scope",
    [
        API,
        f"{API} {DEVICE}FIRSTDEVICE {DEVICE}SECONDDEVICE",
        f"{API} {UNSTABLE}device:SOMEDEVICE",
        f"{API} {DEVICE}SOMEDEVICE {UNSTABLE}device:SOMEDEVICE",
        f"{UNSTABLE}api:* {DEVICE}SOMEDEVICE",
        f"{DEVICE}SOMEDEVICE",
        f"openid {DEVICE}SOMEDEVICE",
        f"openid {ADMIN}",
    ],
)
def test_c305_exactly_one_device_with_the_api_and_none_without(server, client, scope):
    """Zero, two, both spellings, or a device without the API: `invalid_scope`, and no code."""
    refusal = refused_scope(server, client, scope)

    assert refusal["error"] == "invalid_scope"
    assert "code" not in refusal


@pytest.mark.parametrize("spelling", ["urn:matrix:client:", UNSTABLE])
def test_c313_both_spellings_are_answered_as_asked(homeserver, server, client, spelling):
    """Deployed clients compare the granted scope with what they asked for."""
    user = homeserver.new_user()
    asked = f"openid {spelling}api:* {spelling}device:{device_id()}"

    tokens = client.sign_in(user.localpart, user.password, scope=asked)

    assert tokens["scope"] == asked
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert client.refresh(tokens["refresh_token"]).json()["scope"] == asked


def test_c313_the_answer_tells_what_is_enforced(homeserver, server, client):
    """Unknown permissions are not granted, and the answer does not list them."""
    user = homeserver.new_user()
    known = f"openid {API} {DEVICE}{device_id()}"

    tokens = client.sign_in(
        user.localpart, user.password, scope=f"{known} urn:matrix:client:everything offline_access"
    )

    assert tokens["scope"] == known
    assert client.refresh(tokens["refresh_token"]).json()["scope"] == known


def test_c313_without_the_api_nothing_of_it_opens(homeserver, server, client):
    """A token of somebody who only wanted to know who it is opens userinfo and nothing else."""
    user = homeserver.new_user()

    tokens = client.sign_in(user.localpart, user.password, scope="openid profile")
    token = tokens["access_token"]

    assert tokens["scope"] == "openid profile"
    assert server.api("GET", "/_synapse/client/auth/userinfo", token).json()["sub"] == user.user_id
    for method, path in [
        ("GET", f"{V3}/account/whoami"),
        ("GET", f"{V3}/sync"),
        ("POST", f"{V3}/logout"),
        ("GET", "/_matrix/client/v1/media/config"),
        ("POST", f"{V3}/user/{user.user_id}/openid/request_token"),
    ]:
        answer = server.api(method, path, token, json={} if method == "POST" else None)

        assert (answer.status_code, answer.json()["errcode"]) == (403, "M_FORBIDDEN"), path


@pytest.mark.parametrize(
    "device",
    [
        "",
        "NINECHARS",
        "X" * 256,
        "X" * 513,
        "../../../etc",
        "DEVICE/../OTHER",
        'DEVICE"QUOTE',
        "DEVICE\\BACKSLASH",
        "DEVICE\x00NUL",
        "DEVICE\nNEWLINE",
        "DEVICELINE\n",
        "DEVICÉÉÉÉÉÉ",
        "ДЕВАЙС-ДЕВАЙС",
        "DEVICE\x7fDELETE",
    ],
)
def test_c306_odd_device_ids_are_refused(server, client, device):
    """Whatever is no scope character, too short or too long never becomes a device."""
    parameters, _ = client.request(scope=scope_for(device))
    browser = Browser(server)
    page = browser.authorize(parameters)

    if page.status_code == 400:  # not even a parameter
        assert "Location" not in page.headers
    else:
        assert browser.answer(page)["error"] == "invalid_scope"


@pytest.mark.parametrize(
    "device", ["ABCDEFGHIJ", "a.b-c_d~e0", "X" * 255, "with/slash+plus=:;,!*()"]
)
def test_c306_every_scope_character_makes_a_device(homeserver, server, client, device):
    """10 to 255 characters of RFC 6749 section 3.3 are a device id as good as any."""
    user = homeserver.new_user()

    tokens = client.sign_in(user.localpart, user.password, scope=scope_for(device))

    assert server.whoami(tokens["access_token"]).json()["device_id"] == device
    assert [d["device_id"] for d in devices_of(server, tokens)] == [device]


@pytest.mark.parametrize("device", ["guest_device", "dummy-device"])
def test_c307_names_that_synapse_uses_are_no_devices(server, client, device):
    assert refused_scope(server, client, scope_for(device))["error"] == "invalid_scope"


def test_c307_a_cross_signing_key_is_no_device(homeserver, server, client):
    """A hidden device keeps its key: nobody signs in to it, and it does not go away."""
    user = homeserver.new_user()
    tokens = client.sign_in(user.localpart, user.password)
    key = public_key()
    upload(server, tokens, "device_signing/upload", master_key(user.user_id, key))
    parameters, _ = client.request(scope=scope_for(key))
    before = query_keys(server, tokens, user)

    told = Browser(server).let_in(parameters, user.localpart, user.password)

    assert told["error"] == "invalid_scope"
    assert "code" not in told
    assert query_keys(server, tokens, user) == before
    assert key in str(before["master_keys"])


def test_c082_the_device_is_there_at_once_and_uploading_keys_keeps_the_session(
    homeserver, server, client
):
    """What every client does right after signing in: upload the keys of its new device."""
    user = homeserver.new_user()
    device = device_id()

    tokens = client.sign_in(user.localpart, user.password, scope=scope_for(device))
    seen = devices_of(server, tokens)
    upload(server, tokens, "upload", device_keys(user.user_id, device))
    upload(server, tokens, "device_signing/upload", master_key(user.user_id))

    assert [d["device_id"] for d in seen] == [device]
    assert device in query_keys(server, tokens, user)["device_keys"][user.user_id]
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert client.refresh(tokens["refresh_token"]).status_code == 200


def test_c309_the_same_id_is_another_device_of_somebody_else(homeserver, server, client):
    """Two accounts with one device id: sessions, names and keys stay apart."""
    alice, bob = homeserver.new_user(), homeserver.new_user()
    device = device_id()
    first = client.sign_in(alice.localpart, alice.password, scope=scope_for(device))
    upload(server, first, "upload", device_keys(alice.user_id, device))
    keys = query_keys(server, first, alice)

    second = client.sign_in(bob.localpart, bob.password, scope=scope_for(device))
    server.revoke(token=second["access_token"])

    assert server.whoami(first["access_token"]).json()["user_id"] == alice.user_id
    assert query_keys(server, first, alice) == keys
    assert [d["device_id"] for d in devices_of(server, first)] == [device]


def test_c310_the_page_says_what_is_replaced_and_its_keys_stay(homeserver, server, client):
    """Signing in on a device of the same account ends what was there; its keys stay."""
    user = homeserver.new_user()
    device = device_id()
    first = client.sign_in(user.localpart, user.password, scope=scope_for(device))
    upload(server, first, "upload", device_keys(user.user_id, device))
    put_name(server, first, device, "Alice's <old> phone")
    keys = query_keys(server, first, user)
    parameters, verifier = client.request(scope=scope_for(device))
    browser = Browser(server)
    browser.authorize(parameters)

    page = browser.sign_in(user.localpart, user.password)
    code = browser.answer(browser.submit(decision="approve"))["code"]
    second = client.redeem(code, verifier).json()

    assert "This replaces a device" in page.text
    assert "Alice&#39;s &lt;old&gt; phone" in page.text
    assert is_over(server, client, first)
    assert server.whoami(second["access_token"]).json()["device_id"] == device
    assert query_keys(server, second, user) == keys


def test_c310_a_new_device_replaces_nothing(homeserver, server, client):
    user = homeserver.new_user()
    client.sign_in(user.localpart, user.password)
    parameters, _ = client.request()
    browser = Browser(server)
    browser.authorize(parameters)

    assert "replaces" not in browser.sign_in(user.localpart, user.password).text


def test_c333_a_legacy_sign_in_takes_the_device_over(homeserver, server, client):
    """Our session on a device ends when `/login` is given the same device id."""
    user = homeserver.new_user()
    device = device_id()
    ours = client.sign_in(user.localpart, user.password, scope=scope_for(device))

    legacy = homeserver.login(user, device_id=device)

    assert server.whoami(legacy["access_token"]).json()["device_id"] == device
    assert is_over(server, client, ours)


def test_c333_our_sign_in_takes_the_device_over(homeserver, server, client):
    """A legacy token of a device dies when a session of ours begins there."""
    user = homeserver.new_user()
    device = device_id()
    legacy = homeserver.login(user, device_id=device)

    ours = client.sign_in(user.localpart, user.password, scope=scope_for(device))

    assert server.whoami(legacy["access_token"]).status_code == 401
    assert server.whoami(ours["access_token"]).json()["device_id"] == device


def test_c333_other_devices_are_nobodys_business(homeserver, server, client):
    """A legacy sign-in on a device of its own ends nothing."""
    user = homeserver.new_user()
    ours = client.sign_in(user.localpart, user.password)
    legacy = homeserver.login(user)

    assert server.whoami(ours["access_token"]).status_code == 200
    assert server.whoami(legacy["access_token"]).status_code == 200


def _by_logout(server, user, device, tokens, admin):
    return server.api("POST", f"{V3}/logout", tokens["access_token"])


def _by_logout_all(server, user, device, tokens, admin):
    return server.api("POST", f"{V3}/logout/all", tokens["access_token"])


def _by_admin(server, user, device, tokens, admin):
    return server.api("DELETE", f"/_synapse/admin/v2/users/{user.user_id}/devices/{device}", admin)


def _by_admin_in_bulk(server, user, device, tokens, admin):
    path = f"/_synapse/admin/v2/users/{user.user_id}/delete_devices"
    return server.api("POST", path, admin, json={"devices": [device]})


def _by_password_reset(server, user, device, tokens, admin):
    path = f"/_synapse/admin/v1/reset_password/{user.user_id}"
    return server.api("POST", path, admin, json={"new_password": "new-horse"})


def _by_deactivation(server, user, device, tokens, admin):
    return server.api("POST", f"/_synapse/admin/v1/deactivate/{user.user_id}", admin, json={})


ENDINGS = [
    _by_logout,
    _by_logout_all,
    _by_admin,
    _by_admin_in_bulk,
    _by_password_reset,
    _by_deactivation,
]


@pytest.mark.parametrize("end", ENDINGS)
def test_a_deleted_device_takes_its_session_along(homeserver, server, client, end):
    """However Synapse deletes a device, its session ends, and no later device revives it."""
    user = homeserver.new_user()
    device = device_id()
    tokens = client.sign_in(user.localpart, user.password, scope=scope_for(device))
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]

    answer = end(server, user, device, tokens, admin)
    over = is_over(server, client, tokens)
    path = f"/_synapse/admin/v2/users/{user.user_id}/devices"
    server.api("POST", path, admin, json={"device_id": device})

    assert answer.status_code == 200, answer.text
    assert over
    assert is_over(server, client, tokens)


def test_an_administrator_who_names_an_existing_device_ends_nothing(homeserver, server, client):
    """Synapse's API to create a device leaves one that is there as it is."""
    user = homeserver.new_user()
    device = device_id()
    tokens = client.sign_in(user.localpart, user.password, scope=scope_for(device))
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]

    path = f"/_synapse/admin/v2/users/{user.user_id}/devices"
    answer = server.api("POST", path, admin, json={"device_id": device})

    assert answer.status_code == 201
    assert server.whoami(tokens["access_token"]).status_code == 200


def test_c335_a_device_keeps_the_name_that_its_person_gave_it(homeserver, server, client):
    """A new device is called like its client; a name given later survives the next sign-in."""
    user = homeserver.new_user()
    device = device_id()
    tokens = client.sign_in(user.localpart, user.password, scope=scope_for(device))
    (first,) = devices_of(server, tokens)
    put_name(server, tokens, device, "Kitchen")

    again = client.sign_in(user.localpart, user.password, scope=scope_for(device))
    (second,) = devices_of(server, again)

    assert first["display_name"] == "Test client"
    assert second["display_name"] == "Kitchen"


LONG_HOST = f"{'a' * 60}.{'b' * 60}.example.com"


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({"client_name": "n" * 100}, "n" * 100),
        ({"client_name": "n" * 101}, "n" * 99 + "…"),
        (
            {"client_name": "\U0001f468\u200d\U0001f469" * 500},
            "\U0001f468\u200d\U0001f469" * 33 + "…",
        ),
        (
            {
                "client_name": None,
                "client_uri": f"https://{LONG_HOST}/",
                "redirect_uris": [f"https://{LONG_HOST}/cb"],
            },
            LONG_HOST[:99] + "…",
        ),
    ],
    ids=["fits", "too long", "emoji", "host"],
)
def test_a_long_name_of_a_client_is_cut_for_its_device(homeserver, server, metadata, name):
    """Synapse takes no device name of more than 100 characters: that is no reason to let nobody in."""
    user = homeserver.new_user()
    tokens = server.client(web_client(**metadata)).sign_in(user.localpart, user.password)
    tv = Television.begin(server, **metadata | {"redirect_uris": None})
    let_in(Browser(server), tv, user)
    without_browser = tv.poll()

    assert without_browser.status_code == 200, without_browser.text
    assert [device["display_name"] for device in devices_of(server, tokens)] == [name] * 2


def upload(server, tokens, what, body):
    answer = server.api("POST", f"{V3}/keys/{what}", tokens["access_token"], json=body)
    assert answer.status_code == 200, answer.text


def query_keys(server, tokens, user):
    body = {"device_keys": {user.user_id: []}}
    answer = server.api("POST", f"{V3}/keys/query", tokens["access_token"], json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def devices_of(server, tokens):
    return server.api("GET", f"{V3}/devices", tokens["access_token"]).json()["devices"]


def put_name(server, tokens, device, name):
    body = {"display_name": name}
    answer = server.api("PUT", f"{V3}/devices/{device}", tokens["access_token"], json=body)
    assert answer.status_code == 200, answer.text


def is_over(server, client, tokens):
    """Say whether neither token of a session works any more."""
    whoami = server.whoami(tokens["access_token"])
    refreshed = client.refresh(tokens["refresh_token"])
    dead = whoami.status_code == 401 and whoami.json()["errcode"] == "M_UNKNOWN_TOKEN"
    return dead and refreshed.json().get("error") == "invalid_grant"
