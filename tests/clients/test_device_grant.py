"""The device grant with libraries of others: oauthlib, Authlib and openid-client (RFC 8628)."""

import re
from urllib.parse import urlsplit

import pytest
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from oauthlib.oauth2 import DeviceClient, OAuth2Error
from requests_oauthlib import OAuth2Session as OauthlibSession

from support.oauth import API, DEVICE, Browser, device_id, web_client
from support.television import DEVICE_CODE, METADATA


@pytest.fixture
def homeserver(sqlite_homeserver):
    """Return the one homeserver that is enough here: the database does not matter to a library."""
    return sqlite_homeserver


@pytest.fixture
def metadata(server):
    """Return what clients discover."""
    return server.metadata()


@pytest.fixture
def client(server):
    """Return a registered client with the device grant."""
    return server.client(web_client(**METADATA))


@pytest.fixture
def scope():
    return f"{API} {DEVICE}{device_id()}"


@pytest.fixture
def decide(server, user):
    """Return what the person does with the link of a device: sign in, look, approve or cancel."""

    def decide_(url, decision="approve"):
        browser = Browser(server)
        page = browser.get(url)
        filled_in = re.search(r'name="user_code".* value="([^"]+)"', page.text)[1]
        browser.submit(user_code=filled_in)
        browser.sign_in(user.localpart, user.password)
        return browser.submit(decision=decision, confirm="yes")

    return decide_


@pytest.fixture
def oauthlib(client, metadata, scope, monkeypatch):
    """Return a device on oauthlib: its codes, and what asks for the tokens."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # it believes in https alone
    device = DeviceClient(client.id, scope=scope.split(" "))
    session = OauthlibSession(client=device)
    # The library puts into a query what belongs into the form (RFC 8628 section 3.1).
    form = urlsplit(device.prepare_request_uri(metadata["device_authorization_endpoint"])).query
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    codes = requests.post(
        metadata["device_authorization_endpoint"], data=form, headers=headers, timeout=60
    ).json()

    def fetch(device_code=None):
        return session.fetch_token(
            metadata["token_endpoint"],
            device_code=device_code or codes["device_code"],
            include_client_id=True,
        )

    return codes, fetch


@pytest.fixture
def authlib(client, metadata, scope):
    """Return a device on Authlib, likewise."""
    session = OAuth2Session(client.id, scope=scope, token_endpoint_auth_method="none")
    form = {"client_id": client.id, "scope": scope}
    codes = session.post(
        metadata["device_authorization_endpoint"], data=form, withhold_token=True
    ).json()

    def fetch(device_code=None):
        return session.fetch_token(
            metadata["token_endpoint"],
            grant_type=DEVICE_CODE,
            device_code=device_code or codes["device_code"],
        )

    return codes, fetch


@pytest.fixture(params=["oauthlib", "authlib"])
def device(request):
    return request.getfixturevalue(request.param)


def refusal(fetch, *code):
    """Return the error that a library raises for what a poll was answered."""
    with pytest.raises((OAuthError, OAuth2Error)) as refused:
        fetch(*code)
    return refused.value.error


def test_a_device_signs_in(device, decide, server, user, scope):
    """Pending, approved on the page, and the token opens the API of this account and device."""
    codes, fetch = device

    pending = refusal(fetch)
    decide(codes["verification_uri_complete"])
    token = fetch()
    who = server.whoami(token["access_token"]).json()

    assert pending == "authorization_pending"
    assert who["user_id"] == user.user_id
    assert who["device_id"] == scope.rpartition(":")[2]
    assert token["refresh_token"]


def test_c142_a_person_says_no(device, decide):
    """The library hears `access_denied`, and again if it asks again."""
    codes, fetch = device

    decide(codes["verification_uri_complete"], "cancel")

    assert refusal(fetch) == "access_denied"
    assert refusal(fetch) == "access_denied"


def test_c141_an_impatient_device(device):
    """Asking at once again is answered with `slow_down`."""
    _, fetch = device

    assert [refusal(fetch), refusal(fetch)] == ["authorization_pending", "slow_down"]


def test_c142_a_wrong_device_code(device):
    """A code that nobody handed out is `invalid_grant`."""
    _, fetch = device

    assert refusal(fetch, "no-code-of-ours") == "invalid_grant"


def test_openid_client(node, server, decide, user):
    """It keeps the interval, checks the ID token, asks who it is, and refreshes."""
    told = node.run(
        "openid_client_device.js",
        lambda url: decide(url).url,
        issuer=server.issuer,
        scope="openid profile",
        method="client_secret_basic",
    )

    assert told["scope"] == "openid profile"
    assert told["claims"]["sub"] == told["userinfo"]["sub"] == user.user_id
    assert told["seconds"] >= 5
    assert told["rotated"]


def test_openid_client_is_refused(node, server, decide):
    """What the person decides reaches the application that waits."""
    told = node.run(
        "openid_client_device.js",
        lambda url: decide(url, "cancel").url,
        issuer=server.issuer,
        scope="openid",
        method="none",
    )

    assert told == {"error": "access_denied", "status": 400}
