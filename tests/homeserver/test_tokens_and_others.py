"""Personal tokens beside other modules and a dehydrated device: neither gets hold of one."""

import html

import pytest

from support.neighbours import Neighbours
from support.oauth import device_id
from support.personal_tokens import A_BOT, make_token

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]

V3 = "/_matrix/client/v3"
DEHYDRATED = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device"


@pytest.fixture
def homeserver(busy_homeserver):
    return busy_homeserver


@pytest.fixture
def neighbours(homeserver):
    return Neighbours(homeserver)


@pytest.fixture
def dehydrated(server, browser):
    """Return the id of a device that waits for messages, and a token of its account."""
    token, device = make_token(browser, **A_BOT), device_id()
    user_id = server.whoami(token).json()["user_id"]
    keys = {"user_id": user_id, "device_id": device, "algorithms": [], "signatures": {}}
    body = {
        "device_id": device,
        "device_data": {"algorithm": "m.x"},
        "device_keys": {**keys, "keys": {f"ed25519:{device}": "A" * 43}},
        "initial_device_display_name": "Dehydrated",
    }
    put = server.api("PUT", DEHYDRATED, token, json=body)
    assert put.status_code == 200, put.text
    return device, token


def test_c307_a_dehydrated_device_is_neither_offered_nor_taken(server, browser, dehydrated):
    """MSC3814: a token that had it would change its keys, and its end would delete it."""
    device, token = dehydrated
    form = browser.get(server.url("account-token-add")).text
    own = server.whoami(token).json()["device_id"]
    page = browser.submit(decision="make", **{**A_BOT, "device": f"at {device}"})

    assert f'value="at {own}"' in form
    assert device not in form
    assert page.status_code == 400
    assert "not there any more" in html.unescape(page.text)
    assert "ngp_" not in page.text
    assert server.api("GET", DEHYDRATED, token).json()["device_id"] == device
