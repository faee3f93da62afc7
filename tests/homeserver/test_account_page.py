"""The account page: where an account is signed in, and signing a device out."""

import re

import pytest

from support.oauth import API, DEVICE, Browser, Server, device_id


@pytest.fixture
def somebody(homeserver):
    """Return an account with a session of ours and a legacy one, and a browser signed in to it."""
    user = homeserver.new_user()
    server = Server(homeserver.base_url)
    device = device_id()
    tokens = server.client().sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{device}")
    legacy = homeserver.login(user)
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    browser.sign_in(user.localpart, user.password)
    return server, user, browser, (device, tokens["access_token"]), legacy


def test_the_management_page_is_announced_with_what_it_can_do(homeserver):
    """Clients find the page and the actions it knows in the metadata (MSC4191)."""
    metadata = Server(homeserver.base_url).metadata()

    assert metadata["account_management_uri"].endswith("/_synapse/client/auth/account")
    assert metadata["account_management_actions_supported"] == [
        "org.matrix.devices_list",
        "org.matrix.device_view",
        "org.matrix.device_delete",
    ]


def test_the_list_shows_sessions_of_both_kinds(somebody):
    """A session of ours stands there with its client, a legacy one beside it."""
    server, _, browser, (device, _), legacy = somebody

    page = browser.get(server.url("account"))

    assert page.status_code == 200
    assert device in page.text
    assert legacy["device_id"] in page.text
    assert "client.example.com" in page.text


@pytest.mark.parametrize("which", ["ours", "legacy"])
def test_a_device_is_signed_out_after_a_question(somebody, which):
    """A link only asks; the answer ends the session at once, ours or legacy (C197)."""
    server, _, browser, (device, token), legacy = somebody
    if which == "legacy":
        device, token = legacy["device_id"], legacy["access_token"]
    link = server.url(f"account?action=org.matrix.device_delete&device_id={device}")

    asked = browser.get(link)
    still = server.whoami(token).status_code
    browser.submit(decision="end")

    assert asked.status_code == 200
    assert device in asked.text
    assert still == 200
    assert server.whoami(token).status_code == 401
    assert device not in browser.get(server.url("account")).text


def test_deep_links_survive_signing_in(homeserver, somebody):
    """Somebody who is not signed in gets to the device after signing in."""
    server, user, _, (device, _), _ = somebody
    browser = Browser(server)

    browser.get(server.url(f"account?action=org.matrix.device_view&device_id={device}"))
    page = browser.sign_in(user.localpart, user.password)

    assert page.url.endswith(f"account?action=org.matrix.device_view&device_id={device}")
    assert device in page.text


def test_c301_somebody_elses_device_is_out_of_reach(homeserver, somebody):
    """Asking for, or ending, another account's device changes nothing there."""
    server, _, _, (device, token), _ = somebody
    thief = homeserver.new_user()
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    browser.sign_in(thief.localpart, thief.password)
    home = browser.get(server.url(""))
    csrf = re.search(r'name="csrf" value="([^"]+)"', home.text)[1]

    link = server.url(f"account?action=org.matrix.device_delete&device_id={device}")
    page = browser.get(link)
    browser.http.post(link, data={"csrf": csrf, "decision": "end"}, timeout=10)

    assert device not in page.text
    assert server.whoami(token).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "action=x&device_id=y",
        "action=org.matrix.device_delete",
        "action=%00",
        "device_id=" + "a" * 9000,
    ],
)
def test_unknown_wishes_show_the_list(somebody, query):
    """What we do not understand is no error for a person."""
    server, _, browser, _, _ = somebody

    page = browser.get(server.url(f"account?{query}"))

    assert page.status_code == (400 if "%00" in query else 200)
    assert "<h1>" in page.text
