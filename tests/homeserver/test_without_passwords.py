"""Servers that let nobody in by a password: the page says so before anybody types one."""

import pytest

from support import neighbours
from support.neighbours import Neighbours
from support.oauth import Browser, Server
from support.waiting import eventually

FORM = 'name="password"'
CLOSED = "Nobody can sign in here"
OPEN = {"enable_registration": True, "enable_registration_without_verification": True}
LOCALDB_OFF = {"password_config": {"localdb_enabled": False}}


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, make_database):
    """Yield a homeserver that forgot its own passwords and has another module, which checks some."""
    directory = tmp_path_factory.mktemp("homeserver-no-passwords")
    homeserver = neighbours.homeserver(directory, make_database("sqlite", directory))
    homeserver.config |= LOCALDB_OFF
    with homeserver:
        yield homeserver


def opened(homeserver):
    """Return the sign-in page as a client leads there, and bare, and the log."""
    server = Server(homeserver.base_url)
    parameters, _ = server.client().request()
    browser = Browser(server)
    page = browser.authorize(parameters)
    return page, Browser(server).get(server.url("sign-in"))


@pytest.mark.parametrize(
    "switch",
    [{"enabled": "only_for_reauth"}, {"localdb_enabled": False}],
    ids=str,
)
def test_the_page_asks_for_no_password_where_none_counts(start_homeserver, switch):
    """It says who can sign in, what the operator should know, and leads back to the application."""
    homeserver = start_homeserver(config={**OPEN, "password_config": switch})

    by_client, bare = opened(homeserver)

    for page in (by_client, bare):
        assert page.status_code == 403
        assert CLOSED in page.text
        assert FORM not in page.text
        assert "ask the people who run <bdi>localhost</bdi>" in page.text
        assert "password_config" in page.text
    assert "Back to the application" in by_client.text
    assert "<form" not in bare.text
    said = "Nobody can sign in on the pages of this module"
    assert eventually(lambda: said in homeserver.log_text())
    nobody_signs_up(homeserver)


def nobody_signs_up(homeserver):
    """Look at the first page: whoever got an account with a password could not sign in again."""
    server = Server(homeserver.base_url)
    page = Browser(server).get(server.url("register"))

    assert "<h1>No new accounts here</h1>" in page.text
    assert FORM not in page.text
    assert "create" not in server.metadata()["prompt_values_supported"]


def test_a_module_that_checks_passwords_keeps_the_form(homeserver):
    """Though Synapse's own are switched off; with it people sign in."""
    user = homeserver.new_user()
    others = Neighbours(homeserver)
    others.accept(user.user_id, "known-elsewhere")
    by_client, bare = opened(homeserver)

    assert (by_client.status_code, bare.status_code) == (200, 200)
    assert FORM in by_client.text
    assert FORM in bare.text
    assert "Nobody can sign in on the pages" not in homeserver.log_text()
    tokens = Server(homeserver.base_url).client().sign_in(user.localpart, "known-elsewhere")
    assert tokens["access_token"]
