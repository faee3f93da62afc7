"""A refresh may ask for less (RFC 6749 section 6): a token that does less, a session that keeps all."""

import pytest

from support.oauth import ADMIN, API, DEVICE, Browser, Server, device_id, web_client
from support.tokens import inside

V3 = "/_matrix/client/v3"
USERS = "/_synapse/admin/v2/users"
OLD = "urn:matrix:org.matrix.msc2967.client:"


@pytest.fixture
def admin(homeserver):
    return homeserver.new_user(admin=True)


@pytest.fixture
def device():
    return device_id()


@pytest.fixture
def whole(device):
    return f"openid email {API} {DEVICE}{device} {ADMIN}"


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def tokens(client, admin, whole):
    return client.sign_in(admin.localpart, admin.password, scope=whole)


def opens(server, tokens):
    """Return what a token opens: the Matrix API, the admin API, userinfo."""
    paths = (f"{V3}/account/whoami", USERS, "/_synapse/client/auth/userinfo")
    return [server.api("GET", path, tokens["access_token"]).status_code for path in paths]


def narrowed(client, tokens, scope):
    answer = client.refresh(tokens["refresh_token"], scope=scope)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_openid_token_out_of_a_matrix_session_opens_nothing_of_matrix(server, client, tokens):
    """Its session goes on: a refresh without `scope` gives the whole scope again."""
    small = narrowed(client, tokens, "openid")
    whole = client.refresh(small["refresh_token"]).json()

    assert small["scope"] == "openid"
    assert "id_token" in small
    assert opens(server, small) == [403, 403, 200]
    assert whole["scope"] == tokens["scope"]
    assert opens(server, whole) == [200, 200, 200]
    assert opens(server, tokens) == [200, 200, 200], "an older token keeps what it had"


def test_without_the_admin_scope_it_administers_nothing(server, client, tokens, device):
    """What only the session was granted is not in the token; and no ID token without `openid`."""
    small = narrowed(client, tokens, f"{API} {DEVICE}{device}")

    assert small["scope"] == f"{API} {DEVICE}{device}"
    assert "id_token" not in small
    assert opens(server, small) == [200, 403, 403]
    assert server.whoami(small["access_token"]).json()["device_id"] == device


def test_userinfo_tells_what_the_token_may_know(homeserver, server, client, tokens, admin):
    """The session has `email`, the token has not."""
    legacy = homeserver.login(admin)["access_token"]
    address = {"threepids": [{"medium": "email", "address": f"{admin.localpart}@example.com"}]}
    server.api("PUT", f"{USERS}/{admin.user_id}", legacy, json=address)
    small = narrowed(client, tokens, "openid")

    told = [
        server.api("GET", "/_synapse/client/auth/userinfo", one["access_token"]).json()
        for one in (tokens, small)
    ]

    assert "email" in told[0]
    assert told[1] == {"sub": admin.user_id}


def test_the_answer_is_in_the_clients_own_spelling(server, client, tokens, device):
    """Granted in one spelling, asked for in the other: the same permissions."""
    small = narrowed(client, tokens, f"{OLD}api:* {OLD}device:{device}")

    assert small["scope"] == f"{OLD}api:* {OLD}device:{device}"
    assert opens(server, small) == [200, 403, 403]


def test_asking_for_all_of_it_gives_an_ordinary_token(client, tokens, whole):
    """A client may repeat what it asked for, with what the server does not know, in any order."""
    words = [*whole.split(), "offline_access"]

    again = narrowed(client, tokens, " ".join(reversed(words)))

    assert set(again["scope"].split()) == set(whole.split())
    assert inside(again["access_token"]).mask is None
    assert len(again["access_token"]) == len(tokens["access_token"])


def test_c305_wider_or_another_device_rotates_nothing(homeserver, server, client):
    """`invalid_scope`, and the same refresh token works a moment later."""
    user = homeserver.new_user()
    device = device_id()
    tokens = client.sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{device}")
    wrong = [
        f"openid {API} {DEVICE}{device}",
        f"{API} {DEVICE}{device} {ADMIN}",
        f"{API} {DEVICE}{device_id()}",
        f"{API} {DEVICE}{device} {DEVICE}{device_id()}",
        API,
        f"{DEVICE}{device}",
        "offline_access",
    ]

    answers = [client.refresh(tokens["refresh_token"], scope=scope) for scope in wrong]
    renewed = client.refresh(tokens["refresh_token"])

    assert [(a.status_code, a.json()["error"]) for a in answers] == [(400, "invalid_scope")] * 7
    assert inside(renewed.json()["refresh_token"]).generation == 2
    assert server.whoami(renewed.json()["access_token"]).status_code == 200


def test_c093_a_lost_answer_is_repeated_with_the_same_part(server, client, tokens):
    first = narrowed(client, tokens, "openid")
    second = narrowed(client, tokens, "openid")

    assert first["refresh_token"] == second["refresh_token"]
    assert [inside(one["access_token"]).mask for one in (first, second)] == [1, 1]
    assert opens(server, second) == [403, 403, 200]


def test_introspection_tells_the_scope_of_the_token(homeserver, server, admin, whole, device):
    """Of the access token its part, of the refresh token the whole."""
    client = server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    proof = {"client_id": client.id, "client_secret": client.registered["client_secret"]}
    parameters, verifier = client.request(scope=whole)
    code = Browser(server).let_in(parameters, admin.localpart, admin.password)["code"]
    tokens = client.redeem(code, verifier, **proof).json()
    small = client.refresh(tokens["refresh_token"], scope="openid", **proof).json()

    told = [
        server.post("introspect", {"token": small[kind], **proof}).json()
        for kind in ("access_token", "refresh_token")
    ]

    assert [one["scope"] for one in told] == ["openid", whole]
    assert [one.get("device_id") for one in told] == [None, device]


def test_a_narrowed_token_ends_its_whole_session(server, client, tokens):
    """Whoever finds it ends what it came from (RFC 7009)."""
    small = narrowed(client, tokens, "openid")

    server.revoke(token=small["access_token"])

    assert client.refresh(small["refresh_token"]).json()["error"] == "invalid_grant"
    assert opens(server, tokens) == [401, 401, 401]


def test_every_process_reads_it(homeserver_with_worker):
    """What the main process gave out is as small on a worker."""
    main = Server(homeserver_with_worker.base_url)
    worker = Server(homeserver_with_worker.workers["worker1"].base_url)
    user = homeserver_with_worker.new_user()
    client = main.client()
    tokens = client.sign_in(
        user.localpart, user.password, scope=f"openid {API} {DEVICE}{device_id()}"
    )
    small = narrowed(client, tokens, "openid")

    # The list of users is on the main process alone.
    assert opens(worker, small) == [403, 404, 200]
    assert opens(worker, tokens) == [200, 404, 200]
