"""The password of whoever is signed in, on the pages of their account."""

import re

import pytest

from support.oauth import Browser, Server

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]

NEW = "seven brave otters juggle"


@pytest.fixture
def server(mailing_homeserver):
    return Server(mailing_homeserver.base_url)


@pytest.fixture
def user(mailing_homeserver):
    return mailing_homeserver.new_user()


def make_stale(homeserver, user):
    homeserver.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 3600 WHERE user_id = ?",
        user.user_id,
    )


def stored(homeserver, user):
    return homeserver.query("SELECT password_hash FROM users WHERE name = ?", user.user_id)[0][0]


def change(server, browser, password=NEW, **fields):
    browser.get(server.url("account-password"))
    return browser.submit(password=password, decision="set", **fields)


def test_c233_a_new_password_ends_all_but_this_browser(mailing_homeserver, server, user, browser):
    """Devices go where that is ticked; the former password lets nobody in."""
    other = Browser.of(server, user)
    tokens = server.client().sign_in(user.localpart, user.password)
    page = change(server, browser, sign_out="yes")

    assert page.url.partition("?")[0].endswith("/account-sign-in")
    assert (
        "Your password was changed. Your other devices and browsers were signed out." in page.text
    )
    assert server.whoami(tokens["access_token"]).status_code == 401
    assert "/sign-in?" in other.get(server.url("account-sign-in")).url
    assert browser.get(server.url("account")).status_code == 200
    again = Browser(server)
    again.get(server.url("sign-in"))
    assert again.sign_in(user.localpart, user.password).status_code == 403
    assert again.sign_in(user.localpart, NEW).status_code == 200


def test_c233_devices_stay_where_that_is_wanted(server, user, browser):
    tokens = server.client().sign_in(user.localpart, user.password)
    change(server, browser)

    assert server.whoami(tokens["access_token"]).status_code == 200


def test_c233_whoever_proved_it_an_hour_ago_proves_it_again(
    mailing_homeserver, server, user, browser
):
    """At the look, and at a press whose page was opened before; the password is as it was."""
    before = stored(mailing_homeserver, user)
    browser.get(server.url("account-password"))
    make_stale(mailing_homeserver, user)
    pressed = browser.submit(password=NEW, decision="set")
    looked = browser.get(server.url("account-password"))

    assert "/sign-in?" in pressed.url
    assert "/sign-in?" in looked.url
    assert stored(mailing_homeserver, user) == before
    assert browser.sign_in(user.localpart, user.password).url.endswith("/account-password")


@pytest.mark.parametrize(
    ("password", "said"), [("", "Choose a password"), ("x" * 600, "too long"), ("12345", "guess")]
)
def test_what_is_no_password_here_changes_nothing(
    mailing_homeserver, server, user, browser, password, said
):
    """Everything but the password stands there still."""
    before = stored(mailing_homeserver, user)
    page = change(server, browser, password)

    assert page.status_code == 400
    assert said in page.text
    assert stored(mailing_homeserver, user) == before


def test_c234_no_password_stays_anywhere(mailing_homeserver, server, user, browser):
    """In no log and in no row, neither the one that was taken nor one that was not."""
    for password in ("hunter2-hunter2", NEW):
        change(server, browser, password)

    log = mailing_homeserver.log_text()

    assert NEW not in log
    assert "hunter2" not in log
    for table, column in (
        ("nextgen_outbox", "payload"),
        ("nextgen_events", "detail"),
        ("nextgen_attempts", "answers"),
    ):
        held = str(mailing_homeserver.query(f"SELECT {column} FROM {table}"))
        assert NEW not in held


def test_c301_a_form_of_another_account_changes_nobodys(mailing_homeserver, server, user, browser):
    before = stored(mailing_homeserver, user)
    page = change(server, browser, account="@somebody:else")

    assert page.status_code == 409
    assert stored(mailing_homeserver, user) == before


def test_the_only_way_in_is_not_removed(mailing_homeserver, server, user, browser):
    """The page does not offer it, and a form all the same does nothing."""
    listed = browser.get(server.url("account-sign-in"))
    asked = browser.get(server.url("account-password-remove"))

    assert "account-password-remove" not in listed.text
    assert asked.status_code == 409
    assert "only way in" in asked.text
    browser.get(server.url("account-password"))
    csrf = re.search(r'name="csrf" value="([^"]+)"', browser.page.text)[1]
    forced = browser.http.post(
        server.url("account-password-remove"), data={"csrf": csrf, "decision": "remove"}, timeout=30
    )
    assert forced.status_code == 409
    assert stored(mailing_homeserver, user)


def test_whoever_has_none_sets_one(mailing_homeserver, server, user, browser):
    """Signed in in another way, they choose their first one."""
    mailing_homeserver.query("UPDATE users SET password_hash = NULL WHERE name = ?", user.user_id)
    listed = browser.get(server.url("account-sign-in"))
    change(server, browser)

    assert "Your account has none." in listed.text
    assert stored(mailing_homeserver, user)
    assert mailing_homeserver.query(
        "SELECT detail FROM nextgen_events WHERE user_id = ? AND kind = 'password_changed'",
        user.user_id,
    ) == [("set",)]
