"""The other side of the examples: addresses that applications are given, and a script that is run."""

import configparser
import json
import os
import re
import subprocess
import sys

import pytest
import requests
import yaml

from support.markdown import DOCS, blocks, rows, section
from support.oauth import Browser, Server
from support.synapse import Homeserver
from synapse_nextgen_auth import config
from synapse_nextgen_auth.oauth.metadata import Endpoints

PAGE = DOCS / "setup" / "applications.md"
BASE = "https://matrix.example.com/"
ENDPOINTS = Endpoints.under(BASE)
SCRIPT = blocks(PAGE, "python")[0]


def _settings(text):
    """Return the settings of a block, whether they stand in sections or not."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string(text if text.startswith("[") else f"[all]\n{text}")
    return {key: value for name in parser.sections() for key, value in parser[name].items()}


def _clients(heading):
    (block,) = re.findall(r"```yaml\n(.*?)```", section(PAGE, heading), re.DOTALL)
    (module,) = yaml.safe_load(block)["modules"]
    return module["config"]["clients"]


GRAFANA, BOOKSTACK = (_settings(text) for text in blocks(PAGE, "ini"))


def test_the_table_names_our_endpoints(sqlite_homeserver):
    """What an application is given is what discovery says."""
    metadata = Server(sqlite_homeserver.base_url).metadata()
    cells = [re.findall(r"`([^`]+)`", row[1])[:1] for row in rows(PAGE.read_text())]
    typed = [cell[0] for cell in cells if cell and cell[0].startswith(BASE)]
    found = [url.replace(BASE, f"{sqlite_homeserver.base_url}/") for url in typed]
    names = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint")
    names += ("jwks_uri", "revocation_endpoint")

    assert set(found) == {metadata[name] for name in names} | {
        f"{metadata['issuer']}.well-known/openid-configuration"
    }
    assert "end_session_endpoint" not in metadata


def test_grafana_is_told_what_is_so():
    """The block for Grafana has our endpoints, and its way back is the one that is registered."""
    (client,) = _clients("Grafana")

    assert GRAFANA["client_id"] == client["client_id"]
    assert GRAFANA["auth_url"] == ENDPOINTS.url("authorize")
    assert GRAFANA["token_url"] == ENDPOINTS.url("token")
    assert GRAFANA["api_url"] == ENDPOINTS.url("userinfo")
    assert client["redirect_uris"] == [f"{GRAFANA['root_url']}login/generic_oauth"]
    assert GRAFANA["use_pkce"] == "true"


def test_bookstack_is_told_what_is_so():
    (client,) = _clients("A wiki: BookStack")

    assert BOOKSTACK["OIDC_CLIENT_ID"] == client["client_id"]
    assert BOOKSTACK["OIDC_ISSUER"] == ENDPOINTS.issuer
    assert client["redirect_uris"] == [f"{client['client_uri']}oidc/callback"]


@pytest.mark.parametrize("heading", ["Grafana", "A wiki: BookStack"])
def test_a_dashboard_and_a_wiki_sign_people_in_refresh_and_revoke(start_homeserver, heading):
    """With the entry of the page and the scopes of the table, as those applications do it."""
    (entry,) = _clients(heading)
    del entry["client_secret_path"]
    secret = "0123456789abcdef" * 4
    homeserver = start_homeserver(module={"clients": [entry | {"client_secret": secret}]})
    server, user = Server(homeserver.base_url), homeserver.new_user()
    (redirect_uri,) = entry["redirect_uris"]
    client = server.client().__class__(server, {**entry})
    parameters, verifier = client.request(scope="openid profile email", redirect_uri=redirect_uri)
    answer = Browser(server).let_in(parameters, user.localpart, user.password)
    basic = (entry["client_id"], secret)
    form = {"grant_type": "authorization_code", "code": answer["code"]}
    form |= {"redirect_uri": redirect_uri, "code_verifier": verifier}
    tokens = server.post("token", form, auth=basic).json()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = server.post("token", form, auth=basic).json()
    userinfo = {"Authorization": f"Bearer {again['access_token']}"}
    known = requests.get(server.url("userinfo"), headers=userinfo, timeout=30).json()
    revoked = server.post("revoke", {"token": again["refresh_token"]}, auth=basic)
    after = requests.get(server.url("userinfo"), headers=userinfo, timeout=30)

    assert known["preferred_username"] == known["sub"] == user.user_id
    assert revoked.status_code == 200
    assert after.status_code == 401


@pytest.fixture(scope="module")
def script_homeserver(tmp_path_factory, make_database):
    directory = tmp_path_factory.mktemp("homeserver")
    module = {"clients": _clients("A script"), "device_grants": {"interval": "1s"}}
    with Homeserver(directory, make_database("sqlite", directory), module=module) as homeserver:
        yield homeserver


class Script:
    """The script of the page, saved in a home of its own, with our address in it."""

    def __init__(self, directory, homeserver):
        self.home = directory
        self.file = directory / ".matrix_token.json"
        self.path = directory / "matrix_token.py"
        self.path.write_text(SCRIPT.replace(BASE, f"{homeserver.base_url}/"))

    def begin(self, command):
        return subprocess.Popen(
            [sys.executable, self.path, command],
            env=os.environ | {"HOME": str(self.home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, command):
        process = self.begin(command)
        printed, complaint = process.communicate(timeout=120)
        return process.returncode, printed.strip(), complaint.strip()

    def sign_in(self, homeserver, user):
        process = self.begin("sign-in")
        link = process.stdout.readline().split()[-1]
        browser = Browser(Server(homeserver.base_url))
        browser.get(link)
        browser.submit(user_code=link.rpartition("=")[2])
        browser.sign_in(user.localpart, user.password)
        browser.submit(decision="approve", confirm="yes")
        _, complaint = process.communicate(timeout=120)
        assert process.returncode == 0, complaint

    def age(self):
        """Let the access token look old."""
        tokens = json.loads(self.file.read_text())
        self.file.write_text(json.dumps({**tokens, "expires_at": 0}))


@pytest.fixture
def script(script_homeserver, tmp_path):
    return Script(tmp_path, script_homeserver)


def test_the_script_signs_in_refreshes_and_signs_out(script_homeserver, script):
    """Its three commands, from a person's browser to the revocation."""
    server, user = Server(script_homeserver.base_url), script_homeserver.new_user()
    before = script.run("token")
    script.sign_in(script_homeserver, user)
    mode = script.file.stat().st_mode & 0o777
    _, first, _ = script.run("token")
    _, same, _ = script.run("token")
    script.age()
    _, second, _ = script.run("token")
    device = server.whoami(second).json()["device_id"]
    code, _, _ = script.run("sign-out")

    assert before[0] == 1
    assert "sign-in" in before[2]
    assert mode == 0o600
    assert (first == same, first == second) == (True, False)
    assert device == "BACKUPSCRIPT"
    assert code == 0
    assert server.whoami(second).status_code == 401
    assert not script.file.exists()


def test_two_runs_of_the_script_share_one_refresh_token(script_homeserver, script):
    """At once, when the token has run out: both get one that works, and the session goes on."""
    server, user = Server(script_homeserver.base_url), script_homeserver.new_user()
    script.sign_in(script_homeserver, user)
    script.age()
    both = [script.begin("token") for _ in "12"]
    printed = [process.communicate(timeout=120)[0].strip() for process in both]
    script.age()
    _, later, _ = script.run("token")

    assert [server.whoami(token).status_code for token in (*printed, later)] == [200] * 3


def test_the_script_says_when_its_session_is_over(script_homeserver, script):
    """Revoked from elsewhere, it does not ask for ever."""
    server, user = Server(script_homeserver.base_url), script_homeserver.new_user()
    script.sign_in(script_homeserver, user)
    _, token, _ = script.run("token")
    server.revoke(token=token)
    script.age()
    code, printed, complaint = script.run("token")

    assert (code, printed) == (1, "")
    assert "sign-in again" in complaint


def test_the_entry_of_the_script_is_a_client_of_the_device_grant():
    (written,) = config.read({"clients": _clients("A script")}).clients

    assert written.client.is_public
    assert written.client.redirect_uris == ()
