"""The addresses and the name of an account, on its pages, and closing it."""

import base64
import itertools
import re

import pytest
import requests

from support.oauth import Browser, Server
from support.waiting import eventually

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]

_numbers = itertools.count()
V3 = "/_matrix/client/v3"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def server(mailing_homeserver):
    return Server(mailing_homeserver.base_url)


@pytest.fixture
def user(mailing_homeserver):
    return mailing_homeserver.new_user()


@pytest.fixture
def address():
    """Return an address that no account has."""
    return f"added{next(_numbers)}@example.com"


def give(homeserver, user, address):
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, address),
    )


def addresses(homeserver, user):
    found = homeserver.query("SELECT address FROM user_threepids WHERE user_id = ?", user.user_id)
    return sorted(row[0] for row in found)


def ask(server, browser, address):
    browser.get(server.url("account-email"))
    return browser.submit(email=address, decision="send")


def removal(server, browser):
    page = browser.get(server.url("account-profile")).text
    return server.url(re.search(r'"(account-address-remove\?id=\w+)"', page)[1])


def test_an_address_is_added_by_its_code(
    mailing_homeserver, mailbox, server, user, browser, address
):
    ask(server, browser, address.upper())
    page = browser.submit(code=mailbox.last_to(address).code, decision="check")

    assert "The address is yours now." in page.text
    assert addresses(mailing_homeserver, user) == [address]


def test_c249_an_address_of_another_account_looks_like_any_other(
    mailing_homeserver, mailbox, server, user, browser, address
):
    """Its owner reads of it; no code is right, and the page says so as of any wrong one."""
    owner = mailing_homeserver.new_user()
    give(mailing_homeserver, owner, address)
    page = ask(server, browser, address)
    assert "/account-email-code?" in page.url
    mail = mailbox.last_to(address)
    wrong = browser.submit(code="000000", decision="check")

    assert owner.user_id in mail.text
    assert "That is not the code." in wrong.text
    assert addresses(mailing_homeserver, user) == []


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "no address",
        "a@b@example.com",
        '"a b"@example.com',
        "a@[192.0.2.1]",
        "a@example.com\r\nBcc: b@c.de",
    ],
)
def test_what_is_no_address_gets_no_mail(server, browser, typed):
    """Every trick of RFC 5321 is one of the table of `tests/accounts/test_addresses.py`."""
    page = ask(server, browser, typed)

    assert page.status_code == 400
    assert "e-mail address" in page.text


def test_c301_a_code_of_another_browser_is_nobodys(
    mailing_homeserver, mailbox, server, user, browser, address
):
    """Who has the address of the page has not begun what it is about."""
    page = ask(server, browser, address)
    other = Browser.of(server, mailing_homeserver.new_user())
    looked = other.get(page.url)

    assert looked.status_code == 400
    assert address not in looked.text


def test_an_address_that_goes_is_told_of_it(
    mailing_homeserver, mailbox, server, user, browser, address
):
    give(mailing_homeserver, user, address)
    browser.get(removal(server, browser))
    page = browser.submit(decision="remove")

    assert "It was removed" in page.text
    assert addresses(mailing_homeserver, user) == []
    mail = mailbox.last_to(address)
    assert mail.subject.startswith("The addresses of your account")
    assert "An e-mail address was removed." in mail.text
    assert user.user_id in mail.text


def test_c301_an_address_of_another_account_stays(
    mailing_homeserver, server, user, browser, address
):
    owner = mailing_homeserver.new_user()
    give(mailing_homeserver, owner, address)
    url = removal(server, Browser.of(server, owner))
    looked = browser.get(url)

    assert looked.url.endswith("/account-profile")
    assert address not in looked.text


def test_c303_a_name_is_changed_and_shown_to_others(mailing_homeserver, server, user, browser):
    browser.get(server.url("account-profile"))
    page = browser.submit(display_name="Zoë & Söhne", decision="name")

    assert "Your name was changed." in page.text
    assert mailing_homeserver.query(
        "SELECT displayname FROM profiles WHERE full_user_id = ?", user.user_id
    ) == [("Zoë & Söhne",)]


def test_c303_a_name_that_is_too_long_comes_back(server, browser):
    browser.get(server.url("account-profile"))
    page = browser.submit(display_name="x" * 257, decision="name")

    assert page.status_code == 400
    assert "too long" in page.text


def test_c303_c318_suspended_people_keep_their_name_and_may_close_their_account(
    mailing_homeserver, server, user, browser
):
    admin = mailing_homeserver.login(mailing_homeserver.new_user(admin=True))["access_token"]
    suspended = server.api(
        "PUT", f"/_synapse/admin/v1/suspend/{user.user_id}", admin, json={"suspend": True}
    )
    assert suspended.status_code == 200, suspended.text
    page = browser.get(server.url("account-profile"))
    csrf = re.search(r'name="csrf" value="([^"]+)"', browser.get(server.url("account")).text)[1]
    forced = browser.http.post(
        server.url("account-profile"),
        data={"csrf": csrf, "display_name": "Another", "decision": "name"},
        timeout=30,
    )

    assert "suspended" in page.text
    assert 'name="display_name"' not in page.text
    assert forced.status_code == 403
    browser.get(server.url("account-deactivate"))
    assert browser.submit(confirm="yes", decision="deactivate").status_code == 200


def upload(server, browser, content, **headers):
    page = browser.get(server.url("account-profile")).text
    csrf = re.search(r'data-csrf="([^"]+)"', page)[1]
    sent = {"Content-Type": "image/png", "X-Csrf": csrf} | headers
    return browser.http.post(
        server.url("account-avatar"),
        data=content,
        headers={name: value for name, value in sent.items() if value is not None},
        allow_redirects=False,
        timeout=60,
    )


def picture_of(homeserver, user):
    found = homeserver.query("SELECT avatar_url FROM profiles WHERE full_user_id = ?", user.user_id)
    return found[0][0] if found else None


def test_c303_a_picture_is_uploaded_shown_and_removed(mailing_homeserver, server, user, browser):
    """As a raw body: Synapse ends every `multipart/form-data`."""
    letter = browser.get(server.url("account-avatar"))
    answer = upload(server, browser, PICTURE)
    shown = browser.get(server.url("account-avatar"))

    assert letter.headers["Content-Type"] == "image/svg+xml"
    assert answer.status_code == 200, answer.text
    assert picture_of(mailing_homeserver, user).startswith("mxc://localhost/")
    assert shown.headers["Content-Type"] == "image/png"
    assert shown.content.startswith(b"\x89PNG")
    browser.get(server.url("account-profile"))
    csrf = re.search(r'name="csrf" value="([^"]+)"', browser.page.text)[1]
    page = browser.http.post(
        server.url("account-profile"), data={"csrf": csrf, "decision": "remove-picture"}, timeout=30
    )
    assert "You have no picture any more." in page.text
    assert picture_of(mailing_homeserver, user) is None


@pytest.mark.parametrize(
    ("content", "answered"),
    [
        (b"<svg onload='alert(1)'/>", (400, "no_picture")),
        (PICTURE[:16] + b"\xff\xff\xff\x00" * 2 + PICTURE[24:], (400, "dimensions")),
        (PICTURE + b"\0" * (10 * 2**20), (413, "too_large")),
    ],
    ids=["svg", "bomb", "large"],
)
def test_c303_what_is_no_picture_is_not_stored(
    mailing_homeserver, server, user, browser, content, answered
):
    """A document with scripts, one that unfolds to gigabytes, one that is too large."""
    answer = upload(server, browser, content)

    assert (answer.status_code, answer.json()["error"]) == answered
    assert picture_of(mailing_homeserver, user) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Csrf": None},
        {"X-Csrf": "1.forged"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
def test_c181_no_other_site_uploads_a_picture(mailing_homeserver, server, user, browser, headers):
    answer = upload(server, browser, PICTURE, **headers)

    assert answer.status_code in {403, 415}
    assert picture_of(mailing_homeserver, user) is None


def test_c302_an_account_is_closed_with_all_that_it_has(
    mailing_homeserver, mailbox, server, user, browser, address
):
    """Sessions, browsers and what was agreed to; the addresses that it had are told."""
    give(mailing_homeserver, user, address)
    tokens = server.client().sign_in(user.localpart, user.password)
    link = server.url("account?action=org.matrix.account_deactivate")
    asked = browser.get(link)
    not_yet = browser.submit(decision="deactivate")
    page = browser.submit(confirm="yes", erase="yes", decision="deactivate")

    assert asked.url.endswith("/account-deactivate")
    assert not_yet.status_code == 400
    assert "Your account is closed" in page.text
    assert server.whoami(tokens["access_token"]).status_code == 401
    assert "/sign-in?" in browser.get(server.url("account-profile")).url
    assert mailing_homeserver.query(
        "SELECT deactivated, password_hash FROM users WHERE name = ?", user.user_id
    ) == [(1, None)]
    assert addresses(mailing_homeserver, user) == []
    for table in ("nextgen_consents", "nextgen_passwords"):
        of_them = f"SELECT COUNT(*) FROM {table} WHERE user_id = ?"
        eventually(lambda sql=of_them: mailing_homeserver.query(sql, user.user_id) == [(0,)])
    mail = mailbox.last_to(address)
    assert mail.subject.startswith("Your account on")
    assert "The account was closed for ever." in mail.text
    assert user.user_id in mail.text


def test_c302_an_identity_server_that_fails_keeps_no_account_open(
    mailing_homeserver, server, user, browser, address
):
    """It does not answer when it is to forget the address; the page says so afterwards."""
    give(mailing_homeserver, user, address)
    mailing_homeserver.query(
        "INSERT INTO user_threepid_id_server (user_id, medium, address, id_server)"
        " VALUES (?, 'email', ?, 'localhost:1')",
        *(user.user_id, address),
    )
    browser.get(server.url("account-deactivate"))
    page = browser.submit(confirm="yes", decision="deactivate")

    assert "may still list an address" in page.text
    assert mailing_homeserver.query(
        "SELECT deactivated FROM users WHERE name = ?", user.user_id
    ) == [(1,)]


def test_c303_an_app_adds_an_address_that_its_person_confirmed_and_approved(
    mailing_homeserver, server, user, mailbox, address
):
    """Both: the link in the mail, and our page, which names the address; for one request."""
    tokens = server.client().sign_in(user.localpart, user.password)
    told = {"client_secret": "a-secret", "email": address, "send_attempt": 1}
    sent = server.api("POST", f"{V3}/account/3pid/email/requestToken", None, json=told)
    proof = {"client_secret": "a-secret", "sid": sent.json()["sid"]}
    path, token = f"{V3}/account/3pid/add", tokens["access_token"]
    (link,) = re.findall(r"https?://\S+submit_token\S+", mailbox.last_to(address).text)
    confirmed = requests.get(link, timeout=30)
    challenge = server.api("POST", path, token, json=proof).json()
    browser = Browser.of(server, user)
    page = browser.get(challenge["params"]["m.login.sso"]["url"])
    before = addresses(mailing_homeserver, user)
    browser.submit(decision="approve")
    done = server.api("POST", path, token, json=proof | {"auth": {"session": challenge["session"]}})
    again = server.api("POST", path, token, json=proof)

    assert confirmed.status_code == 200
    assert address in page.text
    assert before == []
    assert done.status_code == 200, done.text
    assert addresses(mailing_homeserver, user) == [address]
    assert again.status_code == 401


def test_c299_synapses_window_after_a_proof_is_not_for_our_tokens(mailing_homeserver, server, user):
    """`ui_auth.session_timeout` lets a stock token go on without a question, and none of ours."""
    stock = mailing_homeserver.login(user)["access_token"]
    ours = server.client().sign_in(user.localpart, user.password)["access_token"]
    path = f"{V3}/delete_devices"

    def delete(token, **auth):
        body = {"devices": [mailing_homeserver.login(user)["device_id"]]}
        answer = server.api("POST", path, token, json=body)
        if not auth or answer.status_code == 200:
            return answer.status_code
        session = {"session": answer.json()["session"]}
        if auth["by"] == "page":
            browser = Browser.of(server, user)
            browser.get(answer.json()["params"]["m.login.sso"]["url"])
            browser.submit(decision="approve")
        else:
            identifier = {"type": "m.id.user", "user": user.localpart}
            stage = {"type": "m.login.password", "identifier": identifier}
            session |= stage | {"password": user.password}
        return server.api("POST", path, token, json=body | {"auth": session}).status_code

    assert [delete(stock, by="password"), delete(stock)] == [200, 200]
    assert [delete(ours, by="page"), delete(ours)] == [200, 401]
