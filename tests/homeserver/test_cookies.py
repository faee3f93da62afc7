"""The browser's cookie: what is odd about it makes it no cookie, and it does not last for ever."""

import re

import pytest
import requests

from support.accounts import no_account
from support.oauth import Browser
from synapse_nextgen_auth.secret import digest

pytestmark = pytest.mark.newest_only

NAME = "nextgen_auth"
DAY = 24 * 3600


def home(server, cookie):
    """Ask for the start page with a `Cookie` header of our making, byte for byte."""
    header = cookie if isinstance(cookie, bytes) else cookie.encode()
    answer = requests.get(server.issuer, headers={"Cookie": header}, timeout=30)
    assert answer.status_code < 500, answer.text
    return answer


def proof(page):
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]


def test_the_cookie_is_the_sign_in(server, user, browser):
    """Without this the refusals below would prove nothing."""
    assert user.user_id in home(server, f"{NAME}={browser.cookie}").text
    assert user.user_id in home(server, f"a=b; {NAME}={browser.cookie}; c").text


ODD = {
    "tampered": lambda value, _: f"{NAME}={value[:-1]}{'A' if value[-1] != 'A' else 'B'}",
    "truncated": lambda value, _: f"{NAME}={value[:-1]}",
    "longer": lambda value, _: f"{NAME}={value}A",
    "empty": lambda *_: f"{NAME}=",
    "no value": lambda *_: NAME,
    "quoted": lambda value, _: f'{NAME}="{value}"',
    "other case": lambda value, _: f"{NAME.upper()}={value}",
    "the proof of a form": lambda _, csrf: f"{NAME}={csrf}",
    "the digest that is stored": lambda value, _: f"{NAME}={digest(value)}",
    "twice": lambda value, _: f"{NAME}={value}; {NAME}={value}",
    "two of them": lambda value, _: f"{NAME}={'A' * 43}; {NAME}={value}",
    "too large": lambda value, _: f"{NAME}={value * 100}",
    "not ASCII": lambda value, _: f"{NAME}={value[:-1]}é".encode("latin-1"),
    "not UTF-8": lambda value, _: f"{NAME}={value[:-1]}".encode() + b"\xff",
    "percent-encoded": lambda value, _: f"{NAME}=%{ord(value[0]):02X}{value[1:]}",
    "without a dot": lambda value, _: f"{NAME}={value.replace('.', '')}",
    "two dots": lambda value, _: f"{NAME}={value.replace('.', '..')}",
    "more than fit in": lambda value, _: f"{NAME}={value}{('.' + 'A' * 43) * 10}",
    "the secret of somebody else's": lambda value, _: f"{NAME}={value[:44]}{'A' * 43}",
    "of https": lambda value, _: f"__Host-{NAME}={value}",
    "a digit of another script": lambda value, _: f"{NAME}={value[:-1]}\u0663",
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_c189_an_odd_cookie_is_no_cookie(server, user, browser, odd):
    """Whatever is not exactly our value leaves the browser anonymous; it is never an error."""
    csrf = proof(browser.get(server.issuer))

    answer = home(server, odd(browser.cookie, csrf))

    assert answer.status_code == 200
    assert user.user_id not in answer.text
    assert "Welcome to <bdi>localhost</bdi>" in answer.text


def test_c189_a_cookie_that_nobody_signed_in_with_is_kept(server):
    """It is the browser's own; only without one a browser gets a new one."""
    browser = Browser(server)
    browser.get(server.issuer)

    again = browser.get(server.issuer)

    assert "Set-Cookie" not in again.headers


@pytest.mark.parametrize(
    ("column", "lifetime"), [("last_active_at", 14 * DAY), ("signed_in_at", 90 * DAY)]
)
def test_c190_a_sign_in_ends_by_itself(homeserver, server, user, browser, column, lifetime):
    """After two weeks without a visit, and three months after the password, whatever happens."""
    holds = []
    for step in (lifetime - 60, lifetime + 60):
        homeserver.query(
            f"UPDATE nextgen_browsers SET {column} = {column} - ? WHERE digest = ?",
            step,
            digest(browser.secret),
        )
        holds.append(user.user_id in home(server, f"{NAME}={browser.cookie}").text)

    assert holds == [True, False]


def test_c190_visits_keep_a_sign_in(homeserver, server, user, browser):
    """Who comes back now and then is not signed out for idleness."""
    for _ in range(3):
        homeserver.query(
            "UPDATE nextgen_browsers SET last_active_at = last_active_at - ? WHERE digest = ?",
            10 * DAY,
            digest(browser.secret),
        )
        page = browser.get(server.issuer)

    assert user.user_id in page.text


def test_c190_the_cookie_lives_as_long_as_the_sign_in(server, user):
    """Browsers drop it when it is worth nothing any more; before the sign-in, when they close."""
    browser = Browser(server)
    first = browser.get(server.url("sign-in")).headers["Set-Cookie"]
    second = browser.http.post(
        browser.page.url,
        data={
            "csrf": proof(browser.page),
            "identifier": user.localpart,
            "password": user.password,
        },
        allow_redirects=False,
        timeout=30,
    ).headers["Set-Cookie"]

    assert "Max-Age" not in first
    assert f"Max-Age={90 * DAY}" in second
    for cookie in (first, second):
        assert {"Path=/", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


@pytest.mark.parametrize(
    ("change", "says"),
    [({"locked": True}, "This account is locked"), ({"deactivated": True}, None)],
)
def test_c190_an_account_that_is_gone_can_do_nothing(homeserver, server, user, change, says):
    """Its browsers get a page that says so, or count as signed out, on every page there is."""
    browser = Browser.of(server, user)
    parameters, _ = server.client().request()
    browser.authorize(parameters)
    consent = browser.page
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    changed = server.api("PUT", f"/_synapse/admin/v2/users/{user.user_id}", admin, json=change)
    assert changed.status_code == 200, changed.text

    pages = [browser.get(server.url(path)) for path in ("account", "authorize")]
    pages += [browser.authorize(parameters)]
    browser.page = consent
    pages += [browser.submit(decision="approve")]

    for page in pages:
        assert "Location" not in page.headers
        assert "Allow access" not in page.text
    if says:
        assert says in pages[-1].text
        assert says in pages[-2].text
    codes = homeserver.query(
        "SELECT code_digest FROM nextgen_grants WHERE user_id = ?", user.user_id
    )
    assert codes == []


def test_c190_an_account_that_is_not_there_can_do_nothing(homeserver, server, user, browser):
    """Its row is gone, as after a restored backup, and the cookie of its browser is still good."""
    parameters, _ = server.client().request()
    with no_account(homeserver, user):
        answers = [browser.get(server.url("account")), browser.authorize(parameters)]

    for answer in answers:
        assert answer.status_code == 403
        assert "It has been deactivated" in answer.text
