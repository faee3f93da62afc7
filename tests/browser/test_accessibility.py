"""Every page of the real flow, for everybody: checked by axe, on a small screen, with large text."""

import pytest

from support.chromium import problems
from support.keys import master_key
from support.oauth import ADMIN, API, DEVICE, device_id
from support.television import Television

VIEWS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 860}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
    "narrow": {"viewport": {"width": 320, "height": 640}},
}


@pytest.fixture
def reset_url(server, client, user):
    token = client.sign_in(user.localpart, user.password)["access_token"]
    path = "/_matrix/client/v3/keys/device_signing/upload"
    server.api("POST", path, token, json=master_key(user.user_id))
    asked = server.api("POST", path, token, json=master_key(user.user_id))
    return asked.json()["params"]["m.oauth"]["url"]


@pytest.fixture(params=VIEWS.values(), ids=VIEWS)
def tab(open_tab, request):
    return open_tab(**request.param)


@pytest.fixture
def look(tab, axe):
    """Return a function that looks at a page; at the end nothing may have been found."""
    found = {}

    def look_(name):
        found[name] = problems(tab, axe)

    yield look_
    assert {name: listed for name, listed in found.items() if listed} == {}


def test_every_page_of_the_flow(tab, look, client, sqlite_homeserver, reset_url, user):
    """Signing in with a slip, letting in, the account, a reset, signing out, what goes wrong."""
    admin = sqlite_homeserver.new_user(admin=True)
    tab.open()
    look("welcome")
    tab.authorize(client.request(scope=f"{API} {DEVICE}{device_id()} {ADMIN}")[0])
    look("sign in")
    tab.sign_in(user, "wrong")
    look("wrong password")
    tab.sign_in(user)
    look("not an administrator")
    tab.press("Use another account")
    look("accounts")
    tab.choose("Use another account")
    tab.sign_in(admin)
    look("consent to administration")
    tab.press("Use another account")
    tab.choose(user.user_id)
    tab.authorize(client.request(scope="openid email profile")[0])
    look("consent to be known")
    tab.open()
    look("home")
    tab.open("account-devices")
    look("devices")
    tab.page.goto(reset_url)
    look("reset")
    tab.press("Allow the reset")
    look("approved")
    tab.open()
    tab.press("Sign out")
    look("signed out")
    for path in ("nothing", "authorize?client_id=nobody", "sign-in?grant=unknown", "link"):
        tab.open(path)
        look(path)

    assert tab.heading == "Link a device"


def test_every_page_of_linking_a_device(tab, look, server, user):
    """The code, slips, the question with and without its answer, yes, no, and too late."""
    accepted, refused = (
        Television.begin(server, client_name="My television", client_uri="https://tv.example.com/")
        for _ in range(2)
    )
    tab.page.goto(accepted.answer["verification_uri_complete"])
    look("code filled in")
    for code in ("BCDF", accepted.wrong_code):
        tab.page.get_by_label("Code").fill(code)
        tab.press("Continue")
        look(f"code {code}")
    tab.page.get_by_label("Code").fill(accepted.user_code)
    tab.press("Continue")
    look("sign in for a device")
    tab.sign_in(user)
    look("question")
    question = tab.page.url
    tab.press("Sign the device in")
    look("box not ticked")
    tab.page.get_by_label("This is my device").check()
    tab.press("Sign the device in")
    look("let in")
    tab.page.goto(question)
    look("done before")
    tab.page.goto(refused.answer["verification_uri_complete"])
    tab.press("Continue")
    tab.press("No, that is not me")
    look("turned away")

    assert tab.heading == "The device was turned away"


def test_large_text_needs_no_sideways_scrolling(open_tab, client, user):
    """At twice the size, on the smallest of screens, the pages reflow (WCAG 1.4.10)."""
    tab = open_tab(viewport={"width": 320, "height": 640})
    tab.authorize(client.request()[0])
    widths = []
    for step in (lambda: None, lambda: tab.sign_in(user)):
        step()
        tab.page.evaluate("document.documentElement.style.fontSize = '200%'")
        widths.append(tab.page.evaluate("document.documentElement.scrollWidth"))
        tab.page.evaluate("document.documentElement.style.fontSize = ''")

    assert widths == [320, 320]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_are_those_of_the_system(open_tab, scheme):
    """Nobody who prefers the dark is dazzled."""
    tab = open_tab(color_scheme=scheme)
    tab.open()

    background = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")

    red = int(background.removeprefix("rgb(").split(",")[0])
    assert (red > 127) == (scheme == "light")
