"""What matrix-rust-sdk, the engine of Element X, asks of a server, request by request.

Its own tests need a compiler; these send what it sends (its oauth module, releases 0.18 and 0.19).
"""

import time
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest
import requests

from support.keys import device_keys
from support.oauth import Browser, device_id, web_client
from support.tokens import made_from

API = "urn:matrix:org.matrix.msc2967.client:api:*"
DEVICE = "urn:matrix:org.matrix.msc2967.client:device:"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def metadata_of(redirect_uri):
    """Return a registration as the library sends it: no response types without the code grant."""
    return {
        "application_type": "native",
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": [redirect_uri],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "client_uri": "https://element.io",
        "client_name": "Element X",
        "client_name#fr": "Élément X",
        "logo_uri": "https://element.io/mobile-icon.png",
        "policy_uri": "https://element.io/privacy",
        "tos_uri": "https://element.io/acceptable-use-policy-terms",
    }


@pytest.mark.parametrize(
    ("registered", "presented"),
    [
        ("io.element:/callback", "io.element:/callback"),
        ("http://127.0.0.1/", "http://127.0.0.1:27182/"),
        ("http://localhost/", "http://localhost:27182/"),
        ("http://[::1]/", "http://[::1]:27182/"),
    ],
)
def test_element_x_signs_in(server, user, registered, presented):
    """Reverse-DNS scheme or loopback, unstable scopes, a hint at the account, native sliding sync."""
    client = server.client(metadata_of(registered))
    device = device_id()
    parameters, verifier = client.request(
        scope=f"{API} {DEVICE}{device}", redirect_uri=presented, login_hint=f"mxid:{user.user_id}"
    )
    browser = Browser(server)
    page = browser.authorize(parameters)
    assert f'value="{user.localpart}"' in page.text
    browser.sign_in(user.localpart, user.password)
    told = browser.answer(browser.submit(decision="approve"))

    tokens = client.redeem(told["code"], verifier, redirect_uri=presented).json()
    synced = server.api(
        "POST",
        "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0",
        tokens["access_token"],
        json={"lists": {}},
    )
    revoked = server.revoke(
        token=tokens["access_token"], token_type_hint="access_token", client_id=client.id
    )

    assert tokens["scope"] == f"{API} {DEVICE}{device}"
    assert server.whoami(tokens["access_token"]).status_code == 401
    assert synced.status_code == 200
    assert "pos" in synced.json()
    assert revoked.status_code == 200
    assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "action",
    [
        "org.matrix.profile",
        "org.matrix.devices_list",
        "org.matrix.device_view",
        "org.matrix.device_delete",
        "org.matrix.account_deactivate",
        "org.matrix.cross_signing_reset",
        "org.matrix.sessions_list",
        "something.else",
    ],
)
def test_deep_links_into_the_account_work(server, user, action):
    """Whatever link it builds, known or not, leads to a page; an ID token on it does no harm."""
    metadata = server.metadata()
    browser = Browser.of(server, user)
    query = f"?action={action}&device_id=NOSUCHDEVICE&id_token_hint=a.b.c"

    page = browser.get(metadata["account_management_uri"] + query)

    assert page.status_code == 200
    assert user.user_id in page.text


def test_identical_registrations_are_one_client(server):
    """It registers on every sign-in, and nobody's database grows by that."""
    ids = {server.client(metadata_of("io.element:/callback")).id for _ in range(3)}

    assert len(ids) == 1
    assert server.client(web_client()).id not in ids


def new_device(server, identity_key):
    """Begin a device grant as the library does for a sign-in by QR code; return its client, too."""
    client = server.client(
        {
            name: value
            for name, value in metadata_of("io.element:/callback").items()
            if name not in {"redirect_uris", "response_types"}
        }
        | {"grant_types": ["refresh_token", DEVICE_CODE]}
    )
    asked = server.post(
        "device-authorization", {"client_id": client.id, "scope": f"{API} {DEVICE}{identity_key}"}
    )
    return client, asked.json()


def test_both_devices_understand_a_rendezvous(server):
    """It reads three headers of every answer, 304 too, and takes the body only as `text/plain`."""
    made = requests.post(
        f"{server.base_url}/_matrix/client/unstable/org.matrix.msc4108/rendezvous",
        data=b"",
        headers={"Content-Type": "text/plain"},
        timeout=60,
    )
    url, first = made.json()["url"], made.headers["ETag"]

    empty = requests.get(url, timeout=60)
    written = requests.put(
        url,
        data=b"MATRIX",
        headers={"If-Match": empty.headers["ETag"], "Content-Type": "text/plain"},
        timeout=60,
    )
    own = requests.get(url, headers={"If-None-Match": written.headers["ETag"]}, timeout=60)
    others = requests.get(url, headers={"If-None-Match": first}, timeout=60)

    assert made.ok
    assert (empty.status_code, empty.content) == (200, b"")
    assert written.ok
    assert own.status_code == 304
    assert (others.status_code, others.content) == (200, b"MATRIX")
    assert others.headers["Content-Type"] == "text/plain"
    for answer in (made, empty, own, others):
        assert answer.headers["ETag"]
        assert parsedate_to_datetime(answer.headers["Expires"])
        assert parsedate_to_datetime(answer.headers["Last-Modified"])


@pytest.mark.parametrize(
    "identity_key",
    ["wjLpTLRqbqBzLs63aYaEv2Boi6cFEbbM/sSRQ2oAKk4", "QQ+z9/fYX0JQ7OZl+IAGDcvC5cQJ8P//o6ZVbS2zEHk"],
)
def test_a_new_device_is_ready_for_its_secrets(server, user, identity_key):
    """Its id is its identity key in base64: free before the grant, there after it, and takes keys."""
    scope = f"{API} {DEVICE}{identity_key}"
    known = server.client(metadata_of("io.element:/callback")).sign_in(
        user.localpart, user.password
    )
    path = f"/_matrix/client/v3/devices/{quote(identity_key, safe='')}"
    client, grant = new_device(server, identity_key)
    browser = Browser(server)

    free = server.api("GET", path, known["access_token"])
    browser.get(grant["verification_uri_complete"])
    browser.submit(user_code=grant["user_code"])
    browser.sign_in(user.localpart, user.password)
    browser.submit(decision="approve", confirm="yes")
    tokens = server.token(
        grant_type=DEVICE_CODE, device_code=grant["device_code"], client_id=client.id
    ).json()
    who = server.whoami(tokens["access_token"]).json()
    there = server.api("GET", path, known["access_token"])
    uploaded = server.api(
        "POST",
        "/_matrix/client/v3/keys/upload",
        tokens["access_token"],
        json=device_keys(user.user_id, identity_key),
    )

    assert (free.status_code, free.json()["errcode"]) == (404, "M_NOT_FOUND")
    assert tokens["scope"] == scope
    assert tokens["token_type"].lower() == "bearer"
    assert who["device_id"] == identity_key
    assert there.json()["device_id"] == identity_key
    assert uploaded.status_code == 200


def test_a_device_that_slept_learns_that_it_was_signed_out(server, user):
    """It tells the app what the 401 said, when the refresh that follows is refused.

    With a soft logout the app keeps its messages: not on a device that was signed out from afar,
    however long ago its access token expired.
    """
    client = server.client(metadata_of("io.element:/callback"))
    tokens = client.sign_in(user.localpart, user.password)
    expired = made_from(tokens["access_token"], expires_at=int(time.time()) - 3600)
    asleep = server.whoami(expired)
    server.revoke(token=tokens["access_token"], client_id=client.id)

    awake = server.whoami(expired)

    assert (asleep.status_code, asleep.json()["soft_logout"]) == (401, True)
    assert (awake.status_code, awake.json()["soft_logout"]) == (401, False)
    assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
