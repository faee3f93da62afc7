"""Passkeys in a real Chromium, with the authenticators that it has for tests (WebAuthn section 11)."""

import pytest
from playwright.sync_api import expect

from support.chromium import problems
from support.synapse import Homeserver


@pytest.fixture(scope="module")
def sqlite_homeserver(tmp_path_factory, make_database):
    """Yield a homeserver on which people may have second factors."""
    directory = tmp_path_factory.mktemp("homeserver-passkeys")
    database = make_database("sqlite", directory)
    module = {"factors": {"policy": "optional"}}
    with Homeserver(directory, database, module=module) as started:
        yield started


def has_authenticator(tab, **options):
    """Give the browser of a tab something that makes passkeys; return what asks it."""
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("WebAuthn.enable", {"enableUI": False})
    settings = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        **options,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": settings})
    return lambda what, **more: session.send(
        f"WebAuthn.{what}", {"authenticatorId": made["authenticatorId"], **more}
    )


def add(tab, user, name="Phone"):
    """Sign in with the password and add a passkey."""
    tab.open("account-passkey-add")
    tab.sign_in(user)
    tab.page.get_by_label("Name of the passkey").fill(name)
    tab.press("Make a passkey")
    assert tab.heading == "Your recovery codes"


def sign_out(tab):
    tab.open()
    tab.press("Sign out")


# Browsers that propose nothing beside a name; those that do would answer before the button is pressed.
NO_PROPOSALS = "delete PublicKeyCredential.isConditionalMediationAvailable"


def test_somebody_signs_in_without_typing_anything(tab, user):
    """A passkey that its device finds by itself."""
    tab.page.add_init_script(NO_PROPOSALS)
    device = has_authenticator(tab)
    add(tab, user)
    [kept] = device("getCredentials")["credentials"]
    assert kept["isResidentCredential"]
    sign_out(tab)

    tab.open("sign-in")
    tab.press("Sign in with a passkey")

    tab.open("account")
    assert user.user_id in tab.text


def test_the_browser_proposes_it_beside_the_name(tab, user):
    """Conditional mediation: whoever has it there presses nothing of ours."""
    has_authenticator(tab)
    add(tab, user)
    sign_out(tab)

    with tab.page.expect_navigation(url=lambda url: not url.rstrip("/").endswith("sign-in")):
        tab.open("sign-in")

    tab.open("account")
    assert user.user_id in tab.text


def test_a_security_key_without_a_pin_is_asked_beside_the_password(tab, user):
    """It is found by its id alone, and lets nobody in alone."""
    tab.page.add_init_script(NO_PROPOSALS)
    device = has_authenticator(
        tab,
        transport="usb",
        hasResidentKey=False,
        hasUserVerification=False,
        isUserVerified=False,
    )
    add(tab, user, "Key on my ring")
    [kept] = device("getCredentials")["credentials"]
    assert not kept["isResidentCredential"]

    tab.open("account-sign-in")

    assert "beside a password" in tab.text
    sign_out(tab)
    tab.open("sign-in")
    tab.sign_in(user)
    assert tab.heading == "Second factor"
    tab.press("Use a passkey")
    tab.open("account")
    assert user.user_id in tab.text


def test_what_the_account_has_is_not_added_again(tab, user):
    has_authenticator(tab)
    add(tab, user)

    tab.open("account-passkey-add")
    tab.ready_button("Make a passkey").click()

    said = tab.page.locator("[data-said]")
    expect(said).to_contain_text("among the passkeys of your account already")


def test_who_says_no_may_try_again(tab, user):
    """The page says that nothing came of it, and stays."""
    tab.page.add_init_script(NO_PROPOSALS)
    device = has_authenticator(tab)
    add(tab, user)
    sign_out(tab)
    device("setUserVerified", isUserVerified=False)
    tab.open("sign-in")
    tab.ready_button("Sign in with a passkey").click()

    expect(tab.page.locator("[data-said]")).to_contain_text("That did not work")
    device("setUserVerified", isUserVerified=True)
    tab.press("Sign in with a passkey")

    tab.open("account")
    assert user.user_id in tab.text


def test_c391_without_javascript_the_page_says_so(open_tab):
    tab = open_tab(java_script_enabled=False)

    tab.open("sign-in")

    assert "Passkeys need JavaScript" in tab.text
    assert not tab.button("Sign in with a passkey").is_visible()
    assert tab.button("Sign in").is_visible()


@pytest.mark.parametrize("width", [320, 1280])
def test_c391_nothing_is_in_anybodys_way(open_tab, user, axe, width):
    """Names for who hears the page, contrast, and nothing to be scrolled sideways."""
    tab = open_tab(viewport={"width": width, "height": 900})
    has_authenticator(tab)
    tab.open("sign-in")
    found = problems(tab, axe)
    add(tab, user)
    tab.open("account-sign-in")
    found += problems(tab, axe)
    tab.page.get_by_role("link", name="Phone").click()
    expect(tab.page.get_by_role("heading", name="Give it another name")).to_be_visible()
    found += problems(tab, axe)
    tab.press("Remove…")
    found += problems(tab, axe)
    tab.press("Remove")

    assert found == []
    assert "does not open your account any more" in tab.text


def test_one_that_a_password_manager_carries_along_is_called_so(tab, user):
    """Backup eligible and backed up (WebAuthn section 6.1.3), as it says of itself when it is used."""
    tab.page.add_init_script(NO_PROPOSALS)
    has_authenticator(tab, defaultBackupEligibility=True, defaultBackupState=True)
    add(tab, user, "Carried along")
    sign_out(tab)
    tab.open("sign-in")
    tab.press("Sign in with a passkey")

    tab.open("account-sign-in")
    tab.page.get_by_role("link", name="Carried along").click()

    said = tab.page.locator("body")
    expect(said).to_contain_text("a password manager, which may have it on all your devices")


def test_of_several_devices_each_has_a_key_and_opens_the_account(tab, user):
    """A phone that is one, and a stick beside the password; the last one that is left still opens it."""
    tab.page.add_init_script(NO_PROPOSALS)
    phone = has_authenticator(tab)
    add(tab, user, "Phone")
    phone("removeVirtualAuthenticator")
    stick = has_authenticator(tab, transport="usb", hasResidentKey=True)
    tab.open("account-passkey-add")
    tab.page.get_by_label("Name of the passkey").fill("Stick")
    tab.press("Make a passkey")
    tab.open("account-sign-in")
    assert "Phone" in tab.text
    assert "Stick" in tab.text
    assert len(stick("getCredentials")["credentials"]) == 1
    sign_out(tab)

    tab.open("sign-in")
    tab.press("Sign in with a passkey")

    tab.open("account")
    assert user.user_id in tab.text


def test_several_accounts_of_one_device_are_several_keys(tab, user, sqlite_homeserver):
    """A second account makes its own, and is no other's."""
    tab.page.add_init_script(NO_PROPOSALS)
    device, other = has_authenticator(tab), sqlite_homeserver.new_user()
    add(tab, user)
    sign_out(tab)
    add(tab, other, "The same phone")
    sign_out(tab)
    mine, theirs = device("getCredentials")["credentials"]
    assert mine["userHandle"] != theirs["userHandle"]
    first = next(
        each
        for each in (mine, theirs)
        if sqlite_homeserver.query(
            "SELECT 1 FROM nextgen_passkeys WHERE user_id = ? AND user_handle = ?",
            *(other.user_id, plain(each["userHandle"])),
        )
    )
    for each in (mine, theirs):
        if each is not first:
            device("removeCredential", credentialId=each["credentialId"])

    tab.open("sign-in")
    tab.press("Sign in with a passkey")

    tab.open("account")
    assert other.user_id in tab.text


def plain(encoded):
    """Return base64 as a page writes it, without what no address takes."""
    return encoded.replace("+", "-").replace("/", "_").rstrip("=")


def test_a_key_that_no_browser_finds_is_no_way_in(tab, user):
    """It knows its owner, and is found by its id alone: beside the password it is all that is asked."""
    tab.page.add_init_script(NO_PROPOSALS)
    has_authenticator(tab, transport="usb", hasResidentKey=False)
    add(tab, user, "Full key")
    tab.open("account-sign-in")
    tab.page.get_by_role("link", name="Full key").click()
    expect(tab.page.locator("body")).to_contain_text("is not found without your name")
    sign_out(tab)

    tab.open("sign-in")
    tab.sign_in(user)
    assert tab.heading == "Second factor"
    tab.press("Use a passkey")

    tab.open("account-sign-in")
    assert user.user_id in tab.text
    tab.page.get_by_role("link", name="Full key").click()
    expect(tab.page.locator("body")).to_contain_text("is not found without your name")
