"""The address of somebody who signs up, in a real browser: by the keyboard, and for everybody."""

import itertools

import pytest
from playwright.sync_api import expect

from support.chromium import problems
from support.oauth import Server

PASSWORD = "seven brave otters juggle"
_numbers = itertools.count()


@pytest.fixture
def server(mailing_homeserver):
    return Server(mailing_homeserver.base_url)


@pytest.fixture(autouse=True)
def forgiven():
    """Nobody types codes of devices here."""


@pytest.mark.parametrize(
    "options",
    [
        {"viewport": {"width": 320, "height": 640}},
        {"color_scheme": "dark", "java_script_enabled": False},
        {"locale": "ar"},
    ],
    ids=["narrow", "without_scripts", "right_to_left"],
)
def test_by_the_keyboard_alone(open_tab, mailing_homeserver, mailbox, axe, options):
    """The field has the focus on each page; what is wrong is read out; the code may have spaces."""
    tab = open_tab(**options)
    keyboard, address = tab.page.keyboard, f"typist{next(_numbers)}@example.com"
    tab.open("register")
    tab.page.locator("[name=username]").fill(f"typist{next(_numbers)}")
    tab.page.locator("[name=password]").fill(PASSWORD)
    keyboard.press("Enter")
    expect(tab.page.locator("[name=email]")).to_be_focused()
    keyboard.type(address)
    looked = [_problems(tab, axe, options)]
    keyboard.press("Enter")
    code = tab.page.locator("[name=code]")
    expect(code).to_be_focused()
    expect(code).to_have_attribute("autocomplete", "one-time-code")
    right = mailbox.last_to(address).code
    keyboard.type("000 000" if right != "000000" else "000 001")
    keyboard.press("Enter")
    expect(code).to_have_attribute("aria-invalid", "true")
    expect(code).to_be_focused()
    looked.append(_problems(tab, axe, options))
    keyboard.type(f"{right[:3]} {right[3:]}")
    keyboard.press("Enter")
    tab.until(
        lambda: mailing_homeserver.query("SELECT 1 FROM user_threepids WHERE address = ?", address)
    )

    assert looked == [[], []]
    assert mailing_homeserver.query("SELECT 1 FROM user_threepids WHERE address = ?", address)


def _problems(tab, axe, options):
    """Return what axe finds; it is a script itself."""
    return [] if options.get("java_script_enabled") is False else problems(tab, axe)
