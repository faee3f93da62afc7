"""Clients in Python: OAuth from Authlib and oauthlib, Matrix from matrix-nio and mautrix."""

from urllib.parse import parse_qs, urldefrag, urlencode, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet
from requests_oauthlib import OAuth2Session as OauthlibSession

from support.coroutines import finish
from support.oauth import API, DEVICE, device_id

REDIRECT_URI = "https://client.example.com/callback"


@pytest.fixture
def metadata(server):
    """Return what RFC 8414 discovery finds."""
    return requests.get(f"{server.issuer}.well-known/openid-configuration", timeout=60).json()


@pytest.fixture
def scope():
    return f"openid {API} {DEVICE}{device_id()}"


@pytest.fixture
def tokens(server, user):
    """Return the tokens of a Matrix client."""
    return server.client().sign_in(user.localpart, user.password)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_authlib(server, user, visit, metadata, scope, algorithm):
    """PKCE, the issuer parameter, an ID token that verifies, a refresh by itself, a revocation."""
    client = server.client(
        {
            "client_name": "Authlib",
            "client_uri": "https://client.example.com/",
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "client_secret_basic",
            "id_token_signed_response_alg": algorithm,
        }
    )
    refreshed = []
    session = OAuth2Session(
        client.id,
        client.registered["client_secret"],
        scope=scope,
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        token_endpoint=metadata["token_endpoint"],
        update_token=lambda token, refresh_token: refreshed.append((token, refresh_token)),
    )
    verifier = "a-verifier-of-at-least-forty-three-characters"
    url, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce="n-1"
    )

    token = session.fetch_token(
        metadata["token_endpoint"],
        # As its server is asked for it: a fragment, though empty, stays in the browser.
        authorization_response=urldefrag(visit(url)).url,
        state=state,
        code_verifier=verifier,
    )
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=60).json())
    id_token = jwt.decode(token["id_token"], keys, algorithms=[algorithm])
    claims = CodeIDToken(
        id_token.claims,
        id_token.header,
        {
            "iss": {"essential": True, "value": metadata["issuer"]},
            "aud": {"essential": True, "value": client.id},
        },
        {"nonce": "n-1", "client_id": client.id, "access_token": token["access_token"]},
    )
    claims.validate()
    session.token = {**token, "expires_at": 1}
    who = session.get(f"{server.base_url}/_matrix/client/v3/account/whoami").json()
    revoked = session.revoke_token(metadata["revocation_endpoint"], session.token["refresh_token"])

    assert claims["sub"] == who["user_id"] == user.user_id
    assert claims["nonce"] == "n-1"
    assert [old for _, old in refreshed] == [token["refresh_token"]]
    assert revoked.status_code == 200
    assert server.whoami(session.token["access_token"]).status_code == 401


def test_oauthlib(server, user, visit, metadata, scope, monkeypatch):
    """requests-oauthlib, which believes in https alone and compares the granted scope."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    client = server.client()
    session = OauthlibSession(
        client.id, redirect_uri=REDIRECT_URI, scope=scope.split(" "), pkce="S256"
    )
    url, _ = session.authorization_url(metadata["authorization_endpoint"])

    token = session.fetch_token(
        metadata["token_endpoint"],
        authorization_response=visit(url),
        include_client_id=True,
    )
    fresh = session.refresh_token(metadata["token_endpoint"], client_id=client.id)
    who = session.get(f"{server.base_url}/_matrix/client/v3/account/whoami").json()

    assert set(token["scope"]) == set(scope.split(" "))
    assert fresh["refresh_token"] != token["refresh_token"]
    assert who["user_id"] == user.user_id


def test_matrix_nio(server, user, tokens):
    """A bot on matrix-nio syncs, makes a room and sends a message with a token of ours."""
    import nio  # noqa: PLC0415 (slow, and for this test only)

    async def run():
        client = nio.AsyncClient(server.base_url.rstrip("/"), user.user_id)
        client.access_token = tokens["access_token"]
        try:
            who = await client.whoami()
            client.restore_login(who.user_id, who.device_id, tokens["access_token"])
            room = await client.room_create(name="Room")
            sent = await client.room_send(
                room.room_id, "m.room.message", {"msgtype": "m.text", "body": "Hello"}
            )
            synced = await client.sync(timeout=0, full_state=True)
        finally:
            await client.close()
        return who, room, sent, synced

    who, room, sent, synced = finish(run())

    assert who.user_id == user.user_id
    events = synced.rooms.join[room.room_id].timeline.events
    assert sent.event_id in [event.event_id for event in events]


def test_matrix_nio_over_the_browser(server, user, visit):
    """It sees single sign-on and passwords, and signs in with the token of the browser."""
    import nio  # noqa: PLC0415 (slow, as above)

    redirect = f"{server.base_url.rstrip('/')}/_matrix/client/v3/login/sso/redirect"
    back = visit(f"{redirect}?{urlencode({'redirectUrl': 'http://localhost:40123/nio'})}")
    (token,) = parse_qs(urlsplit(back).query)["loginToken"]

    async def run():
        client = nio.AsyncClient(server.base_url.rstrip("/"))
        try:
            info = await client.login_info()
            signed_in = await client.login(token=token, device_name="nio")
            who = await client.whoami()
            out = await client.logout()
        finally:
            await client.close()
        return info, signed_in, who, out

    info, signed_in, who, out = finish(run())

    assert {"m.login.password", "m.login.sso", "m.login.token"} <= set(info.flows)
    assert back.startswith("http://localhost:40123/nio?loginToken=")
    assert signed_in.user_id == who.user_id == user.user_id
    assert signed_in.device_id == who.device_id
    assert isinstance(out, nio.LogoutResponse)


def test_matrix_nio_with_a_password(server, user):
    """The old way stays as it was, beside ours."""
    import nio  # noqa: PLC0415 (slow, as above)

    async def run():
        client = nio.AsyncClient(server.base_url.rstrip("/"), user.user_id)
        try:
            return await client.login(user.password), await client.whoami()
        finally:
            await client.close()

    signed_in, who = finish(run())

    assert signed_in.user_id == who.user_id == user.user_id


def test_mautrix(server, user, tokens):
    """A bot on mautrix, too."""
    from mautrix.client import ClientAPI  # noqa: PLC0415 (slow, as above)

    async def run():
        client = ClientAPI(user.user_id, base_url=server.base_url, token=tokens["access_token"])
        try:
            who = await client.whoami()
            room_id = await client.create_room(name="Room")
            event_id = await client.send_text(room_id, "Hello")
            synced = await client.sync(timeout=0)
        finally:
            await client.api.session.close()
        return who, room_id, event_id, synced

    who, room_id, event_id, synced = finish(run())

    assert who.user_id == user.user_id
    events = synced["rooms"]["join"][room_id]["timeline"]["events"]
    assert event_id in [event["event_id"] for event in events]


def test_a_code_travels_unchanged(server, visit, metadata):
    """What Python's own URL functions make of a redirect is what was sent."""
    client = server.client()
    parameters, verifier = client.request(state="a b+c%2B&d=é")
    url = (
        requests.Request("GET", metadata["authorization_endpoint"], params=parameters).prepare().url
    )

    told = parse_qs(urlsplit(visit(url)).query, strict_parsing=True)

    assert told["state"] == ["a b+c%2B&d=é"]
    assert client.redeem(told["code"][0], verifier).status_code == 200
