"""Signing in as people do it: with a keyboard, without JavaScript, with a slip, in several tabs."""

import pytest
from playwright.sync_api import expect

from support.oauth import Browser


def focused(tab):
    """Return the name of what a screen reader would read out now."""
    return tab.page.evaluate(
        "(document.activeElement.labels?.[0] ?? document.activeElement).innerText.trim()"
    )


def tab_to(tab, name):
    """Press Tab until something of this name has the focus."""
    for _ in range(20):
        if focused(tab) == name:
            return
        tab.page.keyboard.press("Tab")
    pytest.fail(f"the keyboard never gets to {name}")


def test_c391_the_keyboard_is_enough(tab, client, user):
    """Who cannot use a mouse signs in, sees where the focus is and lets the client in."""
    parameters, _ = client.request()
    keys = tab.page.keyboard
    tab.authorize(parameters)

    assert focused(tab) == "Username"
    keys.type(user.localpart)
    keys.press("Tab")
    assert focused(tab) == "Password"
    keys.type(user.password)
    with tab.page.expect_navigation():
        keys.press("Enter")
    expect(tab.button("Continue")).to_be_enabled()
    tab_to(tab, "Continue")
    outline = tab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    with tab.page.expect_request(f"{client.redirect_uri}*") as sent:
        keys.press("Enter")
    assert "code=" in sent.value.url


def test_c391_no_javascript_is_needed(open_tab, client, user):
    """A browser that runs no script signs in, lets the client in and signs out."""
    tab = open_tab(java_script_enabled=False)
    parameters, verifier = client.request()

    told = tab.let_in(parameters, user)
    redeemed = client.redeem(told["code"], verifier)
    tab.open()
    tab.press("Sign out")

    assert redeemed.status_code == 200
    assert tab.heading == "You are signed out"


@pytest.mark.parametrize("js", [True, False])
def test_c391_a_slip_is_announced_and_corrected(open_tab, client, user, js):
    """After a wrong password the page says so, keeps the name, and asks for the password again."""
    tab = open_tab(java_script_enabled=js)
    parameters, verifier = client.request()
    tab.authorize(parameters)

    tab.sign_in(user, "not-the-password")

    alert, password = tab.page.get_by_role("alert"), tab.page.get_by_label("Password")
    expect(alert).to_contain_text("The username or the password is not right")
    expect(password).to_have_value("")
    expect(password).to_have_attribute("aria-describedby", alert.get_attribute("id"))
    expect(password).to_have_attribute("aria-invalid", "true")
    expect(password).to_be_focused()
    expect(tab.page.get_by_label("Username")).to_have_value(user.localpart)
    assert tab.page.title().startswith("Error: ")
    password.fill(user.password)
    tab.press("Sign in")
    told = tab.leave("Continue", client.redirect_uri)
    assert client.redeem(told["code"], verifier).status_code == 200


def test_c391_a_screen_reader_hears_what_to_do(tab, client):
    """Heading, fields and buttons have roles and names."""
    parameters, _ = client.request()

    tab.authorize(parameters)

    expect(tab.page.locator("main")).to_match_aria_snapshot(
        """
        - heading "Sign in" [level=1]
        - paragraph: with your account on localhost
        - paragraph: To continue to
        - paragraph: Test client
        - textbox "Username"
        - textbox "Password"
        - button "Sign in"
        - button "Cancel"
        """
    )
    assert tab.page.locator("html").get_attribute("lang") == "en"


def test_c391_password_managers_find_their_fields(tab, client):
    """One form has the name and the current password, by the tokens that managers look for."""
    parameters, _ = client.request()

    tab.authorize(parameters)

    form = tab.page.locator("form[method=post]")
    expect(form.locator("input:not([type=hidden])")).to_have_count(2)
    expect(form.locator("input[autocomplete=username]")).to_have_attribute("name", "identifier")
    expect(form.locator("input[type=password]")).to_have_attribute(
        "autocomplete", "current-password"
    )


def test_c391_a_password_can_be_pasted(tab, client, user):
    """Nothing gets in the way of the clipboard."""
    parameters, _ = client.request()
    tab.authorize(parameters)
    name, keys = tab.page.get_by_label("Username"), tab.page.keyboard
    name.fill(user.password)
    name.select_text()
    keys.press("Control+X")
    name.fill(user.localpart)
    tab.page.get_by_label("Password").focus()

    keys.press("Control+V")
    tab.press("Sign in")

    assert tab.path == "consent"


def test_a_login_hint_fills_in_the_name(tab, client, user):
    """With `login_hint=mxid:…` only the password is left to type."""
    parameters, _ = client.request(login_hint=f"mxid:{user.user_id}")

    tab.authorize(parameters)

    expect(tab.page.get_by_label("Username")).to_have_value(user.localpart)
    expect(tab.page.get_by_label("Password")).to_be_focused()


def test_a_sign_in_holds_in_every_tab(open_tab, server, client, user):
    """Who signed in for one client is asked no password for the next, in whatever tab."""
    first = open_tab()
    first.let_in(client.request()[0], user)
    second = open_tab(beside=first)

    second.authorize(client.request()[0])

    assert second.path == "consent"
    assert user.user_id in second.text


def test_a_sign_out_holds_in_every_tab(open_tab, client, user):
    """A consent page that was open while somebody signed out lets nobody in."""
    one = open_tab()
    parameters, _ = client.request()
    one.authorize(parameters)
    one.sign_in(user)
    two = open_tab(beside=one)
    two.open()
    two.press("Sign out")

    one.press("Continue")
    said = one.heading
    one.press("Try again")

    assert said == "That page was out of date"
    assert one.path == "sign-in"


def test_the_start_page_signs_in_and_out(tab, user):
    """Without any client a person signs in, sees who that is, and signs out."""
    tab.open()
    tab.press("Sign in")
    tab.sign_in(user)
    signed_in = tab.text
    tab.press("Sign out")
    tab.press("Sign in again")

    assert user.user_id in signed_in
    assert tab.path == "sign-in"


def test_back_after_signing_in_shows_no_password(tab, client, user):
    """The page before is asked for anew: it knows who signed in, and its password field is empty."""
    parameters, _ = client.request()
    tab.authorize(parameters)
    tab.sign_in(user)

    tab.page.go_back()

    expect(tab.page.get_by_label("Password")).to_have_value("")
    assert user.user_id in tab.text
    tab.prove_again(user)
    assert tab.path == "consent"


def test_back_after_letting_in_gives_no_second_code(tab, client, user):
    """The consent page of a decided request says that it is done."""
    parameters, verifier = client.request()
    told = tab.let_in(parameters, user)

    tab.page.go_back()

    assert tab.heading == "This is already done"
    assert client.redeem(told["code"], verifier).status_code == 200


def test_pressing_enter_twice_signs_in_once(tab, client, user):
    """An impatient second Enter does not spoil the sign-in that is under way."""
    parameters, _ = client.request()
    tab.authorize(parameters)
    tab.fill_in(user)

    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**/consent*")

    assert tab.leave("Continue", client.redirect_uri)["code"]


def test_a_form_of_another_tab_goes_on_after_the_sign_in(open_tab, client, user):
    """Two sign-in pages are open; the second one is out of date after the first, and says how to go
    on."""  # noqa: D209, D205
    one, (first, _), (second, _) = open_tab(), client.request(), client.request()
    two = open_tab(beside=one)
    one.authorize(first)
    two.authorize(second)
    one.sign_in(user)

    two.sign_in(user)
    two.press("Try again")

    assert two.path == "consent"
    assert two.leave("Continue", client.redirect_uri)["state"] == second["state"]
    assert one.leave("Continue", client.redirect_uri)["state"] == first["state"]


def test_c023_a_fresh_sign_in_is_no_way_around(open_tab, server, client, user, sqlite_homeserver):
    """With `prompt=login` the one who was signed in gets nothing by going back or asking again."""
    other, one = sqlite_homeserver.new_user(), open_tab()
    one.let_in(client.request()[0], user)
    parameters, verifier = client.request(prompt="login")

    one.authorize(parameters)
    assert one.path == "sign-in"
    grant = one.page.url.partition("?")[2]
    one.open(f"consent?{grant}")
    assert one.path == "sign-in"
    one.page.go_back()
    one.page.go_forward()
    assert one.path == "sign-in"
    one.use_another_account()
    one.choose("Use another account")
    one.sign_in(other)
    told = one.leave("Continue", client.redirect_uri)
    tokens = client.redeem(told["code"], verifier).json()

    assert server.whoami(tokens["access_token"]).json()["user_id"] == other.user_id


def test_c034_a_page_belongs_to_the_browser_that_began(open_tab, server, client, user):
    """The address of a sign-in or consent page is worth nothing in another browser."""
    theirs = open_tab()
    theirs.authorize(client.request()[0])
    sign_in_url = theirs.page.url
    theirs.sign_in(user)
    consent_url = theirs.page.url
    mine = open_tab()
    mine.let_in(client.request()[0], user)

    statuses = [mine.page.goto(url).status for url in (sign_in_url, consent_url)]

    assert statuses == [403, 403]
    assert mine.heading == "This was started in another browser"
    assert Browser(server).get(consent_url).status_code == 403
