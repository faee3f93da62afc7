"""The pages about applications, events and the data of an account."""

import json

import pytest

from support.oauth import Browser
from support.waiting import eventually

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def tokens(client, user):
    return client.sign_in(user.localpart, user.password)


@pytest.mark.usefixtures("tokens")
def test_an_application_is_listed_with_what_it_may_do(server, client, browser):
    page = browser.get(server.url("account-apps")).text
    assert f"account-app?id={client.id}" in page
    assert "Signed in once" in page
    page = browser.get(server.url(f"account-app?id={client.id}")).text
    assert "Use your whole account" in page


def test_revoking_it_signs_it_out_and_takes_its_device(server, user, client, tokens, browser):
    """A look does nothing; the form ends all of it, and it has to ask again."""
    browser.get(server.url(f"account-app-end?id={client.id}"))
    assert server.whoami(tokens["access_token"]).status_code == 200
    page = browser.submit(decision="end")
    assert server.whoami(tokens["access_token"]).status_code == 401
    assert "asks you again" in page.text
    assert "No application may use this account" in page.text
    assert browser.get(server.url("account-events")).text.count("Took from an application") == 1


@pytest.mark.usefixtures("tokens")
def test_c301_another_accounts_application_is_none_of_yours(homeserver, server, client, tokens):
    """Neither to look at nor to end: the link of one account does nothing for another."""
    other = Browser.of(server, homeserver.new_user())
    for page in ("account-app", "account-app-end"):
        text = other.get(server.url(f"{page}?id={client.id}")).text
        assert "may do nothing with this account" in text
    other.get(server.url("account-data"))
    csrf = other.page.text.partition('name="csrf" value="')[2].partition('"')[0]
    other.http.post(
        server.url(f"account-app-end?id={client.id}"),
        data={"csrf": csrf, "decision": "end"},
        allow_redirects=False,
        timeout=30,
    )

    assert server.whoami(tokens["access_token"]).status_code == 200


@pytest.mark.usefixtures("tokens")
def test_events_are_in_words_and_paged(homeserver, server, user, browser):
    """The oldest is on the last page, once."""
    homeserver.query(
        "UPDATE nextgen_events SET happened_at = happened_at - 9 WHERE user_id = ?", user.user_id
    )
    [[happened_at]] = homeserver.query(
        "SELECT MAX(happened_at) FROM nextgen_events WHERE user_id = ?", user.user_id
    )
    for n in range(60):
        homeserver.query(
            "INSERT INTO nextgen_events (event_id, happened_at, kind, user_id, address)"
            " VALUES (?, ?, 'sign_in_failed', ?, ?)",
            *(f"{user.localpart}-{n:02}", happened_at + 1, user.user_id, f"192.0.2.{n + 1}"),
        )
    first = browser.get(server.url("account-events")).text
    link = first.partition('href="account-events?before=')[2].partition('"')[0]
    second = browser.get(server.url(f"account-events?before={link}")).text
    shown = [f"<bdi>192.0.2.{n + 1}</bdi>" for n in range(60)]

    assert [(text in first) + (text in second) for text in shown] == [1] * 60
    assert "A device signed in" in second
    assert "A device signed in" not in first


@pytest.mark.usefixtures("tokens")
def test_the_download_has_what_is_kept_and_no_token(homeserver, server, user, client, tokens):
    """With a fresh proof, as a file, and the owner hears of it."""
    browser = Browser.of(server, user)
    browser.get(server.url("account-data"))
    answer = browser.submit(decision="download")
    document = json.loads(answer.content)

    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="account.json"'
    assert "no-store" in answer.headers["Cache-Control"]
    assert document["account"] == user.user_id
    assert [session["client_id"] for session in document["sessions"]] == [client.id]
    assert "session_begun" in {event["kind"] for event in document["events"]}
    for secret in (tokens["access_token"], tokens["refresh_token"], browser.cookie):
        assert secret not in answer.text
    assert eventually(
        lambda: homeserver.query(
            "SELECT 1 FROM nextgen_events WHERE kind = 'data_downloaded' AND user_id = ?",
            user.user_id,
        )
    )


def test_c233_an_old_proof_downloads_nothing(homeserver, server, user, browser):
    """The form asks again; nothing is told in between."""
    browser.get(server.url("account-data"))
    homeserver.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 400 WHERE user_id = ?",
        user.user_id,
    )
    answer = browser.submit(decision="download")

    assert answer.headers["Content-Type"].startswith("text/html")
    assert 'name="password"' in answer.text
    assert "/sign-in" in browser.page.url
