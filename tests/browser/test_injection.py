"""Text of strangers stays text, wherever it turns up."""

import pytest
import requests
from playwright.sync_api import expect

from support.oauth import API, DEVICE, device_id, web_client

PAYLOADS = {
    "svg": "<svg/onload=alert(1)>",
    "attribute": "\"'><img src=x onerror=alert(1)>",
    "jinja": "{{7*7}}{% raw %}${7*7}#{7*7}",
    "script": "</script><script>alert(1)</script>",
    "title": "</title></textarea></style><svg onload=alert(1)>",
    "separators": "a\u2028alert(1)\u2029//",
    "javascript": "javascript:alert(1)//",
    "entities": "&lt;svg onload=alert(1)&gt;&quot;&#39;",
    "direction": "\u202egnp.exe <b>bold</b>",
}
# A device id holds the characters that a scope may have: no quotes, no spaces.
DEVICES = ["<svg/onload=alert(1)>", "'><script>alert(1)</script>", "{{7*7}}${7*7}", "&lt;b&gt;--"]


@pytest.fixture(params=PAYLOADS.values(), ids=PAYLOADS)
def payload(request):
    return request.param


def shown(tab, text):
    """Say whether the text stands on the page, letter by letter."""
    return text in tab.page.locator("body").text_content()


def test_c198_client_and_account(tab, server, user, sqlite_homeserver, payload):
    """Names of clients, of people and of their devices, on every page that shows them."""
    legacy = sqlite_homeserver.login(
        user, device_id="OLDDEVICE0", initial_device_display_name=payload
    )
    named = server.api(
        "PUT",
        f"/_matrix/client/v3/profile/{user.user_id}/displayname",
        legacy["access_token"],
        json={"displayname": payload},
    )
    assert named.status_code == 200, named.text
    # A name that is more than a line of text is not taken in the first place.
    refused = server.register(web_client(client_name=payload)).status_code == 400
    name = "Test client" if refused else payload
    client = server.client(web_client(client_name=name))
    parameters, _ = client.request(scope=f"{API} {DEVICE}OLDDEVICE0")

    tab.authorize(parameters)
    on_sign_in = tab.page.locator(".client-name").text_content()
    tab.sign_in(user)

    assert tab.path == "consent"
    assert tab.page.locator(".client-name").text_content() == on_sign_in == name
    assert tab.page.locator(".account-name").text_content() == payload
    assert payload in tab.page.locator(".notice-warning").text_content()
    expect(tab.page.locator("svg:not(.icon), main img, main script")).to_have_count(0)


def test_c198_request(tab, server, client, user, https_site, payload):
    """State, login hint and whatever is typed, on the pages and in the form that goes back."""
    parameters, _ = client.request(
        state=payload, login_hint=f"mailto:{payload}", ui_locales=payload, response_mode="form_post"
    )
    tab.authorize(parameters)
    name = tab.page.get_by_label("Username")
    hinted = name.input_value()
    name.fill(payload)
    tab.page.get_by_label("Password").fill(payload)
    tab.press("Sign in")
    typed = name.input_value()

    told = tab.let_in(parameters, user)

    assert hinted in {payload, ""}
    assert typed == payload
    assert told["state"] == payload
    assert https_site.visits_of("/callback")[-1].parameters["state"] == payload


def test_c198_error_pages(tab, client, payload):
    """What a developer is told about a broken request repeats it as text."""
    for name in ("client_id", "redirect_uri"):
        parameters, _ = client.request(**{name: payload})

        assert tab.authorize(parameters) == 400
        expect(tab.page.locator("svg:not(.icon), main img, main script")).to_have_count(0)


def test_c198_errors_that_travel(tab, client, https_site, user, payload):
    """A refusal that goes back by form_post carries the text into a page of ours.

    While nobody is signed in it waits there for a click.
    """
    for name in ("scope", "response_type", "prompt", "code_challenge", "max_age"):
        parameters, _ = client.request(**{name: payload}, response_mode="form_post", state=payload)

        assert tab.authorize(parameters) == 400
        expect(tab.page.locator("svg:not(.icon), main img, main script")).to_have_count(0)
        told = tab.leave("Go to client.example.com", client.redirect_uri)
        assert told["state"] == payload

    tab.open("sign-in")
    tab.sign_in(user)
    for name in ("scope", "response_type", "prompt", "code_challenge", "max_age"):
        parameters, _ = client.request(**{name: payload}, response_mode="form_post", state=payload)

        tab.authorize(parameters)
        tab.page.wait_for_url(client.redirect_uri)

        told = https_site.visits_of("/callback")[-1].parameters
        assert told["error"].startswith(("invalid_", "unsupported_"))
        assert told["state"] == payload


@pytest.mark.parametrize("device", DEVICES)
def test_c198_device_ids(tab, client, user, device):
    """A device id is chosen by the client and shown to the person."""
    parameters, _ = client.request(scope=f"{API} {DEVICE}{device}")

    tab.authorize(parameters)
    tab.sign_in(user)

    assert shown(tab, device)
    expect(tab.page.locator("svg:not(.icon), main img, main script")).to_have_count(0)


def test_c198_devices_and_what_they_call_themselves(tab, server, user, sqlite_homeserver, payload):
    """Names of devices in the account, and the name that a device without a browser gives itself."""
    login = {"type": "m.login.password", "user": user.localpart, "password": user.password}
    requests.post(
        f"{server.base_url}/_matrix/client/v3/login",
        json={**login, "device_id": "OLDDEVICE0", "initial_device_display_name": payload},
        headers={"User-Agent": payload.encode()},
        timeout=30,
    ).raise_for_status()
    client = server.client(
        web_client(application_type="native", redirect_uris=None, response_types=[],
                   grant_types=["urn:ietf:params:oauth:grant-type:device_code"])
    )  # fmt: skip
    begun = server.post(
        "device-authorization",
        {"client_id": client.id, "scope": f"{API} {DEVICE}{device_id()}"},
        headers={"User-Agent": payload.encode()},
    ).json()
    tab.open("sign-in")
    tab.sign_in(user)

    tab.open("account-devices")
    listed = shown(tab, payload)
    tab.open("account?action=org.matrix.device_view&device_id=OLDDEVICE0")
    viewed = shown(tab, payload)
    tab.page.goto(begun["verification_uri_complete"])
    tab.press("Continue")

    assert (listed, viewed, tab.path) == (True, True, "device")
    expect(tab.page.locator("svg:not(.icon), main img, main script")).to_have_count(0)
