"""Second factors in a real Chromium: set up, asked for, printed, and in nobody's way."""

import time

import pytest
from playwright.sync_api import expect
from pyotp import TOTP

from support.chromium import problems
from support.synapse import Homeserver


@pytest.fixture(scope="module")
def sqlite_homeserver(tmp_path_factory, make_database):
    """Yield a homeserver on which everybody must have a second factor."""
    directory = tmp_path_factory.mktemp("homeserver-required")
    database = make_database("sqlite", directory)
    module = {"factors": {"policy": "required"}}
    with Homeserver(directory, database, module=module) as started:
        yield started


def secret_on(tab):
    return tab.page.locator("bdi.code").first.inner_text().replace(" ", "")


def code(secret, ahead=0):
    return TOTP(secret).generate_otp(int(time.time()) // 30 + ahead)


def set_up(tab, user):
    """Sign in where a factor is demanded, and set one up; return its secret and the recovery codes."""
    tab.open("sign-in")
    tab.sign_in(user)
    tab.press("Set up an authenticator app")
    secret = secret_on(tab)
    tab.page.get_by_label("Code from the app").fill(code(secret, -1))
    tab.press("Turn on")
    codes = tab.page.locator("ol.codes bdi").all_inner_texts()
    tab.page.get_by_label("I have kept these codes").check()
    tab.press("Continue")
    return secret, codes


@pytest.mark.parametrize("width", [320, 1280])
def test_c391_nothing_is_in_anybodys_way(open_tab, user, axe, width):
    """From the demand to the list and the sheet with the codes: names, contrast, no scrolling."""
    tab, found = open_tab(viewport={"width": width, "height": 900}), []
    tab.open("sign-in")
    tab.sign_in(user)
    found += problems(tab, axe)
    tab.press("Set up an authenticator app")
    found += problems(tab, axe)
    secret = secret_on(tab)
    tab.page.get_by_label("Code from the app").fill("000000")
    tab.press("Turn on")
    found += problems(tab, axe)
    tab.page.get_by_label("Code from the app").fill(code(secret, -1))
    tab.press("Turn on")
    found += problems(tab, axe)
    tab.page.get_by_label("I have kept these codes").check()
    tab.press("Continue")
    for path in ("account-factors", "account-factor-add", "account-recovery-codes", "account"):
        tab.open(path)
        found += problems(tab, axe)
    tab.open("account-factors")
    tab.page.get_by_role("link", name="Rename").click()
    expect(tab.page.get_by_role("heading", name="Give it another name")).to_be_visible()
    found += problems(tab, axe)
    other = open_tab(viewport={"width": width, "height": 900})
    other.open("sign-in")
    other.sign_in(user)
    found += problems(other, axe)
    other.page.get_by_role("link", name="Use a recovery code").click()
    expect(other.page.get_by_label("Recovery code")).to_be_focused()
    found += problems(other, axe)

    assert found == []


def test_the_picture_is_large_and_dark_on_white_in_every_scheme(open_tab, user):
    """Or cameras do not read it: 208 pixels, black modules, a white tile."""
    tab = open_tab(color_scheme="dark")
    tab.open("sign-in")
    tab.sign_in(user)
    tab.press("Set up an authenticator app")
    picture = tab.page.locator("svg.qr")
    look = (
        "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e.querySelector('path')).fill]"
    )

    assert picture.evaluate(look) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    assert picture.bounding_box()["width"] >= 208


def test_the_code_is_typed_and_sent_with_the_keyboard(open_tab, user):
    """The field has the focus, and Enter presses the button that goes on."""
    tab = open_tab()
    secret, codes = set_up(tab, user)
    other = open_tab()
    other.open("sign-in")
    other.sign_in(user)
    expect(other.page.get_by_label("Code from the app")).to_be_focused()
    other.page.keyboard.type(code(secret))
    with other.page.expect_navigation():
        other.page.keyboard.press("Enter")
    other.open("account")

    assert user.user_id in other.text
    assert len(codes) == 10


def test_the_sheet_is_printed_with_little_but_the_codes(open_tab, user):
    """Whose they are and where to sign in, and no button."""
    tab = open_tab()
    tab.open("sign-in")
    tab.sign_in(user)
    tab.press("Set up an authenticator app")
    tab.page.get_by_label("Code from the app").fill(code(secret_on(tab), -1))
    tab.press("Turn on")
    tab.page.emulate_media(media="print")

    assert tab.page.locator("ol.codes li").first.is_visible()
    assert tab.page.get_by_text("Keep this sheet").is_visible()
    assert tab.page.get_by_text(user.user_id).first.is_visible()
    assert not tab.page.get_by_role("button", name="Continue").is_visible()
    assert not tab.page.get_by_text("I have kept these codes").is_visible()
