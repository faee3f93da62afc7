"""Who signed in: ID tokens that verify against `/keys`, and userinfo (OpenID Connect Core)."""

import base64
import hashlib
import time

import jwt
import pytest
import requests

from support.answers import assert_not_kept
from support.oauth import API, DEVICE, Browser, device_id, web_client
from support.tokens import made_from
from synapse_nextgen_auth.secret import digest

pytestmark = pytest.mark.one_database


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


def keys(server):
    """Return the published keys by their id."""
    document = requests.get(server.url("keys"), timeout=60).json()
    return {key["kid"]: jwt.PyJWK(key) for key in document["keys"]}


def verified(server, client, id_token):
    """Check an ID token as a careful client does; return its header and claims."""
    header = jwt.get_unverified_header(id_token)
    told = jwt.decode(
        id_token,
        keys(server)[header["kid"]],
        algorithms=[client.registered["id_token_signed_response_alg"]],
        audience=client.id,
        issuer=server.issuer,
        options={"require": ["iss", "sub", "aud", "exp", "iat", "auth_time"]},
    )
    return header, told


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_an_id_token_verifies_against_the_published_keys(homeserver, server, user, algorithm):
    """With the registered algorithm: who, for whom, when, and which access token it came with."""
    client = server.client(web_client(id_token_signed_response_alg=algorithm))
    began = int(time.time())
    tokens = client.sign_in(
        user.localpart, user.password, scope=f"openid {API} {DEVICE}{device_id()}", nonce="n-\u00fc"
    )
    header, told = verified(server, client, tokens["id_token"])
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]

    assert header["alg"] == algorithm
    assert told["sub"] == user.user_id
    assert told["nonce"] == "n-\u00fc"
    assert base64.urlsafe_b64decode(told["at_hash"] + "==") == half
    assert began <= told["auth_time"] <= told["iat"] <= time.time()
    assert told["exp"] == told["iat"] + 3600
    assert (told["amr"], told["acr"]) == (["pwd"], "urn:nextgen-auth:acr:one-factor")
    assert told.keys() == {
        *("iss", "sub", "aud", "exp", "iat", "auth_time", "amr", "acr", "nonce", "at_hash", "sid")
    }


def test_c138_the_keys_are_strong_and_public(server):
    """RSA of at least 2048 bits and P-256, with id, use and algorithm, and no private half."""
    document = requests.get(server.url("keys"), timeout=60).json()

    for key in document["keys"]:
        assert key["use"] == "sig"
        assert key.keys() <= {"kty", "kid", "use", "alg", "n", "e", "crv", "x", "y"}
    assert {key["alg"] for key in document["keys"]} == {"RS256", "ES256"}
    sizes = {kid: key.key.key_size for kid, key in keys(server).items()}
    assert min(sizes.values()) == 256
    assert max(sizes.values()) >= 2048


def test_c138_private_keys_are_not_in_the_database(homeserver, server):
    rows = homeserver.query("SELECT sealed, public_jwk FROM nextgen_signing_keys")

    assert rows
    for sealed, public in rows:
        assert "PRIVATE" not in sealed
        assert '"d"' not in public


def test_what_a_provider_said_of_its_sign_in_is_passed_on(homeserver, server, user):
    """When, how and at which level; at the refresh, too (OpenID Connect Core section 2)."""
    client, browser = server.client(), Browser.of(server, user)
    homeserver.query(
        "UPDATE nextgen_browsers SET amr = 'mfa otp', acr = 'level-2', auth_time = 1700000000"
        " WHERE digest = ?",
        digest(browser.secret),
    )
    tokens = client.sign_in(user.localpart, user.password, browser=browser, scope="openid")
    renewed = client.refresh(tokens["refresh_token"]).json()

    for token in (tokens["id_token"], renewed["id_token"]):
        told = verified(server, client, token)[1]
        assert (told["amr"], told["acr"]) == (["mfa", "otp"], "level-2")
        assert told["auth_time"] == 1700000000


def test_without_openid_there_is_no_id_token(server, user):
    tokens = server.client().sign_in(user.localpart, user.password)

    assert "id_token" not in tokens


def test_without_a_nonce_there_is_none(server, user):
    client = server.client()
    tokens = client.sign_in(user.localpart, user.password, scope="openid")

    assert "nonce" not in verified(server, client, tokens["id_token"])[1]


def test_a_refresh_gives_a_new_id_token_for_the_same_sign_in(homeserver, server, user):
    """OpenID Connect Core section 12.2: same issuer, subject, audience and time of sign-in."""
    client = server.client()
    tokens = client.sign_in(user.localpart, user.password, scope="openid", nonce="first")
    renewed = client.refresh(tokens["refresh_token"]).json()
    _, first = verified(server, client, tokens["id_token"])
    _, second = verified(server, client, renewed["id_token"])

    same = ("iss", "sub", "aud", "auth_time", "amr")
    assert {k: first[k] for k in same} == {k: second[k] for k in same}
    assert "nonce" not in second
    assert second["at_hash"] != first["at_hash"]


# Userinfo


def userinfo(server, token, method="GET"):
    return requests.request(
        method,
        server.url("userinfo"),
        headers={"Authorization": f"Bearer {token}"} if token is not None else {},
        timeout=60,
    )


def assert_challenged(answer, error, status):
    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert f'error="{error}"' in answer.headers["WWW-Authenticate"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert_not_kept(answer)


def assert_asked(answer):
    """No token came, so nothing is said about one (RFC 6750 section 3.1)."""
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert_not_kept(answer)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_userinfo_tells_what_the_scope_allows(homeserver, server, user, method):
    """`sub` always, name and picture with `profile`, the address with `email`."""
    legacy = homeserver.login(user)["access_token"]
    path = f"/_matrix/client/v3/profile/{user.user_id}"
    server.api("PUT", f"{path}/displayname", legacy, json={"displayname": "N\u00e4me <b>"})
    server.api("PUT", f"{path}/avatar_url", legacy, json={"avatar_url": "mxc://localhost/a"})
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, f"{user.localpart}@example.com"),
    )
    client = server.client()

    def told(scope):
        tokens = client.sign_in(user.localpart, user.password, scope=scope)
        answer = userinfo(server, tokens["access_token"], method)
        assert answer.status_code == 200, answer.text
        assert_not_kept(answer)
        return answer.json()

    assert told("openid") == {"sub": user.user_id}
    assert told("openid profile") == {
        "sub": user.user_id,
        "preferred_username": user.user_id,
        "name": "N\u00e4me <b>",
        "picture": "mxc://localhost/a",
    }
    assert told("openid email") == {
        "sub": user.user_id,
        "email": f"{user.localpart}@example.com",
        "email_verified": True,
    }


def test_c137_userinfo_wants_openid(server, user):
    tokens = server.client().sign_in(user.localpart, user.password)

    assert_challenged(userinfo(server, tokens["access_token"]), "insufficient_scope", 403)


def test_c137_userinfo_wants_a_living_token(homeserver, server, user):
    """None, garbage, a refresh token, an expired, a revoked one, and Synapse's own: 401."""
    client = server.client()
    tokens = client.sign_in(user.localpart, user.password, scope="openid")
    revoked = client.sign_in(user.localpart, user.password, scope="openid")["access_token"]
    server.revoke(token=revoked, client_id=client.id)
    access = tokens["access_token"]
    bad = [
        *("", "x", "\u00fc".encode().decode("latin-1"), tokens["refresh_token"], revoked),
        made_from(access, expires_at=int(time.time()) - 1),
        *(access[:-1], homeserver.login(user)["access_token"], access + " " + access),
    ]

    for token in bad:
        assert_challenged(userinfo(server, token), "invalid_token", 401)
    assert_asked(userinfo(server, None))
    assert userinfo(server, access).status_code == 200


def test_c137_userinfo_knows_nobody_who_is_gone(homeserver, server):
    """Neither a deactivated or locked account, nor for a client that is not there any more."""
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    client = server.client(web_client(client_name="Gone before its token"))
    users = [homeserver.new_user() for _ in range(3)]
    tokens = [
        client.sign_in(user.localpart, user.password, scope="openid")["access_token"]
        for user in users
    ]
    before = [userinfo(server, token).status_code for token in tokens]
    server.api("POST", f"/_synapse/admin/v1/deactivate/{users[0].user_id}", admin, json={})
    server.api("PUT", f"/_synapse/admin/v2/users/{users[1].user_id}", admin, json={"locked": True})
    homeserver.query("DELETE FROM nextgen_clients WHERE client_id = ?", client.id)

    assert before == [200, 200, 200]
    for token in tokens:
        assert_challenged(userinfo(server, token), "invalid_token", 401)


def test_userinfo_reads_no_token_from_an_address(server, user):
    """Addresses end up in logs (RFC 6750 section 2.3)."""
    client = server.client()
    token = client.sign_in(user.localpart, user.password, scope="openid")["access_token"]
    answer = requests.get(server.url("userinfo"), params={"access_token": token}, timeout=60)

    assert_asked(answer)


def test_a_browser_session_opens_no_userinfo(homeserver, server, user):
    """A cookie is no token."""
    browser = Browser.of(server, user)

    assert browser.http.get(server.url("userinfo"), timeout=60).status_code == 401
