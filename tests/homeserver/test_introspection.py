"""What a token is good for, told to the client it was made for and to nobody else (RFC 7662)."""

import time

import pytest

from support.answers import assert_not_kept, assert_refused
from support.oauth import API, DEVICE, Browser, device_id, web_client
from support.rows import unchanged
from support.tokens import inside, made_from

SECRET_POST = "client_secret_post"


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def client(server):
    return server.client(web_client(token_endpoint_auth_method=SECRET_POST))


@pytest.fixture
def tokens(server, client, user):
    return sign_in(server, client, user)


def proof(client):
    """Return how a client with a secret proves itself."""
    return {"client_id": client.id, "client_secret": client.registered["client_secret"]}


def sign_in(server, client, user, **changes):
    parameters, verifier = client.request(**changes)
    code = Browser(server).let_in(parameters, user.localpart, user.password)["code"]
    return client.redeem(code, verifier, **proof(client)).json()


def look(server, client, token, **more):
    """Introspect a token as a client that proves itself."""
    answer = server.post("introspect", {"token": token, **proof(client), **more})
    assert answer.status_code == 200, answer.text
    assert_not_kept(answer)
    return answer.json()


def test_a_living_token_is_described(server, client, user):
    device = device_id()
    scope = f"openid {API} {DEVICE}{device}"
    tokens = sign_in(server, client, user, scope=scope)
    access = look(server, client, tokens["access_token"])
    refresh = look(server, client, tokens["refresh_token"], token_type_hint="access_token")

    assert 0 < access["exp"] - time.time() <= 300
    assert access["token_type"] == "Bearer"
    assert refresh["token_type"] == "refresh_token"
    assert "exp" not in refresh
    for told in (access, refresh):
        assert told["active"] is True
        assert told["scope"] == scope
        assert told["client_id"] == told["aud"] == client.id
        assert told["sub"] == told["username"] == user.user_id
        assert told["iss"] == server.issuer
        assert told["device_id"] == device
        assert abs(told["iat"] - time.time()) < 60


def test_c134_only_a_client_that_proves_itself_may_ask(homeserver, server, client, tokens):
    """No credentials, wrong ones, a public client or a token as a credential: 401, for any token."""
    public = server.client()
    wrong = {"client_id": client.id, "client_secret": "x" * 43}
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    tries = [({}, None), (wrong, None), ({"client_id": client.id}, None)]
    tries += [({"client_id": public.id}, None), ({"client_id": "unknown"}, None), ({}, bearer)]
    with unchanged(homeserver):
        for form, headers in tries:
            texts = set()
            for token in (tokens["access_token"], "garbage"):
                answer = server.post("introspect", {"token": token, **form}, headers=headers)
                assert_refused(answer, "invalid_client", status=401)
                texts.add(answer.text)
            assert len(texts) == 1, "no oracle"


def test_c134_the_token_must_be_named(server, client):
    assert_refused(server.post("introspect", proof(client)), "invalid_request")


def test_c135_anything_else_is_not_active_and_no_more_is_said(homeserver, server, client, user):
    """Unknown, malformed, expired, revoked, superseded, somebody else's, Synapse's own."""
    other = server.client(web_client(token_endpoint_auth_method=SECRET_POST))
    foreign = sign_in(server, other, user)
    revoked = sign_in(server, client, user)
    server.revoke(token=revoked["access_token"], **proof(client))
    living = sign_in(server, client, user)
    access = living["access_token"]
    dead = [
        *("x", "\U0001f600", "x" * 10_000, access[:-1], access + "A"),
        made_from(access, expires_at=int(time.time()) - 1),
        *(foreign["access_token"], foreign["refresh_token"]),
        *(revoked["access_token"], revoked["refresh_token"]),
        homeserver.login(user)["access_token"],
    ]

    for token in dead:
        assert look(server, client, token) == {"active": False}, token
    assert look(server, client, access)["active"] is True


def test_c135_a_superseded_refresh_token_is_not_active(homeserver, server, client, tokens):
    """What the token endpoint would take for a copy must not be called active."""
    first = client.refresh(tokens["refresh_token"], **proof(client)).json()
    second = client.refresh(first["refresh_token"], **proof(client)).json()

    assert look(server, client, second["refresh_token"])["active"] is True
    assert look(server, client, tokens["refresh_token"]) == {"active": False}
    assert look(server, client, second["access_token"])["active"] is True


def test_c135_looking_changes_nothing(homeserver, server, client, tokens):
    """A copy that is only looked at ends no session; the previous token still gets its pair."""
    renewed = client.refresh(tokens["refresh_token"], **proof(client)).json()
    with unchanged(homeserver):
        assert look(server, client, tokens["refresh_token"])["active"] is True
        assert look(server, client, renewed["refresh_token"])["active"] is True
    again = client.refresh(tokens["refresh_token"], **proof(client)).json()

    assert again["refresh_token"] == renewed["refresh_token"]


def test_c135_a_client_that_refreshes_is_never_idle(public_homeserver, public_server):
    """However long ago this process looked at the session: a refresh, of which no cache hears."""
    user = public_homeserver.new_user()
    client = public_server.client(web_client(token_endpoint_auth_method=SECRET_POST))
    tokens = sign_in(public_server, client, user)
    session_id = inside(tokens["refresh_token"]).session_id
    move = "UPDATE nextgen_sessions SET rotated_at = rotated_at + ? WHERE session_id = ?"
    public_homeserver.query(move, -31 * 86400, session_id)
    public_homeserver.query(
        "UPDATE nextgen_sessions SET last_active_at = rotated_at WHERE session_id = ?", session_id
    )
    remembered = public_server.whoami(tokens["access_token"])
    public_homeserver.query(move, 31 * 86400, session_id)

    assert remembered.status_code == 200
    assert look(public_server, client, tokens["access_token"])["active"] is True
    assert look(public_server, client, tokens["refresh_token"])["active"] is True


def test_c135_a_locked_or_closed_account_has_no_active_token(homeserver, server, client):
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    users = [homeserver.new_user() for _ in range(2)]
    tokens = [sign_in(server, client, user) for user in users]
    server.api("POST", f"/_synapse/admin/v1/deactivate/{users[0].user_id}", admin, json={})
    server.api("PUT", f"/_synapse/admin/v2/users/{users[1].user_id}", admin, json={"locked": True})

    for one in tokens:
        assert look(server, client, one["access_token"]) == {"active": False}
