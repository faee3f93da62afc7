"""Signing up in the browser: the first page, the terms, and straight on to the application."""

import itertools
import re

import pytest

from support.oauth import Browser, Server
from support.synapse import Homeserver

pytestmark = [pytest.mark.one_database]

PASSWORD = "seven brave otters juggle"
OPEN = {"enable_registration": True, "enable_registration_without_verification": True}
_names = itertools.count()


def a_name():
    """Return a name that nobody has."""
    return f"newcomer{next(_names)}"


@pytest.fixture(scope="module")
def open_homeserver(tmp_path_factory, make_database):
    """Yield a homeserver on which people make accounts with a name and a password."""
    directory = tmp_path_factory.mktemp("homeserver-open")
    config = {**OPEN, "rc_registration": {"per_second": 1000, "burst_count": 1000}}
    with Homeserver(directory, make_database("sqlite", directory), config=config) as homeserver:
        yield homeserver


@pytest.fixture
def server(open_homeserver):
    return Server(open_homeserver.base_url)


@pytest.fixture
def browser(server):
    return Browser(server)


def sign_up(browser, name, *, password=PASSWORD, **fields):
    """Fill in the first page and send it."""
    return browser.submit(
        username=name, password=password, decision="create", **{"display_name": "", **fields}
    )


def to_the_page(browser, **changes):
    """Come to the first page for a client; return what the client needs to go on."""
    client = browser.server.client()
    parameters, verifier = client.request(**{"prompt": "create", **changes})
    browser.authorize(parameters)
    return client, verifier, parameters


def test_a_name_and_a_password_lead_straight_on_to_the_client(open_homeserver, browser):
    """The account is there, the person is signed in, and agrees once more to let the client in."""
    name = a_name()
    client, verifier, parameters = to_the_page(browser)
    page = sign_up(browser, name)
    assert "/consent?" in page.url
    answer = browser.answer(browser.submit(decision="approve"))
    tokens = client.redeem(answer["code"], verifier, redirect_uri=parameters["redirect_uri"]).json()

    who = browser.server.whoami(tokens["access_token"]).json()

    assert who["user_id"] == f"@{name}:{open_homeserver.server_name}"
    assert Browser(browser.server).get(browser.server.url("sign-in")).status_code == 200
    again = Browser(browser.server)
    again.get(browser.server.url("sign-in"))
    assert again.sign_in(name, PASSWORD).status_code == 200
    ended = open_homeserver.query(
        "SELECT proofs, ended_at IS NOT NULL FROM nextgen_attempts WHERE purpose = 'sign_up'"
        " AND user_id = ?",
        who["user_id"],
    )
    assert [(bool(re.search('"password"', proofs)), done) for proofs, done in ended] == [
        (True, True)
    ]


def test_what_is_missing_is_said_at_once_and_nothing_is_begun(open_homeserver, browser):
    """Every field that wants another look, with a link to it."""
    taken = open_homeserver.new_user()
    browser.get(browser.server.url("register"))
    page = sign_up(browser, taken.localpart, password="")

    assert page.status_code == 400
    assert "That username is taken." in page.text
    assert "Choose another password." in page.text
    assert 'href="#username"' in page.text
    assert open_homeserver.query(
        "SELECT COUNT(*) FROM ui_auth_sessions WHERE clientdict LIKE ?", f"%{taken.localpart}%"
    ) == [(0,)]


def test_clients_are_told_that_people_sign_up_here_and_lead_them_there(server, browser):
    """Initiating User Registration via OpenID Connect 1.0; MSC2964."""
    to_the_page(browser)

    assert "create" in server.metadata()["prompt_values_supported"]
    assert "/register?grant=" in browser.page.url
    assert "<h1>Create an account</h1>" in browser.page.text


def test_a_new_account_is_wanted_whoever_is_signed_in(open_homeserver, server):
    """Nobody is asked to choose among those who are there; the new one goes on, and they stay."""
    user, name = open_homeserver.new_user(), a_name()
    browser = Browser.of(server, user)
    to_the_page(browser)
    page = sign_up(browser, name)

    assert f"@{name}:" in re.sub("<[^>]+>", "", page.text)
    assert "/consent?" in page.url
    assert user.user_id in browser.get(server.url("accounts")).text


def test_whoever_has_an_account_goes_on_with_it_for_the_same_client(open_homeserver, browser):
    """The link on the page keeps the grant."""
    user = open_homeserver.new_user()
    client, verifier, parameters = to_the_page(browser)
    (link,) = re.findall(r'<a href="(sign-in[^"]+)"', browser.page.text)
    browser.get(browser.server.url(link))
    browser.sign_in(user.localpart, user.password)
    answer = browser.answer(browser.submit(decision="approve"))

    assert client.redeem(answer["code"], verifier, redirect_uri=parameters["redirect_uri"]).ok


def test_a_client_hears_of_somebody_who_goes_no_further(browser):
    """On the first page, where there is no attempt yet."""
    to_the_page(browser)

    assert browser.answer(browser.submit(decision="cancel"))["error"] == "access_denied"


def test_the_way_to_an_account_stands_on_the_sign_in_page_and_the_start_page(server, browser):
    """Where anybody gets one."""
    browser.authorize(server.client().request()[0])
    (grant,) = re.findall(r"grant=([0-9a-f]+)", browser.page.url)

    assert f'href="register?grant={grant}"' in browser.page.text
    assert 'href="register"' in browser.get(server.url("")).text


def test_where_nobody_gets_an_account_the_page_says_so(homeserver):
    """And clients are not told that anybody does; who comes all the same may sign in."""
    server = Server(homeserver.base_url)
    browser = Browser(server)
    to_the_page(browser)

    assert "create" not in server.metadata()["prompt_values_supported"]
    assert "<h1>No new accounts here</h1>" in browser.page.text
    assert 'href="sign-in?grant=' in browser.page.text
    assert 'name="password"' not in browser.page.text
    assert 'href="register' not in browser.get(server.url("sign-in")).text
    assert browser.answer(to_the_page(browser) and browser.submit(decision="cancel")) is not None
