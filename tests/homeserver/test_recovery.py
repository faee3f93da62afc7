"""Links with which people set their passwords: from an administrator, and by mail."""

import re
import time
from urllib.parse import urlsplit

import pytest
import requests

from support import smtp
from support.commands import Operator
from support.oauth import API, DEVICE, Browser, Server, device_id
from support.waiting import eventually
from synapse_nextgen_auth.secret import Keyring

pytestmark = [pytest.mark.newest_only]

NEW = "correct horse battery staple of another stable"
GONE = "This link does not work any more"
USED = "This link was used before"
ON_ITS_WAY = "a link is on its way there"


@pytest.fixture
def homeserver(mailing_homeserver):
    return mailing_homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def operator(homeserver):
    return Operator(homeserver.base_url, Keyring.of(smtp.SECRET.encode()))


@pytest.fixture
def user(homeserver):
    """Return somebody whose address is known."""
    user = homeserver.new_user()
    give_address(homeserver, user, f"{user.localpart}@example.com")
    return user


def give_address(homeserver, user, address):
    now = int(time.time() * 1000)
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, ?, ?)",
        *(user.user_id, address, now, now),
    )


def address_of(user):
    return f"{user.localpart}@example.com"


def link_of(operator, user, **given):
    return operator.ask("set-password-link", user=user.user_id, **given)["url"]


def set_password(browser, url, password=NEW, **fields):
    """Open a link and set a password with it; return the page or redirect that came of it."""
    browser.get(url)
    return browser.submit(**{"password": password, "sign_out": "yes", "decision": "set"} | fields)


def ask(server, address, browser=None, page="recover"):
    browser = browser or Browser(server)
    browser.get(server.url(page))
    return browser.submit(address=address, decision="send")


def is_at_account(browser):
    return urlsplit(browser.page.url).path.endswith("/account")


def can_sign_in(server, user, password):
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    browser.submit(identifier=user.localpart, password=password, decision="sign-in")
    return browser.page.status_code == 200


def events_of(homeserver, user):
    rows = homeserver.query(
        "SELECT kind, detail FROM nextgen_events WHERE user_id = ? ORDER BY happened_at",
        user.user_id,
    )
    return [row for row in rows if row[0].startswith("password")]


def test_a_link_of_an_administrator_sets_the_password_and_signs_in(
    homeserver, server, operator, user, mailbox
):
    """Whoever made it and why is written down, and the owner is told what was done."""
    browser = Browser(server)

    set_password(browser, link_of(operator, user, why="lost the phone"))

    assert is_at_account(browser)
    assert can_sign_in(server, user, NEW)
    assert not can_sign_in(server, user, user.password)
    assert events_of(homeserver, user) == [
        ("password_link_made", "command: lost the phone"),
        ("password_set", "link by command"),
    ]
    assert "was changed" in mailbox.last_to(address_of(user)).subject


def test_c254_looking_changes_nothing_and_the_press_counts_once(server, operator, user):
    """A mail scanner opens what it finds; two tabs are one press."""
    url = link_of(operator, user)
    for _ in range(3):
        assert requests.get(url, timeout=30).status_code == 200
    first, second = Browser(server), Browser(server)
    first.get(url)
    second.get(url)

    first.submit(password=NEW, sign_out="yes", decision="set")
    second.submit(password=f"{NEW}, too", sign_out="yes", decision="set")

    assert is_at_account(first)
    assert (second.page.status_code, USED in second.page.text) == (410, True)
    assert can_sign_in(server, user, NEW)


def test_c258_the_secret_leaves_the_address_at_once(server, operator, user, homeserver):
    """It goes into a cookie that no script reads, and no page names it or lets it go further."""
    url = link_of(operator, user)
    secret = url.partition("link=")[2]
    browser = Browser(server)

    first = browser.http.get(url, timeout=30, allow_redirects=False)
    page = browser.get(server.url(first.headers["Location"]))

    assert first.status_code == 303
    assert first.headers["Location"] == "set-password"
    (cookie,) = [each for each in first.headers["Set-Cookie"].split(", ") if secret in each]
    assert "HttpOnly" in cookie
    assert first.headers["Referrer-Policy"] == page.headers["Referrer-Policy"] == "no-referrer"
    assert secret not in page.text
    assert secret not in page.url
    assert secret not in homeserver.log_text()
    assert homeserver.query("SELECT * FROM nextgen_links WHERE digest = ?", secret) == []


def test_c251_a_newer_link_makes_the_older_one_worthless(server, operator, user):
    older, newer = link_of(operator, user), link_of(operator, user)
    browser = Browser(server)

    assert GONE in browser.get(older).text
    assert "New password" in browser.get(newer).text


@pytest.mark.parametrize("link", ["", "x", "a" * 43, "a" * 44, "é" * 43])
def test_a_link_that_is_none_is_said(server, link):
    page = Browser(server).get(server.url(f"set-password?link={link}"))

    assert (page.status_code, GONE in page.text) == (410, True)


def test_an_account_made_without_a_password_gets_its_first_one(homeserver, server, operator):
    """One that an administrator made or imported."""
    user = homeserver.new_user()
    homeserver.query("UPDATE users SET password_hash = NULL WHERE name = ?", user.user_id)

    set_password(Browser(server), link_of(operator, user))

    assert can_sign_in(server, user, NEW)


@pytest.mark.parametrize(
    ("password", "said"),
    [("", "Choose a password"), ("password1", "too easy to guess"), ("x" * 513, "too long")],
)
def test_a_password_that_this_server_does_not_take_spends_nothing(
    server, operator, user, password, said
):
    browser = Browser(server)

    set_password(browser, link_of(operator, user), password)
    refused = browser.page
    browser.submit(password=NEW, sign_out="yes", decision="set")

    assert (refused.status_code, said in refused.text) == (400, True)
    assert is_at_account(browser)


def test_c255_every_browser_is_signed_out_and_sessions_as_the_person_says(
    homeserver, server, operator, user
):
    """Applications go on where the person wants that; browsers never do."""
    other, client = Browser.of(server, user), server.client()
    tokens = client.sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{device_id()}")
    legacy = homeserver.login(user)["access_token"]

    set_password(Browser(server), link_of(operator, user), sign_out=None)
    kept = [server.whoami(each).status_code for each in (tokens["access_token"], legacy)]
    browser_after = other.get(server.url("account"))
    set_password(Browser(server), link_of(operator, user), f"{NEW}!")

    assert kept == [200, 200]
    assert "sign-in" in browser_after.url
    for each in (tokens["access_token"], legacy):
        assert server.whoami(each).status_code == 401
    assert (
        homeserver.query("SELECT 1 FROM devices WHERE user_id = ? AND NOT hidden", user.user_id)
        == []
    )


def test_c255_another_change_makes_pending_links_worthless(homeserver, server, operator, user):
    """Whatever changes the password: an administrator's API here."""
    url, admin = link_of(operator, user), homeserver.new_user(admin=True)
    token = homeserver.login(admin)["access_token"]
    change = f"/_synapse/admin/v1/reset_password/{user.user_id}"
    assert server.api("POST", change, token, json={"new_password": NEW}).status_code == 200

    assert GONE in Browser(server).get(url).text


@pytest.mark.parametrize(
    ("column", "said"),
    [("locked", "This account is locked"), ("deactivated", "This account is deactivated")],
)
def test_c255_locked_and_deactivated_accounts_get_none(
    homeserver, server, operator, column, said, mailbox
):
    """No new one, none by mail, and the one they have sets nothing."""
    user = homeserver.new_user()
    give_address(homeserver, user, address_of(user))
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    url, browser = link_of(operator, user), Browser(server)
    browser.get(url)
    change = {column: True} | ({"password": user.password} if column == "locked" else {})
    change.pop("password", None)
    path = f"/_synapse/admin/v2/users/{user.user_id}"
    assert server.api("PUT", path, admin, json=change).status_code == 200

    late = browser.submit(password=NEW, sign_out="yes", decision="set")
    refused = operator.say("set-password-link", user=user.user_id)
    ask(server, address_of(user))

    assert late.status_code in {403, 410}
    assert refused["refused"].startswith(said)
    assert eventually(lambda: outbox_is_empty(homeserver))
    assert mailbox.none_to(address_of(user))


def test_a_password_that_was_set_while_an_account_was_closed_is_removed(
    homeserver, server, operator
):
    """Synapse removes the password early on, and says only at the end that the account is closed.

    Here the first is past and the last is still to come: what was set in between does not stay.
    """
    user, admin = homeserver.new_user(), homeserver.login(homeserver.new_user(admin=True))
    homeserver.query(
        "CREATE TRIGGER late AFTER UPDATE OF deactivated ON users WHEN NEW.deactivated = 1"
        f" AND NEW.name = '{user.user_id}'"
        " BEGIN UPDATE users SET password_hash = 'set meanwhile' WHERE name = NEW.name; END"
    )

    path = f"/_synapse/admin/v1/deactivate/{user.user_id}"
    closed = server.api("POST", path, admin["access_token"], json={"erase": False})
    homeserver.query("DROP TRIGGER late")

    assert closed.status_code == 200
    kept = "SELECT password_hash FROM users WHERE name = ?"
    assert eventually(lambda: homeserver.query(kept, user.user_id) == [(None,)])


def outbox_is_empty(homeserver):
    return homeserver.query("SELECT 1 FROM nextgen_outbox WHERE kind = 'recover'") == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"user": "nobody-at-all"}, "There is no account @nobody-at-all:localhost"),
        ({"user": "@alice:elsewhere.example"}, "is no account of localhost"),
        ({"user": "a@example.com"}, "is no account of localhost"),
        ({"user": ""}, "USER is missing"),
        ({"user": 7}, "USER is not what it should be"),
        ({"user": "\ud800"}, "has a character"),
        ({"user": "a\0"}, "has a character"),
        ({"seconds": 31 * 86400}, "30 days at most"),
        ({"seconds": -1}, "--for must be a number"),
        ({"mail": True}, "has no e-mail address"),
        ({"lang": "tlh", "mail": True}, "has no e-mail address"),
        ({"fly": True}, "does not know fly for this command"),
    ],
)
def test_what_cannot_be_done_is_said(homeserver, operator, given, said):
    """And nothing is done."""
    named = {"user": homeserver.new_user().localpart}

    assert said in operator.say("set-password-link", **named | given)["refused"]


def test_a_link_by_mail_is_not_printed(operator, server, user, mailbox):
    """Whoever runs the server has no need to see it; its mailbox has to be the account's still."""
    made = operator.ask("set-password-link", user=user.localpart, mail=True, lang="de")

    mail = mailbox.last_to(address_of(user))

    assert made["mailed_to"] == address_of(user)
    assert "url" not in made
    assert mail.subject == "Setze dein Passwort auf localhost"
    assert "24 Stunden" in mail.text
    assert "New password" in Browser(server).get(mail.link).text


def test_a_mail_says_for_how_long_its_link_works(operator, user, mailbox):
    operator.ask("set-password-link", user=user.localpart, mail=True, seconds=300)

    assert "for 5 minutes." in mailbox.last_to(address_of(user)).text


def test_a_link_to_a_mailbox_that_is_not_the_accounts_any_more_sets_nothing(
    homeserver, operator, server, user, mailbox
):
    operator.ask("set-password-link", user=user.localpart, mail=True)
    url = mailbox.last_to(address_of(user)).link
    homeserver.query("DELETE FROM user_threepids WHERE user_id = ?", user.user_id)
    homeserver.restart()  # Synapse remembers addresses

    assert GONE in Browser(server).get(url).text


def test_somebody_else_who_is_signed_in_sees_whose_password_it_is(
    homeserver, server, operator, user
):
    """And is still signed in afterwards, beside the other account."""
    other = homeserver.new_user()
    browser = Browser.of(server, other)

    page = browser.get(link_of(operator, user))
    browser.submit(password=NEW, sign_out="yes", decision="set")

    warned = re.sub(r"<[^>]+>", "", page.text)
    assert f"In this browser {other.user_id} is signed in" in warned
    assert f"that of {user.user_id}" in warned
    browser.get(server.url("accounts"))
    assert other.localpart in browser.page.text
    assert user.localpart in browser.page.text


def test_a_form_that_names_another_account_sets_nothing(server, operator, user):
    """The page was of another link, opened in another tab since."""
    browser = Browser(server)

    set_password(browser, link_of(operator, user), account="@somebody:else")

    assert browser.page.status_code == 409
    assert can_sign_in(server, user, user.password)


def test_whoever_forgot_it_goes_on_where_they_were(homeserver, server, user, mailbox):
    """In the same browser the application that waits has its answer in the end."""
    client, browser = server.client(), Browser(server)
    parameters, verifier = client.request()
    browser.authorize(parameters)
    recover = re.search(r'href="(recover\?[^"]+)"', browser.page.text)[1]
    asked = ask(server, address_of(user).upper(), browser, page=recover)
    mail = mailbox.last_to(address_of(user))

    set_password(browser, mail.link)
    back = browser.submit(decision="approve")

    assert ON_ITS_WAY in asked.text
    assert mail.subject == "Set a new password on localhost"
    code = dict(part.split("=") for part in urlsplit(back.headers["Location"]).query.split("&"))[
        "code"
    ]
    assert client.redeem(code, verifier).status_code == 200
    assert mailbox.last_to(address_of(user), 2).subject.endswith("was changed")


def test_in_another_browser_the_link_leads_to_the_account(server, user, mailbox):
    client, browser = server.client(), Browser(server)
    browser.authorize(client.request()[0])
    recover = re.search(r'href="(recover\?[^"]+)"', browser.page.text)[1]
    ask(server, address_of(user), browser, page=recover)
    other = Browser(server)

    set_password(other, mailbox.last_to(address_of(user)).link)

    assert is_at_account(other)


def test_c250_nobody_learns_whether_an_address_is_an_accounts(homeserver, server, user, mailbox):
    """The same page, status, headers and work; what differs happens later and elsewhere."""
    known, unknown = address_of(user), f"nobody-{user.localpart}@example.com"

    answers = [ask(server, address) for address in (known, unknown)]

    plain = [
        re.sub(r'value="[^"]+"', "", answer.text.replace(unknown, "").replace(known, ""))
        for answer in answers
    ]
    assert answers[0].status_code == answers[1].status_code == 200
    assert plain[0] == plain[1]
    assert answers[0].headers.keys() == answers[1].headers.keys()
    assert ON_ITS_WAY in answers[0].text
    assert mailbox.last_to(known)
    assert eventually(lambda: outbox_is_empty(homeserver))
    assert mailbox.none_to(unknown)


@pytest.mark.parametrize(
    "typed",
    [
        "{known}\r\nBcc: evil@example.com",
        "{known},evil@example.com",
        "evil@example.com,{known}",
        "{known} evil@example.com",
        "{local}\uff20example.com",
        '"{local}"@example.com',
        "<{known}>",
        "mailto:{known}",
        "{local}@example.com@evil.example",
        "a" * 10_000 + "@example.com",
        "{local}",
        "@example.com",
    ],
)
def test_c257_what_is_no_address_finds_nobody(homeserver, server, user, mailbox, typed):
    """No mail leaves, to them or to anybody else, whatever stands beside the address."""
    known = address_of(user)
    before = len(mailbox.mails)

    page = ask(server, typed.format(known=known, local=user.localpart))

    assert page.status_code in {200, 400}
    assert eventually(lambda: outbox_is_empty(homeserver))
    assert mailbox.none_to(known)
    assert mailbox.reached_nobody_new(since=before)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"},
    ],
    ids=str,
)
def test_c207_the_link_leads_to_this_server_whatever_a_request_claims(
    server, user, mailbox, headers
):
    browser = Browser(server)
    browser.get(server.url("recover"))
    cookies = "; ".join(f"{each.name}={each.value}" for each in browser.http.cookies)
    browser.http.headers.update(headers | {"Cookie": cookies})
    browser.submit(address=address_of(user), decision="send")

    assert mailbox.last_to(address_of(user)).link.startswith(server.url("set-password?link="))


def test_c181_no_other_form_asks_for_a_link(homeserver, server, user):
    """Nobody has a mail sent by a page of another site, or with the proof of another browser."""
    browser, other = Browser(server), Browser(server)
    fields = {"address": address_of(user), "decision": "send"}
    other.get(server.url("recover"))
    browser.get(server.url("recover"))
    proof = re.search(r'name="csrf" value="([^"]+)"', browser.page.text)[1]
    forged = [
        (other, {}, {}),
        (other, {"csrf": proof}, {}),
        (browser, {"csrf": proof}, {"Sec-Fetch-Site": "cross-site"}),
        (browser, {"csrf": proof}, {"Origin": "https://evil.example"}),
    ]

    answers = [
        sender.http.post(server.url("recover"), data=fields | with_, headers=headers, timeout=30)
        for sender, with_, headers in forged
    ]

    assert [answer.status_code for answer in answers] == [403] * 4
    assert outbox_is_empty(homeserver)


def test_c250_a_mailbox_and_a_network_have_a_limit(start_homeserver):
    """As Synapse has it for its own mails; the page keeps what was typed and says how long to wait."""
    config = {
        "email": {"smtp_host": "127.0.0.1", "smtp_port": 9, "notif_from": "n@test.example"},
        "rc_3pid_validation": {"per_second": 0.001, "burst_count": 2},
    }
    homeserver = start_homeserver(config=config)
    server = Server(homeserver.base_url)

    answers = [ask(server, f"user{n}@example.com") for n in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) > 0
    assert "There were too many requests" in answers[2].text
    assert 'value="user2@example.com"' in answers[2].text
    assert "@" not in str(homeserver.query("SELECT key FROM nextgen_throttle"))


def test_where_no_mail_is_sent_nobody_is_led_astray(sqlite_homeserver):
    """The sign-in page does not offer it, its page is not there, and a command says why."""
    server, user = Server(sqlite_homeserver.base_url), sqlite_homeserver.new_user()

    page = Browser(server).get(server.url("sign-in"))
    there = Browser(server).get(server.url("recover"))
    refused = Operator.of(sqlite_homeserver).say("set-password-link", user=user.user_id, mail=True)

    assert "Forgot your password" not in page.text
    assert there.status_code == 404
    assert "Synapse sends no mail here" in refused["refused"]
