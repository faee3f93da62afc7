"""How many devices an account may have (C314): one more is refused, and none is signed out for it."""

import pytest

from support.oauth import API, DEVICE, Browser
from support.public import MAX_DEVICES
from support.television import Television

FULL = "You have too many devices"


@pytest.fixture
def homeserver(public_homeserver):
    return public_homeserver


@pytest.fixture
def server(public_server):
    return public_server


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def devices(homeserver, client, user):
    """Fill the account with devices, ours and legacy ones; return their tokens."""
    ours = [client.sign_in(user.localpart, user.password) for _ in range(2)]
    legacy = [homeserver.login(user) for _ in range(MAX_DEVICES - 2)]
    return [*ours, *legacy]


def asked(client, user, **changes):
    """Go as far as the page that asks; return the browser."""
    browser = Browser(client.server)
    browser.authorize(client.request(**changes)[0])
    browser.sign_in(user.localpart, user.password)
    return browser


def alive(server, devices):
    return [server.whoami(each["access_token"]).status_code for each in devices]


def test_c314_one_device_too_many_is_refused_with_a_way_forward(server, client, user, devices):
    """The page leads to the list of devices, and every device is as it was."""
    page = asked(client, user).page

    assert page.status_code == 403
    assert FULL in page.text
    assert 'href="account"' in page.text
    assert alive(server, devices) == [200] * MAX_DEVICES


def test_c314_a_device_that_is_there_already_needs_no_room(server, client, user, devices):
    """Signing in again on a device replaces what was there, legacy or ours."""
    for known in (devices[0]["scope"], f"{API} {DEVICE}{devices[-1]['device_id']}"):
        tokens = client.sign_in(user.localpart, user.password, scope=known)

        assert server.whoami(tokens["access_token"]).status_code == 200
    assert alive(server, devices[1:-1]) == [200] * (MAX_DEVICES - 2)


def test_c314_who_signs_one_out_has_room_again(server, client, user, devices):
    """And who only wants to be known to a website needs none."""
    browser = asked(client, user)
    told = client.sign_in(user.localpart, user.password, scope="openid")

    server.revoke(token=devices[0]["access_token"])
    page = browser.authorize(client.request()[0])

    assert told["id_token"]
    assert 'value="approve"' in page.text
    assert "code" in browser.answer(browser.submit(decision="approve"))


def test_c314_what_stays_of_a_session_that_ended_takes_no_room(server, client, user, devices):
    """A stolen refresh token ended the session; its device and keys are there, and nobody is in it."""
    first = devices[0]["refresh_token"]
    second = client.refresh(first).json()["refresh_token"]
    assert client.refresh(second).status_code == 200
    assert client.refresh(first).json()["error"] == "invalid_grant"

    tokens = client.sign_in(user.localpart, user.password)

    listed = server.api("GET", "/_matrix/client/v3/devices", tokens["access_token"]).json()
    assert len(listed["devices"]) == MAX_DEVICES + 1
    assert asked(client, user).page.status_code == 403


def test_c314_agreeing_later_does_not_get_around_it(homeserver, server, client, user):
    """The last place may be taken while somebody looks at the consent page."""
    browser = asked(client, user)
    devices = [homeserver.login(user) for _ in range(MAX_DEVICES)]

    page = browser.submit(decision="approve")

    assert page.status_code == 403
    assert FULL in page.text
    assert alive(server, devices) == [200] * MAX_DEVICES


def test_c314_a_device_without_a_browser_needs_room_too(server, user, devices):
    television, browser = Television.begin(server), Browser(server)
    browser.get(server.url("link"))
    browser.submit(user_code=television.user_code)

    page = browser.sign_in(user.localpart, user.password)

    assert page.status_code == 403
    assert FULL in page.text
    assert television.poll().json()["error"] == "authorization_pending"
    assert alive(server, devices) == [200] * MAX_DEVICES
