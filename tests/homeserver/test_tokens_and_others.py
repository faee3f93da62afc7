"""Personal tokens beside other modules and a dehydrated device: neither gets hold of one."""

import html

import pytest
import requests

from support.neighbours import Neighbours
from support.oauth import Browser, device_id
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


def as_pasted(token):
    """Return how people paste a token, and what becomes of it on the way."""
    return [
        token,
        f'  "{token}"\n',
        f"Bearer {token}",
        f"\u200b{token}\ufeff",
        token[:1].upper() + token[1:],  # as telephones begin a sentence
        f"{token[:20]}\n{token[20:]}",
        token.upper(),
        token[:-2],
        *(token.replace("ngp_", prefix) for prefix in ("nga_", "ngr_", "ngs_", "ngx_")),
    ]


@pytest.fixture
def tries(server, user):
    """Return the ways in which something is typed where a password belongs, as functions of it."""
    named = {"type": "m.id.user", "user": user.localpart}
    asks = {"type": "m.login.password", "identifier": named}

    def log_in(password):
        body = {**asks, "password": password}
        return requests.post(f"{server.base_url}{V3}/login", json=body, timeout=30)

    def by_address(password):
        address = {"type": "m.id.thirdparty", "medium": "email", "address": "who@example.org"}
        body = {**asks, "identifier": address, "password": password}
        return requests.post(f"{server.base_url}{V3}/login", json=body, timeout=30)

    def confirm(password):
        stock = log_in(user.password).json()["access_token"]
        path, body = f"{V3}/delete_devices", {"devices": ["X"]}
        session = server.api("POST", path, stock, json=body).json()["session"]
        auth = {**asks, "session": session, "password": password}
        return server.api("POST", path, stock, json={**body, "auth": auth})

    def on_the_page(password):
        page = Browser(server)
        page.get(server.url("sign-in"))
        return page.sign_in(user.localpart, password)

    return {each.__name__: each for each in (log_in, by_address, confirm, on_the_page)}


@pytest.mark.parametrize("way", ["log_in", "by_address", "confirm", "on_the_page"])
def test_no_provider_of_passwords_sees_a_token(neighbours, user, browser, tries, way):
    """Wherever it is pasted, of whichever kind, with whatever around it; a password they do see."""
    token = make_token(browser, **A_BOT)

    def seen():
        return len(neighbours.calls("check_auth", user.user_id)) + len(
            neighbours.calls("check_3pid_auth")
        )

    tries["on_the_page"](user.password)
    before = seen()
    tries[way]("wrong")
    each_try = seen() - before
    assert each_try > 0
    before, typed = seen(), as_pasted(token)
    answers = [tries[way](each).status_code for each in typed]

    # To confirm something, one is signed in with the right password first.
    assert seen() - before == (len(typed) * (each_try - 1) if way == "confirm" else 0)
    refused = {"log_in": 403, "by_address": 403, "confirm": 401, "on_the_page": 403}[way]
    taken = 6 if way == "log_in" else 0
    assert answers == [200] * taken + [refused] * (len(typed) - taken)


def test_the_page_says_what_it_is(tries, browser):
    """It is a wrong password, for who looks into the log, too."""
    page = tries["on_the_page"](f"Bearer {make_token(browser)}")

    assert "That is a token for a program" in html.unescape(page.text)
    assert "ngp_" not in page.text
    assert "a token" not in tries["on_the_page"]("wrong").text
