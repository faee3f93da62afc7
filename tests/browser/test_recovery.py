"""Whoever forgot their password, in a real browser: with and without scripts, to the end."""

import time

import pytest
from playwright.sync_api import expect

from support.oauth import Server, web_client

PASSWORD = "correct horse battery staple of another stable"


@pytest.fixture
def server(mailing_homeserver):
    return Server(mailing_homeserver.base_url)


@pytest.fixture
def user(mailing_homeserver):
    """Return an account with an address."""
    user, now = mailing_homeserver.new_user(), int(time.time() * 1000)
    mailing_homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, ?, ?)",
        *(user.user_id, f"{user.localpart}@example.com", now, now),
    )
    return user


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_c202_from_the_forgotten_password_to_the_application(
    server, user, open_tab, mailbox, scripts
):
    """Which had been let in before: its page leads on without another one in between."""
    address = f"{user.localpart}@example.com"
    client = server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    open_tab().let_in(client.request(scope="openid")[0], user)
    tab = open_tab(java_script_enabled=scripts)
    tab.authorize(client.request(scope="openid")[0])

    with tab.page.expect_navigation():
        tab.page.get_by_role("link", name="Forgot your password?").click()
    tab.page.get_by_label("E-mail address").fill(address)
    tab.press("Send the link")
    assert tab.heading == "Look into your mailbox"
    tab.page.goto(mailbox.last_to(address).link)
    assert tab.path == "set-password"
    expect(tab.page.get_by_label("New password")).to_be_focused()
    tab.page.get_by_label("New password").fill(PASSWORD)
    told = tab.leave("Set the password", client.redirect_uri)

    assert "code" in told
