"""Accounts that are closed: once, wholly, and their person is told, however it was done."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from support.oauth import Browser, Server
from support.waiting import eventually
from synapse_nextgen_auth.accounts.works import FinishClosing, write

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

CLOSED = "was closed"


@pytest.fixture
def homeserver(mailing_homeserver):
    return mailing_homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def user(homeserver):
    """Return somebody with an address."""
    user = homeserver.new_user()
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, address_of(user)),
    )
    return user


def address_of(user):
    return f"{user.localpart}@example.com"


def events_of(homeserver, user):
    sql = "SELECT kind FROM nextgen_events WHERE user_id = ? AND kind = 'account_deactivated'"
    return homeserver.query(sql, user.user_id)


@contextmanager
def failing(homeserver, table):
    """Let nothing be deleted from a table."""
    homeserver.query(
        f"CREATE TRIGGER nothing_goes BEFORE DELETE ON {table}"
        " BEGIN SELECT RAISE(ABORT, 'on purpose'); END"
    )
    try:
        yield
    finally:
        homeserver.query("DROP TRIGGER nothing_goes")


def test_c317_a_closing_that_fails_half_way_is_one_all_the_same(homeserver, server, user, mailbox):
    """Synapse fails after it marked the account: what is ours is gone, and its person is told."""
    server.client().sign_in(user.localpart, user.password)
    browser = Browser.of(server, user)
    token = homeserver.login(user)["access_token"]
    path = f"/_matrix/client/v3/user/{user.user_id}/account_data/org.example"
    assert server.api("PUT", path, token, json={"a": 1}).status_code == 200
    browser.get(server.url("account-deactivate"))
    with failing(homeserver, "account_data"):
        answer = browser.submit(confirm="yes", decision="deactivate")
    mail = mailbox.last_to(address_of(user))

    assert answer.status_code in {500, 503}
    assert homeserver.query("SELECT deactivated FROM users WHERE name = ?", user.user_id) == [(1,)]
    assert homeserver.query("SELECT 1 FROM nextgen_consents WHERE user_id = ?", user.user_id) == []
    assert len(events_of(homeserver, user)) == 1
    assert CLOSED in mail.text


def test_one_form_that_is_pressed_often_closes_once(homeserver, server, user):
    browser = Browser.of(server, user)
    page = browser.get(server.url("account-deactivate"))

    def press(_):
        one = Browser(server)
        one.http.cookies.update(browser.http.cookies)
        one.page = page
        return one.submit(confirm="yes", decision="deactivate").status_code

    with ThreadPoolExecutor(6) as pool:
        found = Counter(pool.map(press, range(6)))

    assert len(events_of(homeserver, user)) == 1
    assert found.keys() <= {200, 303, 409}, found


def test_whoever_is_closed_by_an_old_client_is_told(homeserver, server, user, mailbox):
    """By what only a password opens, as a thief has it."""
    token = homeserver.login(user)["access_token"]
    auth = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user.localpart},
        "password": user.password,
    }
    answer = server.api("POST", "/_matrix/client/v3/account/deactivate", token, json={"auth": auth})
    mail = mailbox.last_to(address_of(user))

    assert answer.status_code == 200, answer.text
    assert CLOSED in mail.text
    assert "127.0.0.1" in mail.text


def test_what_a_process_died_in_the_middle_of_is_finished(homeserver, server, user, mailbox):
    """As it is found after a start: marked, and nothing else done."""
    server.client().sign_in(user.localpart, user.password)
    Browser.of(server, user)
    homeserver.query(
        "INSERT INTO nextgen_outbox (entry_id, kind, subject, position, payload, written_at, due_at,"
        " tries) VALUES (?, 'finish_closing', ?, 1, ?, 1, 1, 0)",
        *(user.user_id, user.user_id, write(FinishClosing(user.user_id, 1, "", ""))),
    )
    homeserver.query("UPDATE users SET deactivated = 1 WHERE name = ?", user.user_id)
    homeserver.restart()

    assert eventually(lambda: events_of(homeserver, user))
    assert homeserver.query("SELECT 1 FROM nextgen_consents WHERE user_id = ?", user.user_id) == []
    assert homeserver.query("SELECT 1 FROM devices WHERE user_id = ?", user.user_id) == []
