"""Clients that nobody here wrote, and a person who lets them in."""

import pytest

from support.node import Node
from support.oauth import Browser, Server

REDIRECT_URI = "https://client.example.com/callback"


@pytest.fixture(scope="session")
def node(tmp_path_factory, node_modules):
    """Return a place to run scripts in."""
    return Node.at(tmp_path_factory.mktemp("js"), node_modules)


@pytest.fixture
def server(homeserver):
    """Return the endpoints of the shared homeserver."""
    return Server(homeserver.base_url)


@pytest.fixture
def user(homeserver):
    """Return an account of this test's own."""
    return homeserver.new_user()


@pytest.fixture
def visit(server, user):
    """Return what the person does with an address: sign in when asked, and agree to whatever it is.

    It returns the address that the browser is sent on to, or that of the last page.
    """
    browser = Browser(server)

    def visit_(url):
        page = browser.get(url)
        if 'name="password"' in page.text:
            page = browser.sign_in(user.localpart, user.password)
        if 'value="approve"' in page.text:
            page = browser.submit(decision="approve")
        return page.headers.get("Location") or page.url

    return visit_
