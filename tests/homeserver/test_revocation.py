"""Revocation and logout: whatever shows an authentic token ends what it stands for (RFC 7009)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support.answers import assert_refused
from support.faults import broken_row
from support.oauth import API, DEVICE, Browser, Server, device_id, web_client
from support.tokens import inside
from support.waiting import busy, eventually

pytestmark = pytest.mark.every_release

V3 = "/_matrix/client/v3"


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def tokens(client, user):
    return client.sign_in(user.localpart, user.password)


def is_over(client, tokens):
    """Say whether neither token of a session works any more."""
    dead = client.server.whoami(tokens["access_token"]).status_code == 401
    refreshed = client.refresh(tokens["refresh_token"])
    return dead and refreshed.json().get("error") == "invalid_grant"


def is_alive(client, tokens):
    return client.server.whoami(tokens["access_token"]).status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize(
    "hint", [None, "", "access_token", "refresh_token", "id_token", "nonsense", "x" * 5000]
)
def test_c121_c122_either_token_ends_both_whatever_the_hint(server, client, tokens, kind, hint):
    """An empty 200, both tokens dead; a hint only says where to look first."""
    answer = server.revoke(token=tokens[kind], token_type_hint=hint, client_id=client.id)

    assert answer.status_code == 200
    assert answer.json() == {}
    assert is_over(client, tokens)


def test_c121_the_device_goes_as_with_logout(homeserver, server, client, user, tokens):
    """What the person sees in the list of devices is what is signed in."""
    device = inside_device(server, tokens)
    other = client.sign_in(user.localpart, user.password)

    server.revoke(token=tokens["refresh_token"], client_id=client.id)

    assert device not in device_ids(server, other)
    assert len(device_ids(server, other)) == 1
    assert homeserver.query("SELECT 1 FROM devices WHERE device_id = ?", device) == []


def test_c121_logout_ends_the_session_too(server, client, tokens):
    answer = server.api("POST", f"{V3}/logout", tokens["access_token"])

    assert (answer.status_code, answer.json()) == (200, {})
    assert is_over(client, tokens)


def test_c121_logging_out_everywhere_ends_every_session_and_browser(server, client, user, tokens):
    """`/logout/all` means everything, the browser that could bring a session back included."""
    browser = Browser(server)
    other = client.sign_in(user.localpart, user.password, browser=browser)

    server.api("POST", f"{V3}/logout/all", tokens["access_token"])
    parameters, _ = client.request()

    assert is_over(client, tokens)
    assert is_over(client, other)
    assert 'name="password"' in browser.authorize(parameters).text


def test_c121_both_tokens_at_the_same_time(server, client, user):
    """matrix-js-sdk revokes both at once, and both answers must be 200."""
    for _ in range(5):
        tokens = client.sign_in(user.localpart, user.password)
        with ThreadPoolExecutor(2) as pool:
            both = [tokens["access_token"], tokens["refresh_token"]]
            answers = list(pool.map(lambda token: server.revoke(token=token), both))

        assert [answer.status_code for answer in answers] == [200, 200]
        assert is_over(client, tokens)


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        "nga_garbage",
        "ngr_" + "A" * 60,
        "syt_stock_token_000000",
        "MDAxMmxvY2F0aW9u",
        "ünïcode",
        "x" * 4000,
    ],
)
def test_c123_unknown_tokens_look_like_revoked_ones(server, client, tokens, token):
    """200 and `{}` for everything that is no token of ours, so that nobody can find out."""
    server.revoke(token=tokens["access_token"], client_id=client.id)

    repeated = server.revoke(token=tokens["access_token"], client_id=client.id)
    unknown = server.revoke(token=token, client_id=client.id)

    assert repeated.status_code == unknown.status_code == 200
    assert repeated.content == unknown.content == b"{}"
    assert essence(repeated) == essence(unknown)


def test_c123_a_revocation_repeated_spares_who_came_later(server, client, user):
    """An old token of a device, shown again, does not end the session that is there now."""
    scope = f"{API} {DEVICE}{device_id()}"
    first = client.sign_in(user.localpart, user.password, scope=scope)
    server.revoke(token=first["access_token"])
    second = client.sign_in(user.localpart, user.password, scope=scope)

    server.revoke(token=first["refresh_token"])

    assert is_alive(client, second)


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_c124_a_superseded_token_ends_the_session(server, client, tokens, kind):
    """Who finds a leaked token, however old, can end what it stands for."""
    newest = tokens
    for _ in range(3):
        newest = client.refresh(newest["refresh_token"]).json()
        server.whoami(newest["access_token"])

    answer = server.revoke(token=tokens[kind])

    assert answer.status_code == 200
    assert is_over(client, newest)


@pytest.mark.parametrize("who", [None, "nobody", "another"])
def test_c125_anybody_may_revoke_and_it_is_written_down(homeserver, server, client, tokens, who):
    """Without, with an unknown or with another `client_id` (MSC4254)."""
    other = server.client(web_client(client_name="Another client"))
    client_id = other.id if who == "another" else who

    answer = server.revoke(token=tokens["access_token"], client_id=client_id)

    assert answer.status_code == 200
    assert is_over(client, tokens)
    assert "revoked_by_another" in events(homeserver, tokens)


def test_c125_a_client_that_revokes_its_own_is_nothing_special(homeserver, server, client, tokens):
    server.revoke(token=tokens["access_token"], client_id=client.id)

    assert "session_ended" in events(homeserver, tokens)
    assert "revoked_by_another" not in events(homeserver, tokens)


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
def test_c126_wrong_credentials_revoke_nothing(server, user, method):
    """Who shows credentials must be right about them; the right ones revoke."""
    client = server.client(web_client(token_endpoint_auth_method=method))
    tokens = sign_in_with_secret(client, user, method)

    refused = revoke_with(client, tokens, method, "wrong")
    alive = is_alive(client, tokens)
    revoked = revoke_with(client, tokens, method, client.registered["client_secret"])

    assert_refused(refused, "invalid_client", status=401)
    assert alive
    assert revoked.status_code == 200
    assert not is_alive(client, tokens)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "token=",
        "token_type_hint=access_token",
        "token={token}&token={token}",
        "token={token}&client_id=a&client_id=b",
        "token={token}%00",
        "token=%00",
        "token=%FF%FE",
        "token=" + "x" * 5000,
    ],
)
def test_c127_malformed_revocations_are_refused(server, client, tokens, body):
    """Missing, repeated, with NUL or too long: `invalid_request`, and the session goes on."""
    answer = post_raw(server, body.format(token=tokens["access_token"]))

    assert_refused(answer, "invalid_request")
    assert is_alive(client, tokens)


def test_c127_a_huge_body_is_refused(server, client, tokens):
    answer = post_raw(server, f"token={tokens['access_token']}&pad=" + "x" * 1_000_000)

    assert_refused(answer, "invalid_request", status=413)
    assert is_alive(client, tokens)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_c127_only_post_revokes(server, client, tokens, method):
    """A token in a query would stand in logs."""
    answer = requests.request(
        method, server.url("revoke"), params={"token": tokens["access_token"]}, timeout=30
    )

    assert answer.status_code == 405
    assert is_alive(client, tokens)


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "text/plain"])
def test_c127_only_forms_are_read(server, client, tokens, content_type):
    body = f"token={tokens['access_token']}"
    answer = post_raw(server, body, content_type=content_type)

    assert 400 <= answer.status_code < 500
    assert is_alive(client, tokens)


def test_c129_a_failure_is_told_and_nothing_counts_as_revoked(homeserver, server, client, tokens):
    """503 while the database refuses, so that the client tries again; then it works."""
    session_id = inside(tokens["access_token"]).session_id
    with broken_row(homeserver, "nextgen_sessions", "session_id", session_id):
        failed = server.revoke(token=tokens["access_token"], client_id=client.id)
        alive = is_alive(client, tokens)

    revoked = server.revoke(token=tokens["access_token"], client_id=client.id)

    assert_refused(failed, "temporarily_unavailable", status=503)
    assert int(failed.headers["Retry-After"]) > 0
    assert alive
    assert revoked.status_code == 200
    assert is_over(client, tokens)


def test_c131_a_race_with_a_refresh_leaves_no_live_token(server, client, user):
    """Whoever comes first: after a revocation nothing of the session works."""
    browser = Browser(server)
    for _ in range(30):
        tokens = client.sign_in(user.localpart, user.password, browser=browser)
        with ThreadPoolExecutor(3) as pool:
            refreshing = [pool.submit(client.refresh, tokens["refresh_token"]) for _ in range(2)]
            revoking = pool.submit(server.revoke, token=tokens["access_token"])
        refreshed = [answer.result() for answer in refreshing]

        assert revoking.result().status_code == 200
        assert is_over(client, tokens)
        for answer in refreshed:
            assert answer.status_code == 200 or answer.json()["error"] == "invalid_grant"
            assert answer.status_code != 200 or is_over(client, answer.json())


@pytest.mark.parametrize("by", ["main process", "worker"])
def test_c130_the_other_process_hears_of_a_revocation_at_once(homeserver_with_worker, by):
    """What one process revokes, the other refuses within a second."""
    main = Server(homeserver_with_worker.base_url)
    worker = Server(homeserver_with_worker.workers["worker1"].base_url)
    here, there = (main, worker) if by == "main process" else (worker, main)
    user = homeserver_with_worker.new_user()
    token = here.client().sign_in(user.localpart, user.password)["access_token"]
    before, second = there.whoami(token).status_code, busy()

    here.revoke(token=token)

    assert before == 200
    assert eventually(lambda: there.whoami(token).status_code == 401, patience=second)


def essence(answer):
    """Return the headers that do not change from one answer to the next."""
    changing = {"Date", "Synapse-Trace-Id"}
    return {name: value for name, value in answer.headers.items() if name not in changing}


def inside_device(server, tokens):
    return server.whoami(tokens["access_token"]).json()["device_id"]


def device_ids(server, tokens):
    answer = server.api("GET", f"{V3}/devices", tokens["access_token"])
    return [device["device_id"] for device in answer.json()["devices"]]


def events(homeserver, tokens):
    """Return what was written down about a session."""
    session_id = inside(tokens["access_token"]).session_id
    rows = homeserver.query("SELECT kind FROM nextgen_events WHERE session_id = ?", session_id)
    return [kind for (kind,) in rows]


def post_raw(server, body, content_type="application/x-www-form-urlencoded"):
    headers = {"Content-Type": content_type}
    return requests.post(server.url("revoke"), data=body, headers=headers, timeout=30)


def sign_in_with_secret(client, user, method):
    parameters, verifier = client.request()
    code = Browser(client.server).let_in(parameters, user.localpart, user.password)["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
    }
    answer = post_as(client, "token", form, method, client.registered["client_secret"])
    assert answer.status_code == 200, answer.text
    return answer.json()


def revoke_with(client, tokens, method, secret):
    return post_as(client, "revoke", {"token": tokens["access_token"]}, method, secret)


def post_as(client, path, form, method, secret):
    """Post a form as a client that has a secret."""
    if method == "client_secret_basic":
        return client.server.post(path, form, auth=(client.id, secret))
    return client.server.post(path, {**form, "client_id": client.id, "client_secret": secret})
