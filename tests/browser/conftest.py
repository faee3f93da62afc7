"""A real Chromium, the site of a client beside it, and tabs that must not complain."""

import pytest

from support.chromium import Tab, launched
from support.client_site import ClientSite, self_signed
from support.oauth import Server
from support.television import forget_wrong_codes


@pytest.fixture(scope="session")
def https_site(tmp_path_factory):
    """Yield the web site of https://client.example.com/, and of every other `*.example.com`."""
    tls = self_signed(tmp_path_factory.mktemp("tls"), "client.example.com", "other.example.com")
    with ClientSite(tls) as site:
        yield site


@pytest.fixture
def client_site():
    """Yield the web site of a client on loopback; for us it is another site, on http."""
    with ClientSite(host="127.0.0.1") as site:
        yield site


@pytest.fixture(scope="session")
def browser(chromium, https_site):
    """Yield one Chromium for the session."""
    with launched(chromium, https_port=https_site.port) as browser:
        yield browser


@pytest.fixture
def server(sqlite_homeserver):
    """Return the endpoints of the shared homeserver."""
    return Server(sqlite_homeserver.base_url)


@pytest.fixture(autouse=True)
def forgiven(sqlite_homeserver):
    """Let no test pay for the wrong codes of another one."""
    yield
    forget_wrong_codes(sqlite_homeserver)


@pytest.fixture
def client(server):
    """Return a public web client at https://client.example.com/."""
    return server.client()


@pytest.fixture
def user(sqlite_homeserver):
    """Return an account of this test's own."""
    return sqlite_homeserver.new_user()


@pytest.fixture
def open_tab(browser, server):
    """Return a function that opens a tab: in a browser of its own, or beside another tab.

    A test fails if anything goes wrong on a page: an error, a violated policy, a script that ran.
    """
    tabs, contexts = [], []

    def open_(*, beside=None, **options):
        context = beside.page.context if beside else None
        if context is None:
            context = browser.new_context(ignore_https_errors=True, **options)
            context.set_default_timeout(60_000)
            contexts.append(context)
        tabs.append(Tab(context.new_page(), server))
        return tabs[-1]

    yield open_
    for context in contexts:
        context.close()
    assert [complaint for tab in tabs for complaint in tab.complaints] == []


@pytest.fixture
def tab(open_tab):
    """Return one tab."""
    return open_tab()


@pytest.fixture(scope="session")
def axe(node_modules):
    """Return the script of axe-core."""
    return (node_modules / "axe-core/axe.min.js").read_text()
