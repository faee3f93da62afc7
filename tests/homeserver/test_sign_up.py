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
    parameters, verifier = client.request(**changes)
    browser.authorize(parameters)
    browser.get(browser.page.url.replace("/sign-in?", "/register?"))
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
