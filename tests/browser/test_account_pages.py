"""The pages of the account in a browser: for everybody, with the keyboard alone, without scripts."""

import pytest

from support.chromium import CONTRAST, problems
from support.oauth import API, DEVICE, device_id
from synapse_nextgen_auth.web.routes import ROUTES

# A picture, which has no page.
_PICTURES = {"/account-avatar"}
PAGES = [path for path in ROUTES if path.startswith("/account-") and path not in _PICTURES]


@pytest.fixture
def device(client, user):
    """Return the id of a device of the account."""
    its_id = device_id()
    client.sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{its_id}")
    return its_id


@pytest.fixture
def ids(client, device):
    """Return what the pages are about that are about one thing."""
    return {
        "/account-device": device,
        "/account-device-end": device,
        "/account-devices-end": "others",
        "/account-app": client.id,
        "/account-app-end": client.id,
        "/account-identity-reset": device,
    }


def signed_in(tab, user):
    tab.open("sign-in")
    tab.sign_in(user)
    return tab


def test_every_page_of_the_account_is_for_everybody(open_tab, axe, user, ids):
    """Checked by axe, light and dark, and with text of twice the size on the smallest of screens."""
    # Buttons change their colours slowly, but for those who want no motion.
    view = {"viewport": {"width": 320, "height": 640}, "reduced_motion": "reduce"}
    tab, found = signed_in(open_tab(**view), user), {}
    for path in ["/account", *PAGES]:
        its_id = ids.get(path)
        tab.open(path[1:] + (f"?id={its_id}" if its_id else ""))
        tab.page.emulate_media(color_scheme="light")
        found[path] = problems(tab, axe)
        tab.page.emulate_media(color_scheme="dark")
        found[path] += [f"in the dark: {each}" for each in tab.page.evaluate(CONTRAST)]
        tab.page.evaluate("document.documentElement.style.fontSize = '200%'")
        if tab.page.evaluate("document.documentElement.scrollWidth") > 320:
            found[path].append("it scrolls sideways with large text")

    assert {path: listed for path, listed in found.items() if listed} == {}
    assert len(found) >= 20


def tab_to(tab, name):
    """Press Tab until what has this name has the focus."""
    for _ in range(60):
        tab.page.keyboard.press("Tab")
        if name in tab.page.evaluate(
            "(e => e.labels?.[0]?.innerText || e.innerText || '')(document.activeElement)"
        ):
            return
    raise AssertionError(f"the keyboard does not get to {name!r}")


def enter(tab):
    tab.page.wait_for_selector("button[aria-disabled]", state="detached")
    with tab.page.expect_navigation():
        tab.page.keyboard.press("Enter")


def test_a_device_is_renamed_and_signed_out_with_the_keyboard_alone(
    tab, server, user, device, sqlite_homeserver
):
    """From the overview; each thing that can be reached says by its looks that it has the focus."""
    sqlite_homeserver.query(
        "UPDATE devices SET display_name = 'Kitchen' WHERE device_id = ?", device
    )
    signed_in(tab, user)
    tab.open("account")
    tab_to(tab, "Devices and sessions")
    outline = tab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    enter(tab)
    tab_to(tab, "Kitchen")
    enter(tab)
    tab_to(tab, "Name")
    tab.page.keyboard.press("Control+A")
    tab.page.keyboard.type("Radio")
    enter(tab)
    renamed = tab.text
    tab_to(tab, "Sign out")
    enter(tab)
    asked = tab.text
    tab_to(tab, "Sign out")
    enter(tab)

    assert outline not in {"none", ""}
    assert "The device has its new name." in renamed
    assert "Radio" in asked
    assert tab.path == "account-devices"
    assert "Radio" not in tab.text


def test_the_account_is_looked_after_without_scripts(open_tab, user, device):
    """Verdict, another name, signing a device out: forms and links do it."""
    tab = signed_in(open_tab(java_script_enabled=False), user)
    tab.open("account")
    verdict = tab.page.locator("#safe").inner_text()
    tab.open(f"account-device?id={device}")
    tab.page.get_by_label("Name of the device").fill("Radio")
    tab.press("Rename")
    renamed = tab.text
    tab.open(f"account-device-end?id={device}")
    tab.page.locator("button[value=end]").click()
    tab.page.wait_for_url("**/account-devices?*")

    assert verdict == "Your account looks safe"
    assert "The device has its new name." in renamed
    assert "Radio" not in tab.text
