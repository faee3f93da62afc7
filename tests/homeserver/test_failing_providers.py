"""Providers that fail, hang or talk nonsense, and browsers that come back with the wrong answer."""

import time
from importlib.metadata import version

import pytest
from packaging.version import Version

from support.databases import SqliteDatabase
from support.oauth import Server
from support.providers.failing import failing
from support.providers.journey import begin, choose
from support.providers.person import Person, links
from support.synapse import Homeserver
from synapse_nextgen_auth.cli.synapse_process import SynapseStoppedError

STARTS_WITHOUT_PROVIDERS = Version("1.151")
KINDS = ("oidc-fails", "cas")


@pytest.fixture(scope="module")
def provider():
    with failing() as found:
        yield found


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, provider):
    directory = tmp_path_factory.mktemp("homeserver-failing")
    homeserver = Homeserver(directory, SqliteDatabase(directory))
    homeserver.config = provider.config
    with homeserver:
        yield homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


def is_ours(page):
    """Say whether it is the page that says that nobody is signed in, with a way to begin again."""
    return "You are not signed in" in page.text and any(
        "sign-in?attempt=" in link for link in links(page)
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["drops", "is down", b"", b"<html>no answer", b"[1]", b"\xff{"])
def test_c275_a_provider_that_fails_ends_on_our_page(server, provider, kind, how):
    """Whatever it does in place of an answer, people read what they can do, and may do it."""
    provider.how = how
    person = Person("anna")
    begin(server, person)
    page = person.get(choose(person, kind))

    assert page.status_code in {400, 503}, page.text
    assert is_ours(page), page.text


@pytest.mark.parametrize("kind", KINDS)
def test_c275_a_provider_that_hangs_is_given_up(server, provider, kind):
    """Nobody waits for a minute to be told that."""
    provider.how = "hangs"
    person = Person("bert")
    begin(server, person)
    url, started = choose(person, kind), time.monotonic()
    page = person.get(url)

    assert page.status_code == 503, page.text
    assert "cannot be reached" in page.text
    assert is_ours(page)
    assert time.monotonic() - started < 25


def come_back(homeserver, server, person):
    """Return where the provider sends a person, who has not followed it yet."""
    begin(server, person)
    person.get(choose(person, "oidc-fails"), until=f"{homeserver.base_url}/_synapse/client/oidc")
    return person.page.headers["Location"]


def test_what_no_handler_reads_ends_on_our_page(homeserver, server):
    """A state that is no text."""
    person = Person("cleo")
    come_back(homeserver, server, person)
    page = person.get(f"{homeserver.base_url}/_synapse/client/oidc/callback?code=1&state=%ff")

    assert page.status_code == 400, page.text
    assert is_ours(page)


def test_two_tabs_are_told_what_happened(homeserver, server, provider):
    """Which of them an answer is for nobody knows, so none is led to the attempt of the other."""
    provider.how = "drops"
    person = Person("dora")
    first = come_back(homeserver, server, person)
    second = come_back(homeserver, server, person)
    for url in (first, second):
        page = person.get(url)
        # As a browser, which forgets a cookie that the page takes away.
        for cookie in [each for each in person.http.cookies if "oidc" in each.name]:
            person.http.cookies.clear(cookie.domain, cookie.path, cookie.name)

        assert page.status_code == 400
        assert "in a second tab" in page.text
        assert not any("attempt=" in link for link in links(page))


def test_a_browser_that_never_was_here_is_told_what_stock_says(homeserver):
    """The answer is one of somebody who came another way."""
    page = Person("elsa").get(f"{homeserver.base_url}/_synapse/client/oidc/callback?code=1&state=1")

    assert page.status_code == 400
    assert "No session cookie" in page.text


def restarted_while_it_is_down(homeserver, provider):
    """Restart while the provider says nothing of itself; older Synapse starts when it is back."""
    provider.has_metadata = False
    if Version(version("matrix-synapse")) >= STARTS_WITHOUT_PROVIDERS:
        homeserver.restart()
    else:
        with pytest.raises(SynapseStoppedError, match="Error while initialising OIDC provider"):
            homeserver.restart()
        provider.has_metadata = True
        homeserver.start()


def test_a_restart_while_the_provider_is_down(homeserver, server, provider):
    """The process knows nothing of the provider any more when somebody comes back from there."""
    provider.how = "is down"
    person = Person("fred")
    url = come_back(homeserver, server, person)
    try:
        restarted_while_it_is_down(homeserver, provider)
        page = person.get(url)
    finally:
        provider.has_metadata = True

    assert page.status_code in {400, 503}, page.text
    assert is_ours(page)
