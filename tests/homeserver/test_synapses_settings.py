"""Synapse's own settings hold for our sessions, too: lifetimes, rate limits, monthly active users."""

from pathlib import Path
from urllib.parse import quote

import pytest

import support
from support.oauth import Browser, Server
from support.sabotage import Sabotage
from support.synapse import sqlite_homeserver
from support.tokens import inside

V3 = "/_matrix/client/v3"
MINUTE = 60
BURST = 6
PATIENT = {"per_second": 0.001, "burst_count": 100_000}
CONFIG = {
    "modules": [{"module": "support.saboteur.Module"}],
    # Synapse's own limits would take a step back for a flood: let them fill slowly.
    "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), PATIENT),
    "refreshable_access_token_lifetime": "7m",
    "refresh_token_lifetime": "30m",
    "session_lifetime": "60m",
    "rc_message": {"per_second": 0.0001, "burst_count": BURST},
    "limit_usage_by_mau": True,
    "max_mau_value": 1,
    "mau_trial_days": 0,
}


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory):
    """Yield a homeserver with such settings, whose clock a test can set wrong."""
    directory = tmp_path_factory.mktemp("settings")
    # Synapse runs in this directory and finds the module there.
    (directory / "support").symlink_to(Path(support.__file__).parent)
    with sqlite_homeserver(directory, config=CONFIG) as homeserver:
        yield homeserver


@pytest.fixture(scope="module")
def people(homeserver):
    """Return the one account that this server has room for, and another one."""
    return homeserver.new_user(), homeserver.new_user()


@pytest.fixture
def user(people):
    return people[0]


@pytest.fixture
def later(homeserver):
    """Return a function that lets it be some minutes later; it is now again afterwards."""
    sabotage = Sabotage(homeserver.base_url)
    yield lambda minutes: sabotage.plan(None, shift=minutes * MINUTE)
    sabotage.plan(None)


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def tokens(client, user):
    return client.sign_in(user.localpart, user.password)


def seen(answer):
    return answer.status_code, answer.json().get("errcode"), answer.json().get("soft_logout")


SOFT = (401, "M_UNKNOWN_TOKEN", True)


def why(homeserver, tokens):
    """Return why the session of these tokens ended, and whether its device is still there."""
    ((reason, device),) = homeserver.query(
        "SELECT s.end_reason, d.device_id FROM nextgen_sessions AS s LEFT JOIN devices AS d"
        " ON d.user_id = s.user_id AND d.device_id = s.device_id WHERE s.session_id = ?",
        inside(tokens["refresh_token"]).session_id,
    )
    return reason, device is not None


def test_who_is_counted_once_may_come_again_and_nobody_else(homeserver, server, client, people):
    """`limit_usage_by_mau`: using a token of ours makes an account active; then the server is full."""
    first, second = people
    tokens = client.sign_in(first.localpart, first.password)
    assert server.whoami(tokens["access_token"]).status_code == 200
    active = homeserver.query("SELECT user_id FROM monthly_active_users")

    browser = Browser(server)
    browser.authorize(client.request()[0])
    page = browser.sign_in(second.localpart, second.password)
    again = client.sign_in(first.localpart, first.password)

    assert active == [(first.user_id,)]
    assert page.status_code == 503
    assert "The server takes nobody in just now" in page.text
    assert server.whoami(again["access_token"]).status_code == 200


def test_an_access_token_lives_as_long_as_a_stock_one(
    homeserver, server, client, user, tokens, later
):
    """`refreshable_access_token_lifetime`, to the minute; then a refresh is all it takes."""
    stock = homeserver.login(user, refresh_token=True)

    later(6.5)
    before = [server.whoami(each["access_token"]).status_code for each in (tokens, stock)]
    later(7.5)
    after = [seen(server.whoami(each["access_token"])) for each in (tokens, stock)]
    renewed = client.refresh(tokens["refresh_token"]).json()

    assert tokens["expires_in"] * 1000 == pytest.approx(stock["expires_in_ms"], abs=1000)
    assert before == [200, 200]
    assert after == [SOFT, SOFT]
    assert server.whoami(renewed["access_token"]).status_code == 200


def test_an_idle_session_ends_softly(homeserver, server, client, tokens, later):
    """`refresh_token_lifetime`: a refresh begins it anew; without one only the device stays."""
    later(20)
    renewed = client.refresh(tokens["refresh_token"])
    later(20 + 31)
    refused = client.refresh(renewed.json()["refresh_token"])

    assert renewed.status_code == 200
    assert refused.json()["error"] == "invalid_grant"
    assert why(homeserver, tokens) == ("idle", True)
    later(20)
    assert seen(server.whoami(renewed.json()["access_token"])) == SOFT


def test_a_session_ends_softly_however_busy_it_is(homeserver, server, client, tokens, later):
    """`session_lifetime`: near the end tokens get shorter, at the end only the device stays."""
    lifetimes = []
    for minutes in (20, 40, 58):
        later(minutes)
        tokens = client.refresh(tokens["refresh_token"]).json()
        lifetimes.append(tokens["expires_in"])
        assert server.whoami(tokens["access_token"]).status_code == 200
    later(61)
    used = server.whoami(tokens["access_token"])
    refused = client.refresh(tokens["refresh_token"])

    assert lifetimes[:2] == [7 * MINUTE] * 2
    assert 0 < lifetimes[2] <= 2 * MINUTE
    assert seen(used) == SOFT
    assert refused.json()["error"] == "invalid_grant"
    assert why(homeserver, tokens) == ("lifetime", True)


def test_a_session_that_synapse_ended_comes_back_on_its_device(
    homeserver, server, client, user, tokens, later
):
    """A soft logout: signing in again with the device id goes on with the same device."""
    later(31)
    assert client.refresh(tokens["refresh_token"]).status_code == 400

    again = client.sign_in(user.localpart, user.password, scope=tokens["scope"])

    assert why(homeserver, tokens) == ("idle", True)
    assert server.whoami(again["access_token"]).json()["device_id"] in tokens["scope"]


def test_messages_are_limited_for_the_account_not_for_the_token(homeserver, server, user, tokens):
    """`rc_message`: our tokens and stock ones fill the same bucket, and a 429 ends no session."""
    ours, stock = tokens["access_token"], homeserver.login(user)["access_token"]
    room = server.api("POST", f"{V3}/createRoom", ours, json={}).json()["room_id"]

    def send(number):
        path = f"{V3}/rooms/{quote(room)}/send/m.room.message/{number}"
        body = {"msgtype": "m.text", "body": "hello"}
        return server.api("PUT", path, (ours, stock)[number % 2], json=body)

    answers = [send(number) for number in range(BURST + 4)]
    told = [answer.status_code for answer in answers]

    sent = told.count(200)
    assert 2 < sent <= BURST
    assert told == [200] * sent + [429] * (len(told) - sent)
    assert {answer.json()["errcode"] for answer in answers[sent:]} == {"M_LIMIT_EXCEEDED"}
    assert server.whoami(ours).status_code == 200
