"""Letting a client reset the cryptographic identity: from its 401 through our pages and back."""

import re

import pytest

from support.keys import master_key

UPLOAD = "/_matrix/client/v3/keys/device_signing/upload"


@pytest.fixture
def asked(server, client, user):
    """Return a function that uploads a fresh identity; without approval it is a 401."""
    token = client.sign_in(user.localpart, user.password)["access_token"]
    assert server.api("POST", UPLOAD, token, json=master_key(user.user_id)).status_code == 200

    other = master_key(
        user.user_id
    )  # an approval is for one request: with other keys it is another

    def upload(**body):
        return server.api("POST", UPLOAD, token, json={**other, **body})

    return upload


@pytest.fixture
def url(asked):
    """Return the address that the client is told to open."""
    answer = asked()
    assert answer.status_code == 401
    return answer.json()["params"]["m.oauth"]["url"]


def approve(tab):
    tab.press("Allow the reset")
    assert tab.heading == "Approved: return to your app"


@pytest.mark.parametrize("js", [True, False])
def test_it_is_approved_after_signing_in(open_tab, asked, url, user, js):
    """Who is not signed in signs in first, reads what it means, approves; then the client may."""
    tab = open_tab(java_script_enabled=js)
    tab.page.goto(url)
    tab.sign_in(user)
    page = tab.text
    before = asked()

    approve(tab)
    after = asked(auth={"session": before.json()["session"]})

    assert "Reset your cryptographic identity?" in page
    assert "Test client" in page
    assert "There is no way back" in page
    assert before.status_code == 401
    assert after.status_code == 200
    assert asked().status_code == 200, "the same keys again change nothing"


def test_a_client_learns_at_once(open_tab, asked, url, user, client_site):
    """The window that opened our page is told, as clients expect of interactive authentication."""
    tab = open_tab()
    page = client_site.page(
        "/app", '<!doctype html><title>App</title><link rel="icon" href="data:,">'
    )
    tab.page.goto(page)
    tab.page.evaluate("""url => {
        window.heard = [];
        addEventListener("message", (event) => heard.push(event.data));
        window.ours = open(url);
    }""", url)  # fmt: skip
    tab.page.wait_for_event("popup") if len(tab.page.context.pages) < 2 else None
    popup = tab.page.context.pages[-1]
    popup.get_by_label("Username").fill(user.localpart)
    popup.get_by_label("Password").fill(user.password)
    popup.get_by_role("button", name="Sign in").click()
    popup.wait_for_url("**/approve*")
    popup.wait_for_selector("button[value=approve]:not([aria-disabled])")
    popup.get_by_role("button", name="Allow the reset").click()
    popup.wait_for_selector("text=Approved: return to your app")

    tab.page.wait_for_function("window.heard.length > 0")

    assert tab.page.evaluate("window.heard") == ["authDone"]
    assert asked().status_code == 200


def test_a_password_of_long_ago_is_asked_for_again(open_tab, url, user, sqlite_homeserver):
    """Being signed in is not enough for something dangerous: it has to be fresh."""
    tab = open_tab()
    tab.open("sign-in")
    tab.sign_in(user)
    sqlite_homeserver.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 700 WHERE user_id = ?",
        user.user_id,
    )

    tab.page.goto(url)

    assert tab.path == "sign-in"
    tab.prove_again(user)
    approve(tab)


def test_cancelling_changes_nothing(tab, asked, url, user):
    """Who did not ask for it says no, and the client still may not; it hears of the refusal once."""
    tab.page.goto(url)
    tab.sign_in(user)

    tab.press("Cancel")

    assert tab.heading == "Nothing was changed"
    assert [asked().status_code for _ in range(3)] == [403, 401, 401]


def test_somebody_else_cannot_approve(tab, asked, url, sqlite_homeserver, user):
    """Another account gets no say, and is offered to sign in with the right one."""
    other = sqlite_homeserver.new_user()
    tab.page.goto(url)
    tab.sign_in(other)

    assert not re.search(r"Allow the reset|Reset your", tab.text)
    tab.press("Use another account")
    tab.choose("Use another account")
    tab.sign_in(user)
    approve(tab)
    assert asked().status_code == 200


def test_an_app_that_shows_the_page_itself_is_told(tab, asked, url, user):
    """It put a function there, as the fallback of the Client-Server API says; nothing else is called."""
    tab.page.add_init_script("window.heard = 0; window.onAuthDone = () => { window.heard += 1; };")
    tab.page.goto(url)
    tab.sign_in(user)
    before = tab.page.evaluate("window.heard")
    approve(tab)

    assert before == 0
    assert tab.page.evaluate("window.heard") == 1
    assert asked().status_code == 200
