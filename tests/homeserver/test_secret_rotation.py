"""Changing the secret that all keys are derived from (C343)."""

import pytest
import requests

from support.oauth import Browser, Server
from support.synapse import _SECRETS, sqlite_homeserver
from support.waiting import eventually

OLD = "the first secret, long enough for anybody"
NEW = "the second secret, long enough for anybody"


@pytest.fixture
def homeserver(tmp_path):
    with sqlite_homeserver(tmp_path) as homeserver:
        yield homeserver


def test_c343_a_secret_is_changed_without_logging_anybody_out(homeserver, tmp_path):
    """From Synapse's key to one of ours, to one in a file; only forgetting one ends its tokens."""
    server, user = Server(homeserver.base_url), homeserver.new_user()
    client, browser = server.client(), Browser(server)
    scope = client.request()[0]["scope"]
    tokens = client.sign_in(user.localpart, user.password, browser=browser, scope=f"openid {scope}")
    keys = key_ids(server)
    spare = client.sign_in(user.localpart, user.password)
    file = tmp_path / "secret"
    file.write_text(NEW + "\n")
    changes = [
        {"secret": OLD, "previous_secrets": [_SECRETS.macaroon_secret_key]},
        {"secret_path": str(file), "previous_secrets": [OLD, _SECRETS.macaroon_secret_key]},
    ]

    for change in changes:
        before = sealed(homeserver)
        homeserver.module = change
        homeserver.restart()

        assert server.whoami(tokens["access_token"]).status_code == 200
        tokens = client.refresh(tokens["refresh_token"]).json()
        assert server.whoami(tokens["access_token"]).status_code == 200
        assert tokens["id_token"]
        assert key_ids(server) == keys
        page = browser.authorize(client.request()[0])
        assert 'value="approve"' in page.text, "the browser is still signed in"
        # A chore, soon after the start.
        assert eventually(lambda before=before: not before & sealed(homeserver))

    homeserver.module = {"secret": NEW}
    homeserver.restart()

    assert key_ids(server) == keys, "they were encrypted anew"
    # Whoever refreshed has a token of the present secret; all others are void.
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert client.refresh(tokens["refresh_token"]).status_code == 200
    answer = server.whoami(spare["access_token"])
    assert (answer.status_code, answer.json()["errcode"]) == (401, "M_UNKNOWN_TOKEN")
    assert client.refresh(spare["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.sign_in(user.localpart, user.password, scope="openid")["id_token"]


def sealed(homeserver):
    """Return the private keys as they are kept."""
    return {text for (text,) in homeserver.query("SELECT sealed FROM nextgen_signing_keys")}


def key_ids(server):
    return [key["kid"] for key in requests.get(server.url("keys"), timeout=30).json()["keys"]]
