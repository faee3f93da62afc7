"""Pages that stayed open for longer than they are good: a way on, and nothing typed is lost."""

import time

from support.chromium import problems
from support.keys import master_key
from synapse_nextgen_auth.secret import Keyring, Secret
from synapse_nextgen_auth.web import browser as browsers
from synapse_nextgen_auth.web.browser import CSRF_LIFETIME, Visitor

KEYS = Keyring.of(b"a-macaroon-key-that-only-tests-have")
TOO_LATE = "This took too long"


def leave_open(tab, seconds=CSRF_LIFETIME + 1):
    """Let the forms of a page be as old as that."""
    cookies = {each["name"]: each["value"] for each in tab.page.context.cookies()}
    (cookie,) = (each for name, each in cookies.items() if name.endswith("nextgen_auth"))
    visitor = Visitor(Secret(cookie), is_new=False)
    made = browsers.csrf(KEYS, visitor, now=int(time.time()) - seconds)
    tab.page.evaluate(
        "(made) => document.querySelectorAll('[name=csrf]').forEach((each) => { each.value = made })",
        made,
    )


def test_a_name_that_was_typed_a_day_ago_comes_back(tab, user, axe):
    """Nothing is done with it before somebody presses once more."""
    tab.open("sign-in")
    tab.sign_in(user)
    tab.open("account-profile")
    tab.page.get_by_label("Display name").fill("Anna")
    leave_open(tab)
    tab.press("Save the name")

    assert "That page was out of date" in tab.page.get_by_role("main").inner_text()
    assert problems(tab, axe) == []
    assert tab.page.get_by_label("Display name").input_value() == "Anna"
    tab.press("Save the name")
    assert "Your name was changed." in tab.text


def test_what_was_typed_outlasts_an_old_proof_and_an_old_form(tab, user, sqlite_homeserver):
    """Whoever proves again who they are finds it where they left it."""
    tab.open("sign-in")
    tab.sign_in(user)
    tab.open("account-token-add")
    tab.page.locator("[name=name]").fill("The bot of the kitchen")
    leave_open(tab)
    sqlite_homeserver.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 90000 WHERE user_id = ?",
        user.user_id,
    )
    tab.press("Make it")
    assert tab.heading == "Confirm that it is you"
    tab.prove_again(user)

    assert tab.page.locator("[name=name]").input_value() == "The bot of the kitchen"


def test_a_form_with_nothing_typed_says_what_to_do(tab, user):
    """The same page is one press away."""
    tab.open("sign-in")
    tab.sign_in(user)
    tab.open("account-data")
    tab.open("")
    leave_open(tab)
    tab.press("Sign out")

    assert tab.heading == "That page was out of date"
    tab.press("Try again")
    assert user.user_id in tab.text


def test_a_request_whose_time_is_over_says_so_after_the_sign_in(
    tab, client, user, sqlite_homeserver
):
    """Nothing is sent to the application before its person goes back there."""
    parameters, _ = client.request()
    tab.authorize(parameters)
    sqlite_homeserver.query("UPDATE nextgen_grants SET expires_at = created_at - 1")
    tab.sign_in(user)

    assert tab.heading == TOO_LATE
    assert "start again" in tab.text
    said = tab.leave("Back to the application", client.redirect_uri)
    assert said["error"] == "access_denied"


def test_an_approval_whose_time_is_over_allows_nothing(
    tab, server, client, user, sqlite_homeserver
):
    """The page was open while the time ran out; the next request of the application gets a new one."""
    token = client.sign_in(user.localpart, user.password)["access_token"]
    path = "/_matrix/client/v3/keys/device_signing/upload"
    server.api("POST", path, token, json=master_key(user.user_id))
    keys = master_key(user.user_id)
    asked = server.api("POST", path, token, json=keys)
    tab.page.goto(asked.json()["params"]["m.oauth"]["url"])
    tab.sign_in(user)
    sqlite_homeserver.query("UPDATE nextgen_approvals SET requested_at = 1")
    tab.press("Allow the reset")

    assert tab.heading == TOO_LATE
    assert server.api("POST", path, token, json=keys).status_code == 401
