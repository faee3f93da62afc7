"""openid-client, a certified OpenID Connect client library: the whole protocol, as it insists on it."""

import pytest

from support.oauth import API, DEVICE, device_id

REDIRECT_URI = "https://client.example.com/callback"


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_log_in_with_matrix(node, server, user, visit, method):
    """A web site signs people in: discovery, registration, code, ID token, userinfo, refresh."""
    told = node.run(
        "openid_client.js",
        visit,
        issuer=server.issuer,
        homeserver=server.base_url,
        redirectUri=REDIRECT_URI,
        scope="openid profile",
        method=method,
    )

    assert told["scope"] == "openid profile"
    assert 0 < told["expiresIn"] <= 300
    assert told["claims"]["sub"] == told["userinfo"]["sub"] == user.user_id
    assert told["userinfo"]["preferred_username"] == user.user_id
    assert told["whoami"]["errcode"] == "M_FORBIDDEN"  # not without the scope of the API
    assert told["rotated"]
    assert told["afterRevocation"] == "invalid_grant"
    if method != "none":
        assert told["introspection"]["active"]
        assert told["introspection"]["sub"] == user.user_id


def test_a_matrix_client(node, server, user, visit):
    """With the scopes of Matrix the same library gets a token that opens the API."""
    device = device_id()

    told = node.run(
        "openid_client.js",
        visit,
        issuer=server.issuer,
        homeserver=server.base_url,
        redirectUri=REDIRECT_URI,
        scope=f"openid {API} {DEVICE}{device}",
        method="none",
    )

    assert told["whoami"] == {"user_id": user.user_id, "device_id": device, "is_guest": False}
    assert told["metadata"]["issuer"] == server.issuer
