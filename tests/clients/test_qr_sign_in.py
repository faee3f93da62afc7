"""Sign-in by QR code with matrix-js-sdk as both devices, on one process and on three (MSC4108)."""

import re

import pytest

from support.deployment import PROCESSES, RoundRobinBrowser
from support.node import Node
from support.oauth import API, DEVICE, Browser, Server
from support.scale import times

SHOWS = ["new", "existing"]


@pytest.fixture
def node(tmp_path, node_modules):
    """Return a place of this test's own to run scripts in."""
    return Node.at(tmp_path, node_modules)


def sign_in(node, browser, user, *, shows, places=None, decision="approve"):
    """Let the library sign a device in; return its report."""
    server = browser.server
    login = server.client().sign_in(user.localpart, user.password, browser=browser)
    who = server.whoami(login["access_token"]).json()

    def visit(url):
        page = browser.get(url)
        filled_in = re.search(r'name="user_code".* value="([^"]+)"', page.text)[1]
        question = browser.submit(user_code=filled_in)
        assert "Is this your device?" in question.text
        done = browser.submit(decision=decision, confirm="yes")
        assert done.status_code == 200
        return done.url

    base_url = server.base_url.rstrip("/")
    return node.run(
        "qr_sign_in.js",
        visit,
        baseUrl=base_url,
        places=places or [base_url],
        login=login | who,
        shows=shows,
        declines=decision != "approve",
    )


def assert_signed_in(told, user, server):
    """Check that the new device is one of the account's own, keys and secrets included."""
    assert told["available"]
    assert told["failures"] == []
    assert told["checkCodes"][0] == told["checkCodes"][1]
    assert told["userCode"] in told["verificationUri"]
    assert told["who"] == {
        "user_id": user.user_id,
        "device_id": told["deviceId"],
        "is_guest": False,
    }
    assert told["scope"] == f"{API} {DEVICE}{told['deviceId']}"
    assert told["hasRefreshToken"]
    assert told["secrets"] == ["backup", "cross_signing", "type"]
    assert told["sameSecrets"]
    assert told["isUploaded"]
    assert told["isVerified"]
    assert told["spotAfterwards"] == 404


@pytest.mark.parametrize("shows", SHOWS)
def test_a_new_device_signs_in_by_qr_code(node, sqlite_homeserver, shows):
    """Whichever device shows the code: tokens, keys and secrets arrive, and the spot is left."""
    user, server = sqlite_homeserver.new_user(), Server(sqlite_homeserver.base_url)

    told = sign_in(node, Browser(server), user, shows=shows)

    assert_signed_in(told, user, server)
    if shows == "new":
        assert told["serverName"] == sqlite_homeserver.server_name


@pytest.mark.parametrize("shows", SHOWS[: times(1, 2)])
def test_c355_a_qr_sign_in_hops_between_processes(node, deployment, shows):
    """Each request of either device, and each page, is served by another process than the last."""
    user = deployment.new_user()
    browser = RoundRobinBrowser(deployment)
    places = [deployment.process(name).base_url for name in PROCESSES]

    told = sign_in(node, browser, user, places=places, shows=shows)

    assert_signed_in(told, user, deployment.server())


def test_a_refusal_reaches_both_devices(node, sqlite_homeserver):
    """Who says no on the page ends it: the new device hears so, and tells the other one."""
    user, server = sqlite_homeserver.new_user(), Server(sqlite_homeserver.base_url)

    told = sign_in(node, Browser(server), user, shows="new", decision="cancel")

    assert told["onNew"] == told["onExisting"] == "user_cancelled"
    listed = server.client().sign_in(user.localpart, user.password)
    devices = server.api("GET", "/_matrix/client/v3/devices", listed["access_token"]).json()
    assert told["deviceId"] not in [device["device_id"] for device in devices["devices"]]
