"""Idle limits count from the last use, not from the last time that one was written down."""

import time

from support.oauth import API, DEVICE, Browser, Server, device_id

ACCESS, IDLE = 8, 10
OPTIONS = {
    "tokens": {"access_token_lifetime": f"{ACCESS}s"},
    "sessions": {"idle_lifetime": f"{IDLE}s", "browser_idle_lifetime": f"{IDLE}s"},
}


def test_c105_c190_what_is_in_use_is_not_idle(start_homeserver):
    """A session and a browser, used all the time, and longer than their limits."""
    homeserver = start_homeserver(module=OPTIONS)
    server, user = Server(homeserver.base_url), homeserver.new_user()
    client = server.client()
    browser = Browser.of(server, user)
    tokens = client.sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{device_id()}")
    began = time.monotonic()

    while server.whoami(tokens["access_token"]).status_code == 200:
        assert user.user_id in browser.get(server.url("")).text
        time.sleep(0.2)
    while time.monotonic() < began + IDLE + 1:  # without a refresh; the use is that long ago now
        assert user.user_id in browser.get(server.url("")).text
        time.sleep(0.2)

    assert client.refresh(tokens["refresh_token"]).status_code == 200
