"""What the page for deciding says of the minute in which the line is put in, on a server."""

import pytest
import requests

from support.oauth import Browser, Server
from support.synapse import Homeserver

V3 = "/_matrix/client/v3"


@pytest.fixture(scope="module")
def seen(tmp_path_factory, make_database):
    """Look at one homeserver before and after the line: what it answers, and who stays signed in."""
    directory = tmp_path_factory.mktemp("homeserver")
    config = {"enable_registration": True, "enable_registration_without_verification": True}
    homeserver = Homeserver(
        directory, make_database("sqlite", directory), module=None, config=config
    )
    with homeserver:
        user = homeserver.new_user()
        token = homeserver.login(user)["access_token"]
        before = answers(homeserver)
        homeserver.module = {}
        homeserver.restart()
        yield {
            "before": before,
            "after": answers(homeserver),
            "homeserver": homeserver,
            "user": user,
            "token": token,
        }


def answers(homeserver):
    base = homeserver.base_url
    register = requests.post(f"{base}{V3}/register", json={}, timeout=30)
    return {
        "login": requests.get(f"{base}{V3}/login", timeout=30).json(),
        "register": (register.status_code, register.json().get("flows")),
        "metadata": requests.get(f"{base}/_matrix/client/v1/auth_metadata", timeout=30).status_code,
    }


def test_login_and_register_answer_as_before(seen):
    """With one way in more, and the token that it ends in."""
    answer = seen["after"]["login"]
    ours = {"m.login.sso", "m.login.token"}
    others = [flow for flow in answer["flows"] if flow["type"] not in ours]

    assert seen["before"]["login"] == {"flows": others}
    assert seen["before"]["register"] == seen["after"]["register"]
    assert seen["before"]["register"][1]


def test_clients_that_know_the_new_way_find_it(seen):
    assert (seen["before"]["metadata"], seen["after"]["metadata"]) == (404, 200)


def test_who_is_signed_in_stays_signed_in_and_a_password_still_works(seen):
    server = Server(seen["homeserver"].base_url)

    assert server.whoami(seen["token"]).json()["user_id"] == seen["user"].user_id
    assert seen["homeserver"].login(seen["user"])["access_token"]


def test_accounts_are_made_on_the_pages_too(seen):
    """Clients offer to make one where the metadata says `create`."""
    metadata = Server(seen["homeserver"].base_url).metadata()

    assert "create" in metadata["prompt_values_supported"]


def test_a_new_session_signs_out_and_changes_the_password_after_a_page(seen):
    server, user = Server(seen["homeserver"].base_url), seen["user"]
    browser = Browser(server)
    client = server.client()
    token = client.sign_in(user.localpart, user.password, browser=browser)["access_token"]
    change = server.api("POST", f"{V3}/account/password", token, json={"new_password": "another"})
    page = browser.get(server.url("account"))
    out = server.api("POST", f"{V3}/logout", token, json={})

    assert (change.status_code, change.json()["flows"]) == (401, [{"stages": ["m.login.sso"]}])
    assert page.status_code == 200
    assert out.status_code == 200
