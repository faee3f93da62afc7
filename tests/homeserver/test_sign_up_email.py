"""The address of somebody who signs up: a code goes there, whoever it belongs to by now."""

import itertools
import re

import pytest

from support.oauth import Browser, Server
from support.waiting import eventually

pytestmark = [pytest.mark.newest_only]

PASSWORD = "seven brave otters juggle"
_numbers = itertools.count()


@pytest.fixture
def server(mailing_homeserver):
    return Server(mailing_homeserver.base_url)


@pytest.fixture
def browser(server):
    """Return a browser on the page that asks for an address."""
    return newcomer(server)


@pytest.fixture
def address():
    """Return an address that no account has."""
    return f"newcomer{next(_numbers)}@example.com"


def newcomer(server, **to):
    browser = Browser(server)
    browser.get(server.url("register"), **to)
    page = browser.submit(
        username=f"mailed{next(_numbers)}", password=PASSWORD, display_name="", decision="create"
    )
    assert "/register-email?" in page.url, page.text
    return browser


def ask(browser, address):
    return browser.submit(email=address, decision="send")


def enter(browser, code):
    return browser.submit(code=code, decision="check")


def name_of(homeserver, address):
    found = homeserver.query(
        "SELECT user_id FROM user_threepids WHERE medium = 'email' AND address = ?", address
    )
    return found[0][0] if found else None


def a_user_with(homeserver, address):
    """Return an account that has this address."""
    user = homeserver.new_user()
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, address),
    )
    return user


def test_whoever_types_the_code_has_the_address(mailing_homeserver, mailbox, browser, address):
    """Pasted with spaces; the account has what stock's `/register` would have given it."""
    page = ask(browser, f" {address.upper()}")
    assert "/register-email-code?" in page.url
    assert address in page.text
    mail = mailbox.last_to(address)
    page = enter(browser, f" {mail.code[:3]} {mail.code[3:]} ")

    assert page.status_code == 200
    user_id = name_of(mailing_homeserver, address)
    assert user_id is not None
    assert user_id in page.text
    (row,) = mailing_homeserver.query(
        "SELECT validated_at, added_at FROM user_threepids WHERE address = ?", address
    )
    assert all(at > 1_600_000_000_000 for at in row)


def test_an_address_that_was_taken_meanwhile_is_given_anew(
    mailing_homeserver, mailbox, browser, address
):
    """Somebody else showed first that it is theirs: another address goes on with the same attempt."""
    ask(browser, address)
    a_user_with(mailing_homeserver, address)
    page = enter(browser, mailbox.last_to(address).code)
    assert "come to belong to another account" in page.text
    (name,) = re.findall(r'name="username"[^>]* value="([^"]+)"', page.text)
    page = browser.submit(username=name, decision="create", display_name="")
    assert "/register-email?" in page.url
    ask(browser, f"another-{address}")
    enter(browser, mailbox.last_to(f"another-{address}").code)

    assert name_of(mailing_homeserver, f"another-{address}") == f"@{name}:localhost"


def test_notifications_by_mail_come_with_the_first_device(
    mailing_homeserver, mailbox, server, address
):
    """`notif_for_new_users`, as with stock's `/register`; before there is a device nothing is there."""
    client = server.client()
    parameters, verifier = client.request(prompt="create")
    browser = Browser(server)
    browser.authorize(parameters)
    browser.submit(
        username=f"mailed{next(_numbers)}", password=PASSWORD, display_name="", decision="create"
    )
    ask(browser, address)
    enter(browser, mailbox.last_to(address).code)
    user_id = name_of(mailing_homeserver, address)
    pushers = "SELECT kind, app_id, pushkey, device_id FROM pushers WHERE user_name = ?"
    assert mailing_homeserver.query(pushers, user_id) == []
    code = browser.answer(browser.submit(decision="approve"))["code"]
    token = client.redeem(code, verifier, redirect_uri=parameters["redirect_uri"]).json()
    device = server.whoami(token["access_token"]).json()["device_id"]

    assert eventually(lambda: mailing_homeserver.query(pushers, user_id)) == [
        ("email", "m.email", address, device)
    ]
    log = mailing_homeserver.log_text().splitlines()
    assert not [line for line in log if "add_email_pusher" in line and "WARNING" in line]


@pytest.mark.parametrize("page", ["register-email", "register-email-code"])
def test_c181_no_form_works_that_is_not_of_this_browser(mailbox, browser, address, page):
    """Nothing is sent, and no code is looked at."""
    if page == "register-email-code":
        ask(browser, address)
    before = len(mailbox.mails)
    for csrf in ("", "another"):
        answer = browser.http.post(
            browser.page.url,
            data={"csrf": csrf, "email": address, "code": "000000", "decision": "send"},
            timeout=30,
        )
        assert answer.status_code == 403

    assert address not in mailbox.reached(since=before)


def test_an_unknown_button_does_nothing(browser, address):
    assert browser.submit(decision="else").status_code == 400
    browser.get(browser.page.url)
    ask(browser, address)
    assert browser.submit(decision="else").status_code == 400


def test_an_address_that_has_to_be_there_is_not_skipped(browser):
    """Whoever makes the button up is asked again; the page of the code leads to the first one."""
    page = browser.submit(decision="skip")
    assert "/register-email?" in page.url
    page = browser.get(page.url.replace("register-email", "register-email-code"))

    assert "/register-email?" in page.url


def test_with_a_registration_token_no_address_is_needed(mailing_homeserver, server):
    """`enable_registration_token_3pid_bypass`: whoever has none of them must show an address."""
    name = f"tokened{next(_numbers)}"
    mailing_homeserver.query(
        "INSERT INTO registration_tokens (token, uses_allowed, pending, completed) VALUES (?, 1, 0, 0)",
        name,
    )
    browser = Browser(server)
    page = browser.get(server.url("register"))
    assert 'name="token"' in page.text
    page = browser.submit(username=name, password=PASSWORD, token="mistyped", decision="create")
    assert page.status_code == 400
    assert "This registration token cannot be used" in page.text
    page = browser.submit(username=name, password=PASSWORD, token=name, decision="create")
    assert 'value="skip"' in page.text
    page = browser.submit(decision="skip")

    user_id = f"@{name}:{mailing_homeserver.server_name}"
    assert page.status_code == 200
    assert mailing_homeserver.query("SELECT 1 FROM users WHERE name = ?", user_id)
    assert not mailing_homeserver.query("SELECT 1 FROM user_threepids WHERE user_id = ?", user_id)
    assert mailing_homeserver.query(
        "SELECT pending, completed FROM registration_tokens WHERE token = ?", name
    ) == [(0, 1)]


def test_a_wrong_code_is_said_and_the_right_one_works_after_it(mailbox, browser, address):
    ask(browser, address)
    code = mailbox.last_to(address).code
    wrong = enter(browser, "000000" if code != "000000" else "000001")
    missing = enter(browser, " ")

    assert wrong.status_code == 400
    assert "That is not the code." in wrong.text
    assert "Enter the six digits" in missing.text or missing.status_code == 400
    assert enter(browser, code).status_code == 200


def test_c249_an_address_in_use_looks_like_any_other(mailing_homeserver, mailbox, browser, address):
    """Its mailbox hears of it, and no code is right; nothing in the page says so."""
    user = a_user_with(mailing_homeserver, address)
    other = newcomer(browser.server)
    taken, free = ask(browser, address), ask(other, f"free-{address}")
    mail = mailbox.last_to(address)

    assert taken.status_code == free.status_code == 200
    assert _without(taken.text, address, browser) == _without(free.text, f"free-{address}", other)
    assert "already have an account" in mail.subject
    assert user.user_id in mail.text
    for code in ("000000", "123456"):
        assert "That is not the code." in enter(browser, code).text
    assert name_of(mailing_homeserver, address) == user.user_id


def _without(text, address, browser):
    """Return a page without what is of the browser or typed by it, and how long ago it asked."""
    text = re.sub(r"in \d+ seconds", "in some seconds", text)
    attempt = browser.page.url.rpartition("=")[2]
    csrf = text.split('name="csrf" value="')[1].split('"')[0]
    return text.replace(address, "ADDRESS").replace(attempt, "ATTEMPT").replace(csrf, "CSRF")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "nobody",
        "a@b,c@d",
        "anna@example.com\r\nBcc: eve@example.com",
        "anna\uff20example.com",
        '"anna"@example.com',
        "\u00e4nna@example.com",
        "a" * 10_000 + "@example.com",
    ],
    ids=lambda typed: ascii(typed)[:20],
)
def test_c257_what_is_no_address_goes_nowhere(mailbox, browser, typed):
    """The page says so, and keeps what was typed."""
    before = len(mailbox.mails)
    page = ask(browser, typed)

    assert page.status_code == 400
    assert "/register-email?" in page.url
    assert mailbox.reached_nobody_new(since=before)


def test_c257_a_domain_in_other_letters_is_written_to_by_its_name(mailbox, browser):
    """The envelope has one recipient, in ASCII."""
    number = next(_numbers)
    page = ask(browser, f"anna{number}+x@B\u00fccher.example")
    address = f"anna{number}+x@xn--bcher-kva.example"

    assert address in page.text
    assert mailbox.last_to(address).recipients == (address,)


def test_a_wrong_address_is_corrected_without_waiting(mailbox, browser, address):
    """The code for the wrong one is void."""
    ask(browser, f"wrong-{address}")
    old = mailbox.last_to(f"wrong-{address}").code
    browser.get(browser.page.url.replace("register-email-code", "register-email"))
    assert f"wrong-{address}" in browser.page.text
    page = ask(browser, address)
    new = mailbox.last_to(address).code

    assert address in page.text
    assert old == new or "That is not the code." in enter(browser, old).text
    assert enter(browser, new).status_code == 200


def test_a_new_code_is_sent_after_a_pause(mailing_homeserver, mailbox, browser, address):
    """The page says when; afterwards the new one works and the old one does not."""
    ask(browser, address)
    old = mailbox.last_to(address).code
    page = browser.submit(decision="again")
    assert "A new code can be sent" in page.text
    _later(mailing_homeserver, browser)
    page = browser.submit(decision="again")
    new = mailbox.last_to(address, 2).code

    assert page.status_code == 200
    assert old == new or "That is not the code." in enter(browser, old).text
    assert enter(browser, new).status_code == 200


def test_c251_after_ten_tries_a_new_code_is_needed(mailing_homeserver, mailbox, browser, address):
    """The page says so; the right one comes too late."""
    ask(browser, address)
    code = mailbox.last_to(address).code
    wrong = "000000" if code != "000000" else "000001"
    pages = [enter(browser, wrong) for _ in range(10)]
    over = enter(browser, code)

    assert all("That is not the code." in page.text for page in pages)
    assert "No code works here any more" in over.text
    assert name_of(mailing_homeserver, address) is None


def test_c251_a_code_works_in_the_browser_that_asked(mailing_homeserver, mailbox, browser, address):
    """Whoever is sent the link of somebody else's page has nothing of it."""
    ask(browser, address)
    code = mailbox.last_to(address).code
    thief = newcomer(browser.server)
    thief.get(browser.page.url)
    assert thief.page.status_code == 400
    ours = newcomer(browser.server)
    ask(ours, f"thief-{address}")

    assert (
        code == mailbox.last_to(f"thief-{address}").code or "not the code" in enter(ours, code).text
    )
    assert name_of(mailing_homeserver, address) is None


def test_c251_an_old_code_is_none(mailing_homeserver, mailbox, browser, address):
    ask(browser, address)
    code = mailbox.last_to(address).code
    _later(mailing_homeserver, browser, by=600)

    assert "No code works here any more" in enter(browser, code).text


def _later(homeserver, browser, *, by=60):
    attempt = browser.page.url.rpartition("=")[2]
    homeserver.query(
        "UPDATE nextgen_codes SET made_at = made_at - ?, expires_at = expires_at - ?"
        " WHERE attempt_id = ?",
        *(by, by, attempt),
    )


def test_c259_a_mail_server_that_is_away_keeps_no_page_waiting(mailbox, browser, address):
    """The mail comes when it is back."""
    mailbox.stop()
    page = ask(browser, address)
    assert "/register-email-code?" in page.url
    assert page.elapsed.total_seconds() < 10
    mailbox.start()

    assert enter(browser, mailbox.last_to(address).code).status_code == 200


def test_c259_a_slow_mail_server_keeps_no_page_waiting(mailbox, browser, address):
    """The page is there before the mail is."""
    mailbox.delay = 3
    page = ask(browser, address)
    assert "/register-email-code?" in page.url
    assert mailbox.none_to(address)
    mailbox.delay = 0

    assert enter(browser, mailbox.last_to(address).code).status_code == 200


def test_c259_a_refused_address_is_told_when_the_page_is_looked_at_again(
    mailing_homeserver, mailbox, browser, address
):
    """Whether there is an account is not told by it: both mails go the same way."""
    user = a_user_with(mailing_homeserver, f"used-{address}")
    mailbox.refuse |= {address: "550 nobody here", f"used-{address}": "550 nobody here"}
    other = newcomer(browser.server)
    pages = ask(browser, address), ask(other, f"used-{address}")

    assert user.user_id not in "".join(page.text for page in pages)
    for each in (browser, other):
        url = each.page.url
        assert eventually(lambda e=each, u=url: "Nothing can be delivered" in e.get(u).text)
