"""Refreshing over HTTP: nobody honest is signed out, and nobody else stays signed in.

The table of generations is tested in tests/flows/test_refresh.py; here a client and Synapse's own
endpoints see what comes of it.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support import own_connection
from support.addresses import coming_from, over_ipv4
from support.answers import assert_not_kept, assert_refused
from support.faults import broken_row
from support.oauth import API, DEVICE, Browser, Server, device_id, web_client
from support.rows import unchanged
from support.tokens import inside, made_from
from support.waiting import eventually

V3 = "/_matrix/client/v3"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
KEYS = ["access_token", "expires_in", "refresh_token", "scope", "token_type"]


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def tokens(client, user):
    return client.sign_in(user.localpart, user.password)


def pair(answer):
    """Return the new tokens."""
    assert answer.status_code == 200, answer.text
    assert sorted(answer.json()) == KEYS
    return answer.json()


def session_of(homeserver, tokens, columns="generation, confirmed_generation, ended_at"):
    """Return columns of the session behind some tokens."""
    sql = f"SELECT {columns} FROM nextgen_sessions WHERE session_id = ?"
    ((*row,),) = homeserver.query(sql, inside(tokens["refresh_token"]).session_id)
    return row


def confirmed(homeserver, tokens):
    """Wait until the server has written down that this generation was used."""
    generation = inside(tokens["access_token"]).generation
    return eventually(lambda: session_of(homeserver, tokens)[1] == generation)


def age(homeserver, tokens, seconds):
    """Let the last refresh lie further back."""
    homeserver.query(
        "UPDATE nextgen_sessions SET rotated_at = rotated_at - ?,"
        " last_active_at = last_active_at - ? WHERE session_id = ?",
        *(seconds, seconds, inside(tokens["refresh_token"]).session_id),
    )


def devices_of(homeserver, user):
    return homeserver.query("SELECT device_id FROM devices WHERE user_id = ?", user.user_id)


def assert_over(server, client, tokens, *, soft):
    """Check that neither token works; `soft` lets the client keep its keys."""
    answer = server.whoami(tokens["access_token"])
    assert (answer.status_code, answer.json()["errcode"]) == (401, "M_UNKNOWN_TOKEN")
    assert answer.json().get("soft_logout", False) is soft
    assert_refused(client.refresh(tokens["refresh_token"]), "invalid_grant")


def test_c092_a_refresh_gives_a_new_pair(server, client, tokens):
    """Both differ; the older access token works until its own end and no longer."""
    answer = client.refresh(tokens["refresh_token"])
    renewed = pair(answer)
    ended = made_from(tokens["access_token"], expires_at=int(time.time()) - 1)
    refused = server.whoami(ended)

    assert_not_kept(answer)
    assert renewed["access_token"] != tokens["access_token"]
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert (renewed["token_type"], renewed["expires_in"]) == ("Bearer", 300)
    assert renewed["scope"] == tokens["scope"]
    assert server.whoami(renewed["access_token"]).status_code == 200
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert refused.status_code == 401
    assert refused.json()["errcode"] == "M_UNKNOWN_TOKEN"
    assert refused.json()["soft_logout"] is True, "refresh, and keep your keys"


def test_c092_an_expired_access_token_can_be_refreshed(server, client, tokens):
    """The refresh token outlives it: that is what it is for."""
    ended = made_from(tokens["access_token"], expires_at=int(time.time()) - 100)

    assert server.whoami(ended).status_code == 401
    assert server.whoami(pair(client.refresh(tokens["refresh_token"]))["access_token"]).ok


def test_c093_a_lost_answer_is_given_again(homeserver, server, client, tokens):
    """The same generation both times, even much later; either pair works, neither forks."""
    lost = pair(client.refresh(tokens["refresh_token"]))
    age(homeserver, tokens, 3600)
    again = pair(client.refresh(tokens["refresh_token"]))

    assert again["refresh_token"] == lost["refresh_token"]
    assert session_of(homeserver, tokens)[0] == 2
    assert server.whoami(lost["access_token"]).ok
    assert server.whoami(again["access_token"]).ok
    after = [pair(client.refresh(tokens["refresh_token"])) for tokens in (lost, again)]
    assert after[0]["refresh_token"] == after[1]["refresh_token"]
    assert session_of(homeserver, tokens)[0] == 3


def test_c093_within_the_grace_a_used_pair_is_given_again(homeserver, server, client, tokens):
    """Two processes of one client refresh at once, and one of them is quick to use its pair."""
    first = pair(client.refresh(tokens["refresh_token"]))
    assert server.whoami(first["access_token"]).ok
    assert confirmed(homeserver, first)
    second = pair(client.refresh(tokens["refresh_token"]))

    assert second["refresh_token"] == first["refresh_token"]
    assert server.whoami(second["access_token"]).ok


@pytest.mark.parametrize("homeserver", ["postgres"], indirect=True)
def test_c092_refreshes_go_by_a_connection_of_their_own(homeserver, client, tokens):
    """On each release of Synapse: one statement for those that come at once, in no log's context."""
    held = [tokens["refresh_token"]]

    def last_statement():
        held.append(client.refresh(held[-1]).json()["refresh_token"])
        ours = "SELECT query FROM pg_stat_activity WHERE pid = ANY(?)"
        return [text for (text,) in homeserver.query(ours, own_connection.backends(homeserver))]

    assert eventually(lambda: any("nextgen_sessions" in text for text in last_statement()))
    assert len(set(held)) == len(held)


def test_c094_a_copied_refresh_token_ends_the_session(homeserver, server, client, tokens, user):
    """The new pair was used and the grace is over: both tokens die, device and keys stay."""
    device = tokens["scope"].rpartition(":")[2]
    keys = {
        "algorithms": ["m.olm.v1.curve25519-aes-sha2"],
        "device_id": device,
        "keys": {f"curve25519:{device}": "c" * 43, f"ed25519:{device}": "e" * 43},
        "signatures": {user.user_id: {f"ed25519:{device}": "s" * 86}},
        "user_id": user.user_id,
    }
    path = f"{V3}/keys/upload"
    server.api("POST", path, tokens["access_token"], json={"device_keys": keys})
    renewed = pair(client.refresh(tokens["refresh_token"]))
    assert server.api("GET", f"{V3}/joined_rooms", renewed["access_token"]).ok
    assert confirmed(homeserver, renewed)
    age(homeserver, tokens, 31)

    assert_refused(client.refresh(tokens["refresh_token"]), "invalid_grant")

    assert_over(server, client, renewed, soft=True)
    assert_over(server, client, tokens, soft=True)
    assert devices_of(homeserver, user) == [(device,)]
    other = client.sign_in(user.localpart, user.password)
    known = server.api(
        "POST",
        f"{V3}/keys/query",
        other["access_token"],
        json={"device_keys": {user.user_id: [device]}},
    ).json()
    assert device in known["device_keys"][user.user_id]
    written = homeserver.query("SELECT kind FROM nextgen_events WHERE user_id = ?", user.user_id)
    assert ("refresh_token_reused",) in written


def test_c094_after_reuse_the_device_comes_back_with_its_keys(homeserver, server, client, user):
    """Signing in again with the same device id is a soft logout survived."""
    scope = f"{API} {DEVICE}{device_id()}"
    tokens = client.sign_in(user.localpart, user.password, scope=scope)
    renewed = pair(client.refresh(tokens["refresh_token"]))
    server.whoami(renewed["access_token"])
    assert confirmed(homeserver, renewed)
    age(homeserver, tokens, 31)
    assert_refused(client.refresh(tokens["refresh_token"]), "invalid_grant")
    again = client.sign_in(user.localpart, user.password, scope=scope)

    assert server.whoami(again["access_token"]).ok
    assert_over(server, client, renewed, soft=True)
    assert len(devices_of(homeserver, user)) == 1


@pytest.mark.parametrize("grandparent", [True, False])
def test_c095_no_token_older_than_the_last_is_taken(
    homeserver, server, client, tokens, *, grandparent
):
    """A grandparent at once, a parent after the grace: the session ends."""
    second = pair(client.refresh(tokens["refresh_token"]))
    third = pair(client.refresh(second["refresh_token"]))
    if not grandparent:
        assert server.whoami(third["access_token"]).ok
        assert confirmed(homeserver, third)
        age(homeserver, tokens, 31)
    old = tokens if grandparent else second

    assert_refused(client.refresh(old["refresh_token"]), "invalid_grant")
    assert_over(server, client, third, soft=True)


def test_c097_twenty_at_once_get_one_generation(homeserver, server, client, tokens):
    """Every answer is 200 with the same new pair; nobody is taken for a thief."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: client.refresh(tokens["refresh_token"]), range(20)))
    pairs = [pair(answer) for answer in answers]

    assert len({renewed["refresh_token"] for renewed in pairs}) == 1
    assert session_of(homeserver, tokens)[0] == 2
    assert all(server.whoami(renewed["access_token"]).ok for renewed in pairs)
    assert pair(client.refresh(pairs[0]["refresh_token"]))


def test_c099_somebody_elses_refresh_token_is_of_no_use(homeserver, server, client, tokens):
    """Refused for other clients, and the rightful session does not even notice."""
    other = server.client(web_client(client_name="Another"))
    confidential = server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    secret = confidential.registered["client_secret"]
    with unchanged(homeserver):
        assert_refused(other.refresh(tokens["refresh_token"]), "invalid_grant")
        assert_refused(
            confidential.refresh(tokens["refresh_token"], client_secret=secret), "invalid_grant"
        )
        for client_id in (None, "unknown"):
            answer = client.refresh(tokens["refresh_token"], client_id=client_id)
            assert_refused(answer, "invalid_client", status=401)

    assert session_of(homeserver, tokens)[0] == 1
    assert server.whoami(tokens["access_token"]).ok
    assert pair(client.refresh(tokens["refresh_token"]))


def test_c099_a_confidential_client_must_prove_itself(homeserver, server, user):
    client = server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    secret = client.registered["client_secret"]
    parameters, verifier = client.request()
    code = Browser(server).let_in(parameters, user.localpart, user.password)["code"]
    tokens = client.redeem(code, verifier, client_secret=secret).json()
    with unchanged(homeserver):
        for wrong in (None, "x" * 43):
            refused = client.refresh(tokens["refresh_token"], client_secret=wrong)
            assert_refused(refused, "invalid_client", status=401)

    assert session_of(homeserver, tokens)[0] == 1
    assert pair(client.refresh(tokens["refresh_token"], client_secret=secret))


@pytest.fixture
def admin(homeserver, server):
    """Return a function that asks Synapse's admin API for something."""
    token = homeserver.login(homeserver.new_user(admin=True))["access_token"]

    def ask(method, path, body):
        answer = server.api(method, f"/_synapse/admin/{path}", token, json=body)
        assert answer.ok, answer.text

    return ask


def test_c101_a_deactivated_account_refreshes_nothing(
    homeserver, server, client, tokens, user, admin
):
    admin("POST", f"v1/deactivate/{user.user_id}", {"erase": False})

    assert_refused(client.refresh(tokens["refresh_token"]), "invalid_grant")
    assert server.whoami(tokens["access_token"]).status_code == 401
    assert session_of(homeserver, tokens)[2] is not None
    assert devices_of(homeserver, user) == []


def test_c101_a_locked_account_keeps_its_session(server, client, tokens, user, admin):
    """A 4xx would make the client forget its keys; requests are refused in Synapse's own words."""
    admin("PUT", f"v2/users/{user.user_id}", {"locked": True})
    renewed = pair(client.refresh(tokens["refresh_token"]))
    refused = server.whoami(renewed["access_token"])
    admin("PUT", f"v2/users/{user.user_id}", {"locked": False})

    assert (refused.status_code, refused.json()["errcode"]) == (401, "M_USER_LOCKED")
    assert refused.json()["soft_logout"] is True
    assert server.whoami(renewed["access_token"]).ok
    assert pair(client.refresh(renewed["refresh_token"]))


@pytest.mark.parametrize(
    "change",
    [
        ("PUT", "v1/suspend/{}", {"suspend": True}),
        ("POST", "v1/users/{}/shadow_ban", {}),
    ],
    ids=["suspended", "shadow-banned"],
)
def test_c101_a_limited_account_refreshes(server, client, tokens, user, admin, change):
    """Synapse limits what such an account does; that it is signed in stays as it is."""
    method, path, body = change
    admin(method, path.format(user.user_id), body)
    renewed = pair(client.refresh(tokens["refresh_token"]))

    assert server.whoami(renewed["access_token"]).ok


def test_c101_a_deleted_device_refreshes_nothing(homeserver, server, client, tokens, user, admin):
    """Whoever deletes a device has signed it out."""
    device = tokens["scope"].rpartition(":")[2]
    admin("POST", f"v2/users/{user.user_id}/delete_devices", {"devices": [device]})

    assert_over(server, client, tokens, soft=False)


def test_c102_a_failure_of_ours_is_never_a_4xx(homeserver, server, client, tokens):
    """503 with `Retry-After`, so that the client keeps its keys; afterwards the same token works."""
    session_id = inside(tokens["refresh_token"]).session_id
    with broken_row(homeserver, "nextgen_sessions", "session_id", session_id):
        failed = client.refresh(tokens["refresh_token"])

    assert_refused(failed, "temporarily_unavailable", status=503)
    assert int(failed.headers["Retry-After"]) > 0
    assert pair(client.refresh(tokens["refresh_token"]))
    assert server.whoami(tokens["access_token"]).ok


@pytest.mark.slow
def test_c103_a_power_cut_after_the_commit_signs_nobody_out(start_homeserver):
    """The answer was never saved: after the restart the old token gets the same pair."""
    homeserver = start_homeserver("sqlite")
    server = Server(homeserver.base_url)
    user, client = homeserver.new_user(), server.client()
    untouched = client.sign_in(user.localpart, user.password)
    tokens = client.sign_in(user.localpart, user.password)
    lost = pair(client.refresh(tokens["refresh_token"]))
    homeserver.kill()
    homeserver.start()
    again = pair(client.refresh(tokens["refresh_token"]))

    assert again["refresh_token"] == lost["refresh_token"]
    assert server.whoami(again["access_token"]).json()["user_id"] == user.user_id
    assert server.whoami(untouched["access_token"]).ok
    assert pair(client.refresh(untouched["refresh_token"]))


def limited_session(homeserver, server, *, column, seconds):
    """Sign in and let the session be older; nothing has remembered it yet."""
    user, client = homeserver.new_user(), server.client()
    tokens = client.sign_in(user.localpart, user.password)
    homeserver.query(
        f"UPDATE nextgen_sessions SET {column} = {column} - ? WHERE session_id = ?",
        *(seconds, inside(tokens["refresh_token"]).session_id),
    )
    if column == "rotated_at":
        homeserver.query(
            "UPDATE nextgen_sessions SET last_active_at = rotated_at WHERE session_id = ?",
            inside(tokens["refresh_token"]).session_id,
        )
    return client, tokens


DAY = 86400


def test_c105_a_session_lives_as_long_as_the_operator_says(public_homeserver, public_server):
    """90 days at most; near the end the tokens get shorter, and at the end it is over."""
    near, tokens = limited_session(
        public_homeserver, public_server, column="created_at", seconds=90 * DAY - 60
    )
    renewed = pair(near.refresh(tokens["refresh_token"]))
    over, ended = limited_session(
        public_homeserver, public_server, column="created_at", seconds=90 * DAY
    )

    assert 0 < renewed["expires_in"] <= 60
    assert inside(renewed["access_token"]).expires_at - time.time() <= 60
    assert_refused(over.refresh(ended["refresh_token"]), "invalid_grant")
    assert session_of(public_homeserver, ended, "end_reason") == ["lifetime"]
    assert_over(public_server, over, ended, soft=True)


def test_c105_a_session_without_a_sign_of_life_goes_idle(public_homeserver, public_server):
    """30 days; any refresh before that keeps it, and begins a new term."""
    near, tokens = limited_session(
        public_homeserver, public_server, column="rotated_at", seconds=30 * DAY - 60
    )
    renewed = pair(near.refresh(tokens["refresh_token"]))
    over, ended = limited_session(
        public_homeserver, public_server, column="rotated_at", seconds=30 * DAY
    )

    assert renewed["expires_in"] == 300
    assert_refused(over.refresh(ended["refresh_token"]), "invalid_grant")
    assert session_of(public_homeserver, ended, "end_reason") == ["idle"]
    assert_over(public_server, over, ended, soft=True)


def test_c106_a_swept_session_is_not_a_fresh_one(homeserver, server, client, tokens):
    """Once the row of an ended session is gone, none of its tokens comes back to life."""
    renewed = pair(client.refresh(tokens["refresh_token"]))
    server.revoke(token=renewed["refresh_token"], client_id=client.id)
    session_id = inside(tokens["refresh_token"]).session_id
    homeserver.query("DELETE FROM nextgen_sessions WHERE session_id = ?", session_id)

    for old in (tokens, renewed):
        assert_refused(client.refresh(old["refresh_token"]), "invalid_grant")
        assert server.whoami(old["access_token"]).status_code == 401


def test_c107_a_sync_that_waits_survives_a_refresh(homeserver, server, client, tokens, user):
    """It ends as usual, and a message to the device arrives by the old token or the new one."""
    device = tokens["scope"].rpartition(":")[2]
    first = server.api("GET", f"{V3}/sync?timeout=0", tokens["access_token"]).json()
    other = client.sign_in(user.localpart, user.password)
    since = server.api(
        "GET", f"{V3}/sync?timeout=0&since={first['next_batch']}", tokens["access_token"]
    ).json()["next_batch"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            server.api,
            "GET",
            f"{V3}/sync?timeout=15000&since={since}",
            tokens["access_token"],
        )
        renewed = pair(client.refresh(tokens["refresh_token"]))
        sent = server.api(
            "PUT",
            f"{V3}/sendToDevice/org.example.test/{device}",
            other["access_token"],
            json={"messages": {user.user_id: {device: {"hello": "there"}}}},
        )
        answer = waiting.result()
    after = server.api(
        "GET",
        f"{V3}/sync?timeout=0&since={answer.json()['next_batch']}",
        renewed["access_token"],
    )

    assert sent.ok
    assert answer.status_code == 200
    assert after.status_code == 200
    events = [
        event
        for body in (answer.json(), after.json())
        for event in body.get("to_device", {}).get("events", [])
    ]
    assert [event["content"] for event in events] == [{"hello": "there"}]


def test_c109_no_token_passes_for_another(homeserver, server, client, tokens, user):
    """Refresh, access token and code: each opens its own door, however it is dressed up."""
    parameters, verifier = client.request()
    code = Browser(server).let_in(parameters, user.localpart, user.password)["code"]
    access, refresh = tokens["access_token"], tokens["refresh_token"]
    dressed_access, dressed_refresh = "nga_" + refresh[4:], "ngr_" + access[4:]
    with unchanged(homeserver):
        for bearer in (refresh, code, dressed_access, "nga_" + code, access[4:], access[:-1]):
            answer = server.whoami(bearer)
            assert answer.status_code == 401
            assert answer.json()["errcode"] == "M_UNKNOWN_TOKEN"
        for text in (access, code, dressed_refresh, "ngr_" + code, refresh[4:], refresh + "A"):
            assert_refused(client.refresh(text), "invalid_grant")
        for text in (access, refresh):
            assert_refused(client.redeem(text, verifier), "invalid_grant")

    assert server.whoami(access).ok
    assert pair(client.refresh(refresh))
    assert client.redeem(code, verifier).status_code == 200


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, "invalid_request"),
        ("", "invalid_request"),
        ("x", "invalid_grant"),
        ("x" * 10_000, "invalid_grant"),
        ("ngr_" + "A" * 60, "invalid_grant"),
        ("ngr_" + "A" * 59 + "\u00e9", "invalid_grant"),
        ("a\0b", "invalid_request"),
        (b"\xff", "invalid_request"),
    ],
)
def test_a_refresh_token_that_is_none(homeserver, client, text, error):
    with unchanged(homeserver):
        assert_refused(client.refresh(text), error)


def test_c110_old_and_new_refresh_tokens_do_not_mix(homeserver, server, client, tokens, user):
    """Synapse's `/refresh` knows nothing of ours, nor our endpoint of Synapse's."""
    legacy = homeserver.login(user, refresh_token=True)
    url = f"{homeserver.base_url}{V3}/refresh"
    with unchanged(homeserver):
        theirs = requests.post(url, json={"refresh_token": tokens["refresh_token"]}, timeout=60)
        ours = client.refresh(legacy["refresh_token"])

    assert theirs.status_code in {401, 403}, theirs.text
    assert_refused(ours, "invalid_grant")
    assert pair(client.refresh(tokens["refresh_token"]))
    assert requests.post(url, json={"refresh_token": legacy["refresh_token"]}, timeout=60).ok


def test_c102_no_limit_holds_up_a_refresh(public_homeserver, public_server):
    """An address that used up what it may do, and an account: 200 all the same."""
    user = public_homeserver.new_user()
    client = public_server.client()
    tokens = client.sign_in(user.localpart, user.password)
    device = web_client(grant_types=[DEVICE_CODE, "refresh_token"], redirect_uris=None)
    tv = public_server.client(device | {"application_type": "native", "response_types": []})
    ask = {"client_id": tv.id, "scope": f"{API} {DEVICE}{device_id()}"}
    limited = {
        "clients/register": lambda n: {"json": web_client(client_name=f"Client {n}")},
        "device-authorization": lambda _: {"data": ask},
    }
    with coming_from("127.0.0.83") as flood:
        for path, body in limited.items():
            url = over_ipv4(public_server.url(path))
            statuses = (flood.post(url, timeout=30, **body(n)).status_code for n in range(1000))
            assert 429 in statuses
        url = over_ipv4(public_server.url("token"))
        refresh = {"client_id": client.id, "refresh_token": tokens["refresh_token"]}
        answers = [
            flood.post(url, data={"grant_type": "refresh_token", **refresh}, timeout=30)
            for _ in range(200)
        ]

    assert {answer.status_code for answer in answers} == {200}


def test_the_scope_cannot_grow(server, client, tokens):
    """More than was granted is `invalid_scope` (RFC 6749 section 6), and nothing was rotated."""
    grown = client.refresh(tokens["refresh_token"], scope=f"{tokens['scope']} openid")
    renewed = pair(client.refresh(tokens["refresh_token"]))

    assert_refused(grown, "invalid_scope")
    assert renewed["scope"] == tokens["scope"]
    assert inside(renewed["refresh_token"]).generation == 2
