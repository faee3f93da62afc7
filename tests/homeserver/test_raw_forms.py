"""Twisted reads no form that is posted to us, and all others as ever."""

from pathlib import Path

import pytest
import requests

from support import form_watcher
from support.oauth import Server
from support.synapse import sqlite_homeserver

pytestmark = pytest.mark.newest_only  # the oldest release reads them twice, as ever

SUPPORT = Path(form_watcher.__file__).parent


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Yield a homeserver whose log says what Twisted reads."""
    directory = tmp_path_factory.mktemp("watched")
    (directory / SUPPORT.name).symlink_to(SUPPORT)
    homeserver = sqlite_homeserver(directory)
    homeserver.config = {"modules": [{"module": "support.form_watcher.Module"}]}
    with homeserver:
        yield homeserver


def test_forms_of_ours_are_read_once(watched):
    """By us; a query is no form."""
    server = Server(watched.base_url)
    client, user = server.client(), watched.new_user()
    tokens = client.sign_in(user.localpart, user.password)

    renewed = client.refresh(tokens["refresh_token"])

    assert renewed.status_code == 200
    assert "response_type=code" in watched.log_text()  # the query of an authorization
    assert "grant_type" not in watched.log_text()
    assert user.password not in watched.log_text()


def test_forms_for_synapse_are_read_as_ever(watched):
    """Its fallback pages rely on it; and a path that begins like ours is none."""
    for path in ("/_synapse/client/pick_username/account_details", "/_synapse/client/authority"):
        requests.post(watched.base_url + path, data={"of": path}, timeout=30)

    assert watched.log_text().count("Twisted reads b'of=") == 2


def test_a_form_may_come_in_pieces(watched):
    """Chunked, it says no length."""
    pieces = iter([b"grant_type=refresh_token&", b"client_id=nobody"])
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = requests.post(
        watched.base_url + "/_synapse/client/auth/token", data=pieces, headers=headers, timeout=30
    )

    assert answer.json()["error"] == "invalid_client"
