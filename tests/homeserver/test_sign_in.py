"""A client signs in, uses, refreshes and revokes its tokens on a real Synapse."""

import pytest

from support.oauth import API, DEVICE, Server, claims, device_id

pytestmark = pytest.mark.every_release


def test_a_client_signs_in_and_uses_its_tokens(homeserver):
    """Discover, register, authorize, redeem, use, refresh and revoke, on either database (C069)."""
    user = homeserver.new_user()
    server = Server(homeserver.base_url)
    client = server.client()
    device = device_id()

    tokens = client.sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{device}")
    who = server.whoami(tokens["access_token"]).json()
    renewed = client.refresh(tokens["refresh_token"]).json()
    revoked = server.revoke(token=renewed["access_token"], client_id=client.id)

    assert who == {"user_id": user.user_id, "device_id": device, "is_guest": False}
    assert tokens["token_type"] == "Bearer"
    assert 0 < tokens["expires_in"] <= 300
    assert tokens["scope"] == f"{API} {DEVICE}{device}"
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert revoked.status_code == 200
    assert server.whoami(tokens["access_token"]).status_code == 401
    assert client.refresh(renewed["refresh_token"]).json()["error"] == "invalid_grant"


def test_openid_gives_an_id_token(homeserver):
    """With `openid` comes an ID token for this client, this account and this nonce."""
    user = homeserver.new_user()
    server = Server(homeserver.base_url)
    client = server.client()

    tokens = client.sign_in(user.localpart, user.password, scope="openid profile", nonce="n-1")
    told = claims(tokens["id_token"])

    assert told["iss"] == server.issuer
    assert told["sub"] == user.user_id
    assert told["aud"] == client.id
    assert told["nonce"] == "n-1"
