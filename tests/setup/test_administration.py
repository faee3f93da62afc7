"""The commands of the page about everyday administration do what it says, in its order."""

import json
import re

import pytest

from support.machine import Machine
from support.markdown import DOCS, fences, section
from support.oauth import Browser, Server, web_client
from support.waiting import eventually

PAGE = DOCS / "setup" / "administration.md"
BLOCKS = [text for language, text in fences(PAGE) if language == "sh"]
STATEMENTS = [text for language, text in fences(PAGE) if language == "sql"]
DEVICE = "ADMINISTERED1"
OTHER_SCOPE = "openid profile"


def _block(beginning, *, with_text=""):
    (found,) = [text for text in BLOCKS if text.startswith(beginning) and with_text in text]
    return found


TRIED = {  # what a block has in it, and how often it is there
    '/devices" -H': 1,
    "-X DELETE": 1,
    "reset_password": 1,
    '"locked": true': 1,
    '"locked": false': 1,
    "deactivate": 1,
    "/logout": 1,
}


def test_every_command_of_the_page_is_tried():
    """Each block is one that a test below types, and there is no other."""
    curls = [text for text in BLOCKS if text.startswith("curl")]

    assert {part: sum(part in text for text in curls) for part in TRIED} == TRIED
    assert len(curls) == len(TRIED)


@pytest.fixture(scope="module")
def homeserver(shared_homeserver):
    return shared_homeserver("postgres")


@pytest.fixture(scope="module")
def server(homeserver):
    return Server(homeserver.base_url)


class Signed:
    """Somebody who is signed in three times: with a device, as a website, and the legacy way."""

    def __init__(self, homeserver, server):
        self.server, self.user = server, homeserver.new_user()
        self.client = server.client()
        self.browser = Browser(server)
        scope = f"urn:matrix:client:api:* urn:matrix:client:device:{DEVICE}"
        self.chat = self._sign_in(scope)
        self.website = self._sign_in(OTHER_SCOPE)
        self.legacy = homeserver.login(self.user)["access_token"]

    def _sign_in(self, scope):
        user = self.user
        return self.client.sign_in(user.localpart, user.password, browser=self.browser, scope=scope)

    def statuses(self):
        """Return how the three tokens are answered."""
        return [
            self.server.whoami(self.chat["access_token"]).status_code,
            self.server.api(
                "GET", "/_synapse/client/auth/userinfo", self.website["access_token"]
            ).status_code,
            self.server.whoami(self.legacy).status_code,
        ]


@pytest.fixture
def signed(homeserver, server):
    return Signed(homeserver, server)


@pytest.fixture
def shell(homeserver, signed, tmp_path):
    """Return a function that types a block after the first one of the page, about this person."""
    admin = homeserver.new_user(admin=True)
    places = {
        "https://matrix.example.com": homeserver.base_url,
        '"admin"': f'"{admin.localpart}"',
        "the password": admin.password,
        "@alice:example.com": signed.user.user_id,
        "DEVICEID": DEVICE,
    }
    machine = Machine(tmp_path, places)
    return lambda text: machine.run(f"{BLOCKS[0]}\n{text}")


def test_the_devices_of_somebody_are_listed(shell, signed):
    listed = json.loads(shell(_block("curl -s ", with_text='devices" -H')))
    found = {device["device_id"] for device in listed["devices"]}

    assert DEVICE in found
    assert len(found) == 2


def test_one_session_ends_with_its_device(shell, signed):
    before = signed.statuses()
    shell(_block("curl -s -X DELETE"))

    assert before == [200, 200, 200]
    assert signed.statuses() == [401, 200, 200]
    assert not signed.server.whoami(signed.chat["access_token"]).json().get("soft_logout")


def test_a_new_password_ends_everything_of_a_person(shell, signed):
    shell(_block("curl -s -X POST", with_text="reset_password"))

    assert eventually(lambda: signed.statuses() == [401, 401, 401])
    page = signed.browser.get(signed.server.url(""))
    assert signed.user.user_id not in page.text


def test_a_lock_is_taken_back_and_nothing_is_lost(shell, signed):
    shell(_block("curl -s -X PUT", with_text="true}"))
    locked = signed.server.whoami(signed.chat["access_token"])
    refreshed = signed.client.refresh(signed.chat["refresh_token"])
    shell(_block("curl -s -X PUT", with_text="false}"))
    after = signed.server.whoami(refreshed.json()["access_token"])

    assert (locked.status_code, locked.json()["errcode"]) == (401, "M_USER_LOCKED")
    assert locked.json()["soft_logout"] is True
    assert after.status_code == 200


def test_a_closed_account_is_signed_out_everywhere(shell, signed):
    shell(_block("curl -s -X POST", with_text="deactivate"))

    assert eventually(lambda: signed.statuses() == [401, 401, 401])


def test_the_token_of_the_administrator_is_given_back(shell):
    whoami = _block("curl -s ", with_text='/devices" -H').split('"')[1]
    whoami = f'curl -s "{whoami}" -H "Authorization: Bearer $ADMIN_TOKEN"'
    printed = shell(_block("curl -s -X POST", with_text="/logout") + whoami)

    assert "M_UNKNOWN_TOKEN" in printed


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda text: " ".join(text.split())[:60])
def test_the_statements_find_what_they_are_about(homeserver, signed, statement):
    """Each of them, about this person and this client, finds at least one row."""
    client_id = signed.client.id
    about = statement.replace("@alice:example.com", signed.user.user_id)
    about = re.sub(r"0123456789abcdef0123456789abcdef", client_id, about)

    found = homeserver.query(about)

    assert found
    assert statement.startswith("SELECT")


def test_what_is_there_about_an_account_is_found_and_deleted(homeserver, signed):
    """The statements of the page about retention: nothing refers to what they delete."""
    look, sessions, delete = [
        text.replace("@alice:example.com", signed.user.user_id)
        for language, text in fences(DOCS / "setup" / "retention.md")
        if language == "sql"
    ]
    before = homeserver.query(look), homeserver.query(sessions)
    for statement in filter(str.strip, delete.split(";")):
        homeserver.query(statement)
    after = homeserver.query(look), homeserver.query(sessions)

    assert [len(found) > 1 for found in before] == [True, True]
    assert after == ([], before[1]), "what lives is not deleted"
    assert signed.statuses() == [200, 200, 200]


def test_a_client_that_is_taken_out_of_the_configuration_cannot_refresh(start_homeserver):
    """Its access token works until it runs out, and then nothing does."""
    entry = web_client(client_id="grafana")
    del entry["token_endpoint_auth_method"]
    homeserver = start_homeserver(module={"clients": [entry]})
    server, user = Server(homeserver.base_url), homeserver.new_user()
    client = server.client().__class__(server, entry)
    tokens = client.sign_in(user.localpart, user.password)
    homeserver.module = {}
    homeserver.restart()
    refreshed = client.refresh(tokens["refresh_token"])

    assert server.whoami(tokens["access_token"]).status_code == 200
    assert refreshed.status_code in {400, 401}
    assert refreshed.json()["error"] == "invalid_client"
    assert section(PAGE, "Block a client")
