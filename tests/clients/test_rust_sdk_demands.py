"""What matrix-rust-sdk, the engine of Element X, asks of a server, request by request.

Its own tests need a compiler; these send what it sends (its oauth module, release 0.18).
"""

import pytest

from support.oauth import Browser, device_id, web_client

API = "urn:matrix:org.matrix.msc2967.client:api:*"
DEVICE = "urn:matrix:org.matrix.msc2967.client:device:"


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
