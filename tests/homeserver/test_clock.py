"""A clock that jumps: nobody is logged out, and nothing lives for ever (C379)."""

import html
import re
import time
from pathlib import Path

import pytest

import support
from support.keys import master_key
from support.oauth import Browser, Server, claims
from support.sabotage import Sabotage
from support.synapse import sqlite_homeserver
from support.television import Television
from support.tokens import inside
from support.waiting import eventually

V3 = "/_matrix/client/v3"
HOUR = 3600
PATIENT = {"per_second": 0.001, "burst_count": 100_000}


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory):
    """Yield a homeserver whose clock a test can set wrong."""
    directory = tmp_path_factory.mktemp("clock")
    # Synapse runs in this directory and finds the module there.
    (directory / "support").symlink_to(Path(support.__file__).parent)
    config = {
        "modules": [{"module": "support.saboteur.Module"}],
        # Synapse's own limits would take a step back for a flood: let them fill slowly.
        "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), PATIENT),
    }
    with sqlite_homeserver(directory, config=config) as homeserver:
        yield homeserver


@pytest.fixture
def shift(homeserver):
    """Return a function that sets the clock wrong by some seconds; it is right again afterwards."""
    sabotage = Sabotage(homeserver.base_url)
    yield lambda seconds: sabotage.plan(None, shift=seconds)
    sabotage.plan(None)


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


def test_c379_a_token_ends_by_the_clock_of_synapse(server, client, user, shift):
    """Good until its last second, then a refresh is all it takes."""
    tokens = client.sign_in(user.localpart, user.password)
    left = inside(tokens["access_token"]).expires_at - time.time()

    shift(left - 20)
    before = server.whoami(tokens["access_token"])
    shift(left + 2)
    after = server.whoami(tokens["access_token"])
    renewed = client.refresh(tokens["refresh_token"]).json()

    assert before.status_code == 200
    assert (after.status_code, after.json()["soft_logout"]) == (401, True)
    assert server.whoami(renewed["access_token"]).status_code == 200


@pytest.mark.parametrize("jump", [-HOUR, HOUR, -86400, 400 * 86400, -1, 1])
def test_c379_whatever_the_clock_does_a_refresh_works(server, client, user, shift, jump):
    """Back or forward: nobody is logged out, and every lifetime is a positive one."""
    tokens = client.sign_in(user.localpart, user.password)
    shift(jump)

    renewed = [client.refresh(tokens["refresh_token"]).json()]
    alive = server.whoami(renewed[0]["access_token"]).status_code
    shift(0)
    renewed.append(client.refresh(renewed[0]["refresh_token"]).json())

    assert alive == 200
    assert server.whoami(renewed[1]["access_token"]).status_code == 200
    assert [0 < answer["expires_in"] <= 300 for answer in renewed] == [True, True]


def test_c379_after_a_step_back_no_new_token_lives_longer(server, client, user, shift):
    """What is issued after the clock was set right ends five minutes later."""
    shift(HOUR)
    ahead = client.sign_in(user.localpart, user.password)
    shift(0)

    tokens = client.refresh(ahead["refresh_token"]).json()

    assert inside(tokens["access_token"]).expires_at <= time.time() + 301
    assert server.whoami(tokens["access_token"]).status_code == 200
    server.revoke(token=ahead["refresh_token"])
    assert server.whoami(ahead["access_token"]).status_code == 401


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_c379_an_id_token_is_dated_like_the_rest(client, user, shift, jump):
    """Its times follow the one clock, and it ends after it begins."""
    shift(jump)

    tokens = client.sign_in(user.localpart, user.password, scope="openid")
    told = claims(tokens["id_token"])

    assert abs(told["iat"] - time.time() - jump) < 30
    assert told["exp"] > told["iat"] >= told["auth_time"]


def test_c379_small_steps_back_during_a_sign_in_are_not_noticed(client, server, user, shift):
    """From the request to the tokens, each step most of a minute before the one before."""
    parameters, verifier = client.request()
    browser = Browser(server)
    browser.authorize(parameters)
    shift(-50)
    page = browser.sign_in(user.localpart, user.password)
    shift(-100)
    answer = browser.answer(browser.submit(decision="approve"))
    shift(-150)

    tokens = client.redeem(answer["code"], verifier).json()

    assert page.status_code == 200
    assert server.whoami(tokens["access_token"]).status_code == 200


def test_c379_after_a_large_step_back_a_form_is_asked_for_again(client, server, user, shift):
    """A page from the future is not trusted; "Try again" goes on where the person was."""
    parameters, verifier = client.request()
    browser = Browser(server)
    browser.authorize(parameters)
    browser.sign_in(user.localpart, user.password)
    shift(-HOUR)

    refused = browser.submit(decision="approve")
    link = re.search(r'href="([^"]*)"[^>]*>Try again', refused.text)[1]
    browser.get(server.url(html.unescape(link)))
    answer = browser.answer(browser.submit(decision="approve"))

    assert refused.status_code == 403
    assert client.redeem(answer["code"], verifier).status_code == 200


def test_c299_an_approval_is_good_for_ten_minutes(client, server, user, shift):
    """Asked for long ago, or given long ago: the reset asks anew."""
    tokens = client.sign_in(user.localpart, user.password)

    def reset():
        tokens.update(client.refresh(tokens["refresh_token"]).json())
        path = f"{V3}/keys/device_signing/upload"
        return server.api("POST", path, tokens["access_token"], json=master_key(user.user_id))

    reset()
    asked = reset().json()
    url = asked["params"]["m.oauth"]["url"]
    shift(601)
    browser = Browser.of(server, user)
    late = browser.get(url)
    fresh = reset().json()
    browser.get(fresh["params"]["m.oauth"]["url"])
    approved = browser.submit(decision="approve")
    shift(601 + 605)
    too_late = reset()

    assert late.status_code == 400
    assert "This took too long" in late.text
    assert fresh["session"] != asked["session"]
    assert approved.status_code == 200
    assert too_late.status_code == 401


def test_c299_who_approves_signed_in_a_moment_ago(client, server, user, shift):
    """A browser that somebody left open is asked for the password first."""
    browser = Browser(server)
    tokens = client.sign_in(user.localpart, user.password, browser=browser)
    shift(700)
    token = client.refresh(tokens["refresh_token"]).json()["access_token"]
    path = f"{V3}/keys/device_signing/upload"
    server.api("POST", path, token, json=master_key(user.user_id))
    asked = server.api("POST", path, token, json=master_key(user.user_id)).json()

    page = browser.get(asked["params"]["m.oauth"]["url"])
    after = browser.sign_in(user.localpart, user.password)

    assert 'name="password"' in page.text
    assert "Reset your cryptographic identity?" in after.text


def test_c379_a_sign_in_of_the_future_is_not_fresh(client, server, user, shift):
    """The clock ran ahead and was set right: the browser is signed in, and is asked all the same."""
    shift(HOUR)
    browser = Browser(server)
    tokens = client.sign_in(user.localpart, user.password, browser=browser)
    shift(0)
    token = client.refresh(tokens["refresh_token"]).json()["access_token"]
    path = f"{V3}/keys/device_signing/upload"
    server.api("POST", path, token, json=master_key(user.user_id))
    asked = server.api("POST", path, token, json=master_key(user.user_id)).json()

    account = browser.get(server.url("account"))
    page = browser.get(asked["params"]["m.oauth"]["url"])
    parameters, _verifier = client.request(prompt="login")
    again = browser.authorize(parameters)

    assert user.user_id in account.text
    assert 'name="password"' in page.text
    assert 'name="password"' in again.text


def test_c379_a_lockout_of_the_future_is_over(server, shift):
    """Five wrong codes while the clock ran ahead; nobody waits until it gets there again."""
    shift(HOUR)
    browser = Browser(server)
    browser.get(server.url("link"))
    wrong = [browser.submit(user_code="BBB-BBB-BBB").status_code for _ in range(6)]
    shift(0)
    tv = Television.begin(server)
    browser.get(server.url("link"))

    page = browser.submit(user_code=tv.user_code)

    assert wrong == [400] * 5 + [429]
    assert page.url.startswith((server.url("device"), server.url("sign-in")))


def test_c379_a_grant_of_the_future_gives_nothing(client, server, user, shift):
    """A code and a device code that would live for as long as the clock ran ahead."""
    shift(HOUR)
    parameters, verifier = client.request()
    code = Browser(server).let_in(parameters, user.localpart, user.password)["code"]
    tv = Television.begin(server)
    shift(0)

    redeemed = client.redeem(code, verifier)
    polled = tv.poll()

    assert (redeemed.status_code, redeemed.json()["error"]) == (400, "invalid_grant")
    assert (polled.status_code, polled.json()["error"]) == (400, "expired_token")


def test_c379_the_grace_of_the_future_begins_when_it_is_seen(
    homeserver, client, server, user, shift
):
    """A superseded refresh token is good for half a minute more, and not until the clock is there."""
    tokens = client.sign_in(user.localpart, user.password)
    shift(HOUR)
    renewed = client.refresh(tokens["refresh_token"]).json()
    server.whoami(renewed["access_token"])
    confirmed = "SELECT 1 FROM nextgen_sessions WHERE user_id = ? AND confirmed_generation = 2"
    assert eventually(lambda: homeserver.query(confirmed, user.user_id))
    shift(0)

    seen = client.refresh(tokens["refresh_token"])
    shift(40)
    later = client.refresh(tokens["refresh_token"])

    assert seen.status_code == 200
    assert (later.status_code, later.json()["error"]) == (400, "invalid_grant")
