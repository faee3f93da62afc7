"""Signing in by a code that goes to the address of an account which nothing else opens."""

import itertools
import re

import pytest

from support import metrics
from support.oauth import Browser, Server
from support.synapse import Homeserver
from support.waiting import eventually

pytestmark = [pytest.mark.newest_only]

_numbers = itertools.count()


@pytest.fixture(scope="module")
def coded_homeserver(tmp_path_factory, make_database, session_mailbox):
    """Yield a homeserver where people sign in by codes."""
    directory = tmp_path_factory.mktemp("homeserver-codes")
    homeserver = Homeserver(
        directory,
        make_database("sqlite", directory),
        module={"sign_in": {"email_codes": True}},
        log_level="DEBUG",
    )
    listening = metrics.listening(homeserver)
    client, *others = listening["listeners"]
    homeserver.config = {
        **listening,
        "listeners": [{**client, "x_forwarded": True}, *others],
        "email": session_mailbox.settings(),
    }
    with homeserver:
        before = metrics.series(homeserver)
        yield homeserver
        new = metrics.series(homeserver) - before
    # Whatever is counted here was there at 0.
    assert new == set()


@pytest.fixture
def server(coded_homeserver):
    return Server(coded_homeserver.base_url)


@pytest.fixture
def browser(server):
    return Browser(server)


@pytest.fixture
def account(coded_homeserver):
    """Return an account with an address and without a password, and that address."""
    return an_account(coded_homeserver)


@pytest.fixture(autouse=True)
def forget_limits(coded_homeserver):
    """Let each test have the mails that it asks for."""
    yield
    coded_homeserver.query("DELETE FROM nextgen_throttle")
    coded_homeserver.query("DELETE FROM nextgen_outbox")


def an_account(homeserver, *, password=False):
    user = homeserver.new_user()
    address = f"code{next(_numbers)}@example.com"
    if not password:
        homeserver.query("UPDATE users SET password_hash = NULL WHERE name = ?", user.user_id)
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, address),
    )
    return user, address


def to_the_page(browser):
    browser.get(browser.server.url("sign-in"))
    follow(browser)


def follow(browser):
    """Follow the link of the sign-in page."""
    link = re.search(r'href="(sign-in-email[^"]*)"', browser.page.text)[1]
    browser.get(browser.server.url(link.replace("&amp;", "&")))


def ask(browser, address):
    return browser.submit(email=address, decision="send")


def enter(browser, code):
    return browser.submit(code=code, decision="check")


def is_signed_in(homeserver, user):
    return homeserver.query(
        "SELECT COUNT(*) FROM nextgen_browsers WHERE user_id = ?", user.user_id
    ) != [(0,)]


def test_the_code_signs_in_and_its_owner_is_told(coded_homeserver, mailbox, server, account):
    """On the way of a client, too, which is told how (`amr`: a one-time password)."""
    user, address = account
    client, browser = server.client(), Browser(server)
    browser.authorize(client.request()[0])
    follow(browser)
    page = ask(browser, address)
    assert "/sign-in-email-code?" in page.url
    mail = mailbox.last_to(address)
    page = enter(browser, mail.code)
    assert "/consent?" in page.url, page.text
    browser.submit(decision="approve")
    notice = mailbox.last_to(address, 2)

    assert mail.subject.endswith(f"is your code to sign in to {server_name(coded_homeserver)}")
    assert "signed in to your account" in notice.subject
    assert user.user_id in notice.text
    assert "127.0.0.1" in notice.text
    (amr,) = coded_homeserver.query(
        "SELECT amr FROM nextgen_browsers WHERE user_id = ?", user.user_id
    )
    assert amr == ("otp",)


def server_name(homeserver):
    return homeserver.server_name


@pytest.mark.parametrize("page", ["address", "code"])
def test_c181_no_form_works_that_is_not_of_this_browser(mailbox, browser, account, page):
    """Nothing is sent, and no code is looked at."""
    _, address = account
    to_the_page(browser)
    if page == "code":
        ask(browser, address)
        mailbox.last_to(address)
    before = len(mailbox.mails)
    for csrf in ("", "another"):
        answer = browser.http.post(
            browser.page.url,
            data={"csrf": csrf, "email": address, "code": "000000", "decision": "send"},
            timeout=30,
        )
        assert answer.status_code == 403

    assert address not in mailbox.reached(since=before)


def test_c250_every_address_gets_the_same_answer(coded_homeserver, mailbox, server, account):
    """Whether it has an account, one with a password, or none; nobody is written to who has none."""
    _, address = account
    with_password, its_address = an_account(coded_homeserver, password=True)
    pages = {}
    for each in (address, its_address, "stranger@example.com"):
        browser = Browser(server)
        to_the_page(browser)
        page = ask(browser, each)
        attempt, csrf = page.url.rpartition("=")[2], page.text.split('name="csrf" value="')[1]
        text = page.text.replace(each, "ADDRESS").replace(attempt, "ATTEMPT")
        text = text.replace(csrf.split('"')[0], "CSRF")
        pages[each] = (page.status_code, re.sub(r"for \d+ minutes", "for some minutes", text))
    mail = mailbox.last_to(its_address)

    assert len(set(pages.values())) == 1
    assert "How you sign in" in mail.subject
    assert with_password.user_id in mail.text
    assert re.search(r"\d{6}", mail.text) is None
    assert mailbox.last_to(address).code
    assert eventually(
        lambda: coded_homeserver.query("SELECT COUNT(*) FROM nextgen_outbox") == [(0,)]
    )
    assert mailbox.none_to("stranger@example.com")


def test_c250_a_refused_address_is_told_to_nobody(coded_homeserver, mailbox, browser, account):
    """It would say that the address has an account: to others no mail goes at all."""
    _, address = account
    mailbox.refuse[address] = "550 nobody here"
    to_the_page(browser)
    ask(browser, address)
    assert eventually(lambda: "refused mail" in coded_homeserver.log_text())

    assert "Nothing can be delivered" not in browser.get(browser.page.url).text


def test_c251_after_five_tries_it_is_over(coded_homeserver, mailbox, browser, account):
    """A code that opens an account is tried less often than one that only shows an address."""
    user, address = account
    to_the_page(browser)
    ask(browser, address)
    code = mailbox.last_to(address).code
    wrong = "000000" if code != "000000" else "000001"
    pages = [enter(browser, wrong) for _ in range(5)]
    over = enter(browser, code)

    assert all("That is not the code." in page.text for page in pages)
    assert "No code works here any more" in over.text
    assert not is_signed_in(coded_homeserver, user)
    assert "Refused a sign-in from 127.0.0.1: wrong_code" in coded_homeserver.log_text()


def test_c251_a_code_is_worth_nothing_in_another_browser(
    coded_homeserver, mailbox, server, browser, account
):
    user, address = account
    to_the_page(browser)
    ask(browser, address)
    code = mailbox.last_to(address).code
    other = Browser(server)
    other.get(browser.page.url)
    assert other.page.status_code == 400
    to_the_page(other)
    ask(other, "stranger@example.com")
    enter(other, code)

    assert not is_signed_in(coded_homeserver, user)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE users SET password_hash = 'x' WHERE name = ?",
        "DELETE FROM user_threepids WHERE user_id = ?",
        "INSERT INTO user_external_ids VALUES ('oidc-gone', 'x', ?)",
    ],
)
def test_an_account_that_changed_meanwhile_is_looked_at_again(
    coded_homeserver, mailbox, browser, account, change
):
    """It got a password, or lost the address; a provider that is not there any more opens nothing."""
    user, address = account
    to_the_page(browser)
    ask(browser, address)
    code = mailbox.last_to(address).code
    coded_homeserver.query(change, user.user_id)
    enter(browser, code)

    assert is_signed_in(coded_homeserver, user) is ("oidc-gone" in change)


def test_an_account_that_may_not_sign_in_gets_no_mail(coded_homeserver, mailbox, browser, account):
    """And the page says what it always says."""
    user, address = account
    coded_homeserver.query("UPDATE users SET locked = 1 WHERE name = ?", user.user_id)
    to_the_page(browser)
    page = ask(browser, address)
    assert "/sign-in-email-code?" in page.url
    assert eventually(
        lambda: coded_homeserver.query("SELECT COUNT(*) FROM nextgen_outbox") == [(0,)]
    )

    assert mailbox.none_to(address)


def ask_from(server, network, address):
    browser = Browser(server)
    browser.http.headers["X-Forwarded-For"] = network
    to_the_page(browser)
    return ask(browser, address)


def test_c239_a_stranger_keeps_nobody_from_a_code(server, account):
    """Five mails of one network, and there are more for the address, from another network."""
    _, address = account
    asked = [ask_from(server, "198.51.100.7", address) for _ in range(6)]
    others = ask_from(server, "203.0.113.9", address)

    assert [page.status_code for page in asked] == [200] * 5 + [429]
    assert "Too many mails were asked for" in asked[-1].text
    assert int(asked[-1].headers["Retry-After"]) > 60
    assert address not in str(asked[-1].headers)
    assert "/sign-in-email-code?" in others.url


def test_c241_the_hosts_of_an_ipv6_network_are_one(server, account):
    """Whoever has 2^64 addresses has one share."""
    _, address = account
    asked = [ask_from(server, f"2001:db8::{n}", address) for n in range(1, 7)]

    assert [page.status_code for page in asked] == [200] * 5 + [429]


def test_c259_a_mail_is_counted_once_however_often_it_is_tried(
    coded_homeserver, mailbox, browser, account
):
    """A mail server that is away for a while keeps nobody from their code."""
    _, address = account
    mailbox.stop()
    to_the_page(browser)
    ask(browser, address)
    counted = coded_homeserver.query("SELECT * FROM nextgen_throttle ORDER BY key")
    tries = "SELECT tries FROM nextgen_outbox WHERE kind = 'send_sign_in_code'"
    assert eventually(lambda: coded_homeserver.query(tries) >= [(2,)])
    mailbox.start()

    assert mailbox.last_to(address).code
    assert coded_homeserver.query("SELECT * FROM nextgen_throttle ORDER BY key") == counted


def test_c251_a_code_that_opened_nothing_opens_nothing_later(
    coded_homeserver, mailbox, server, browser, account
):
    """Whatever is typed once the account is unlocked, by whoever sits there."""
    user, address = account
    admin = coded_homeserver.new_user(admin=True)
    token = coded_homeserver.login(admin)["access_token"]

    def lock(*, is_locked):
        url = f"/_synapse/admin/v2/users/{user.user_id}"
        assert server.api("PUT", url, token, json={"locked": is_locked}).status_code == 200

    to_the_page(browser)
    ask(browser, address)
    code = mailbox.last_to(address).code
    form = browser.page
    lock(is_locked=True)
    enter(browser, code)
    lock(is_locked=False)
    browser.page = form
    enter(browser, "000000" if code != "000000" else "000001")

    assert not is_signed_in(coded_homeserver, user)


def test_whoever_proves_it_again_does_so_by_a_code_of_their_own(
    coded_homeserver, mailbox, server, browser, account
):
    """Where nothing else opens the account; the code of another account opens nothing here."""
    user, address = account
    _, another = an_account(coded_homeserver)
    to_the_page(browser)
    ask(browser, address)
    enter(browser, mailbox.last_to(address).code)
    assert is_signed_in(coded_homeserver, user)
    browser.authorize(server.client().request(prompt="login")[0])
    assert "Confirm that it is you" in browser.page.text
    follow(browser)
    ask(browser, another)
    refused = enter(browser, mailbox.last_to(another).code)
    browser.get(refused.url.replace("sign-in-email-code", "sign-in-email"))
    ask(browser, address)
    # After the first one and the notice.
    page = enter(browser, mailbox.last_to(address, 3).code)

    assert "No code works here any more" in refused.text
    assert "/consent?" in page.url


def test_whoever_has_a_password_proves_it_again_by_that(coded_homeserver, server):
    """A mailbox is no way around it."""
    user, _ = an_account(coded_homeserver, password=True)
    browser = Browser.of(server, user)
    browser.authorize(server.client().request(prompt="login")[0])

    assert "Confirm that it is you" in browser.page.text
    assert "sign-in-email" not in browser.page.text


def test_where_it_is_off_there_are_no_such_pages(mailing_homeserver):
    """The sign-in page says nothing of it, and whoever knows the address is led there."""
    browser = Browser(Server(mailing_homeserver.base_url))
    page = browser.get(browser.server.url("sign-in"))
    assert "sign-in-email" not in page.text
    for path in ("sign-in-email", "sign-in-email-code"):
        assert browser.get(browser.server.url(path)).url.endswith("/sign-in")
