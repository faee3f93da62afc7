"""Identity servers that are told to forget an account that closes, and fail at it (C302)."""

import pytest

from support.client_site import self_signed
from support.identity_server import IdentityServer
from support.oauth import Browser, Server
from support.synapse import sqlite_homeserver
from support.waiting import eventually

pytestmark = pytest.mark.newest_only

CLOSE = "/_matrix/client/v3/account/deactivate"
CLOSED = "The account was closed for ever."
STILL_LISTED = "may still list an address"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("identity")


@pytest.fixture(scope="module")
def identity(directory):
    """Yield an identity server."""
    with IdentityServer(tls=self_signed(directory, "localhost")) as identity:
        yield identity


@pytest.fixture(scope="module")
def homeserver(directory, identity, session_mailbox):
    """Yield a homeserver that reaches it, and believes its certificate."""
    # Else Synapse finds nobody on loopback.
    config = {"email": session_mailbox.settings(), "federation_ip_range_blacklist": []}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(directory / "tls.pem"))
        homeserver = sqlite_homeserver(directory, config=config).start()
    yield homeserver
    homeserver.stop()


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def listed(homeserver, identity, user):
    """Return a function that lets identity servers list addresses of the account; it returns those."""

    def list_(*places):
        addresses = [f"{user.localpart}.{number}@example.com" for number in range(len(places))]
        for address, place in zip(addresses, places, strict=True):
            of = (user.user_id, "email", address)
            homeserver.query(
                "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
                " VALUES (?, ?, ?, 1, 1)",
                *of,
            )
            homeserver.query(
                "INSERT INTO user_threepid_id_server (user_id, medium, address, id_server)"
                " VALUES (?, ?, ?, ?)",
                *(*of, identity.at(place)),
            )
        return addresses

    return list_


def is_closed(homeserver, user):
    return homeserver.query("SELECT deactivated FROM users WHERE name = ?", user.user_id) == [(1,)]


def close(server, user):
    browser = Browser.of(server, user)
    browser.get(server.url("account-deactivate"))
    return browser.submit(confirm="yes", decision="deactivate").text


@pytest.mark.parametrize("does", ["200", "500", "404", "429"])
def test_c302_what_it_says_is_told_afterwards(homeserver, server, identity, user, listed, does):
    """One that forgets, one that fails, one that cannot, one that is busy: the account is closed."""
    (address,) = listed(does)
    page = close(server, user)

    assert (address, does) in identity.unbound
    assert "Your account is closed" in page
    assert (STILL_LISTED in page) is (does != "200")
    assert is_closed(homeserver, user)


@pytest.mark.slow
def test_c302_those_that_are_silent_are_waited_for_together(
    homeserver, server, identity, user, listed
):
    """Each has ten seconds, and whoever closes their account no more than that; all were told."""
    addresses = listed("silent", "silent", "silent", "200", "silent")
    page = close(server, user)

    assert STILL_LISTED in page
    assert is_closed(homeserver, user)
    told = [address for address, _ in identity.unbound if address in addresses]
    assert sorted(told) == addresses
    assert homeserver.log_text().count(f"keeps what it has of {user.user_id}: Unanswered") == 4


def test_c302_what_synapse_leaves_open_for_an_app_stays_as_it_was(
    homeserver, server, identity, mailbox, user, listed
):
    """There a failure stops it: nobody is signed out or told that it is over, and our page closes it."""
    gone, address = listed("200", "500")
    tokens = server.client().sign_in(user.localpart, user.password)
    browser = Browser.of(server, user)

    def approved():
        asked = server.api("POST", CLOSE, tokens["access_token"], json={}).json()
        browser.get(asked["params"]["m.login.sso"]["url"])
        browser.submit(decision="approve")
        auth = {"auth": {"session": asked["session"]}}
        return server.api("POST", CLOSE, tokens["access_token"], json=auth)

    failed, again = approved(), approved()
    data = browser.get(server.url("account-data"))

    assert [each.status_code for each in (failed, again)] == [400, 400]
    assert not is_closed(homeserver, user)
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert data.url.endswith("/account-data")
    assert [told for told in identity.unbound if told[0] == gone] == [(gone, "200")]
    assert homeserver.query(
        "SELECT COUNT(*) FROM user_threepids WHERE user_id = ?", user.user_id
    ) == [(2,)]
    assert "account_deactivated" not in {
        kind
        for (kind,) in homeserver.query(
            "SELECT kind FROM nextgen_events WHERE user_id = ?", user.user_id
        )
    }
    assert STILL_LISTED in close(server, user)
    assert is_closed(homeserver, user)
    assert eventually(lambda: any(CLOSED in mail.text for mail in mailbox.to(address)))
