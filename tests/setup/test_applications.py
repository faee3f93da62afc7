"""The other side of the examples: addresses that applications are given, and a script that is run."""

import configparser
import json
import os
import re
import subprocess
import sys
import threading
from http.server import ThreadingHTTPServer

import pytest
import requests
import yaml

from support.http_handlers import OneAnswer
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
    names += ("jwks_uri", "revocation_endpoint", "end_session_endpoint")

    assert set(found) == {metadata[name] for name in names} | {
        f"{metadata['issuer']}.well-known/openid-configuration"
    }


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

    def __init__(self, directory, base_url):
        self.home = directory
        self.file = directory / ".matrix_token.json"
        self.path = directory / "matrix_token.py"
        self.path.write_text(SCRIPT)
        self.change(BASE, f"{base_url}/")

    def change(self, old, new):
        """Write something else where the page has this."""
        text = self.path.read_text()
        assert old in text
        self.path.write_text(text.replace(old, new))

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
    return Script(tmp_path, script_homeserver.base_url)


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


@pytest.mark.parametrize("arguments", [(), ("no-such-command",)])
def test_the_script_says_how_it_is_called(tmp_path, arguments):
    path = tmp_path / "matrix_token.py"
    path.write_text(SCRIPT)
    command = [sys.executable, path, *arguments]
    done = subprocess.run(
        command,
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == "usage: matrix_token.py sign-in|token|sign-out"


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


class Proxy:
    """A reverse proxy before the homeserver, with answers of its own while there are some."""

    def __init__(self, homeserver):
        self.away = []
        self.asked = 0
        proxy = self

        class Handler(OneAnswer):
            def do_POST(self):
                form = self.rfile.read(int(self.headers["Content-Length"]))
                proxy.asked += 1
                answer = proxy.away[0] if proxy.away else PASS_ON
                del proxy.away[: len(proxy.away) > 1]  # the last one stays
                if answer is PASS_ON:
                    answer = proxy.pass_on(homeserver, self, form)
                elif answer is LOST:
                    proxy.pass_on(homeserver, self, form)
                    answer = BAD_GATEWAY
                status, headers, body = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def pass_on(homeserver, request, form):
        kind = {"Content-Type": request.headers["Content-Type"]}
        url = homeserver.base_url + request.path
        answer = requests.post(url, form, headers=kind, timeout=30)
        return answer.status_code, {"Content-Type": "application/json"}, answer.content

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


HTML = b"<html><body>Bad Gateway</body></html>"
BAD_GATEWAY = (502, {"Content-Type": "text/html", "Retry-After": "1"}, HTML)
PORTAL = (200, {"Content-Type": "text/html", "Retry-After": "1"}, HTML)
PASS_ON, LOST = "pass on", "pass on, and lose the answer"


@pytest.fixture
def proxy(script_homeserver):
    proxy = Proxy(script_homeserver)
    yield proxy
    proxy.stop()


@pytest.fixture
def behind_proxy(proxy, script_homeserver, tmp_path):
    """The script behind the proxy, signed in, its access token too old."""
    script = Script(tmp_path, proxy.base_url)
    script.change("PATIENCE = 60", "PATIENCE = 4")
    script.sign_in(script_homeserver, script_homeserver.new_user())
    script.age()
    return script


@pytest.fixture(scope="module")
def resting_homeserver(tmp_path_factory, make_database):
    directory = tmp_path_factory.mktemp("resting")
    module = {"clients": _clients("A script"), "enabled": False}
    with Homeserver(directory, make_database("sqlite", directory), module=module) as homeserver:
        yield homeserver


def _one_line(complaint):
    return bool(complaint) and "\n" not in complaint and "Traceback" not in complaint


@pytest.mark.parametrize("answer", [BAD_GATEWAY, PORTAL], ids=["502", "200"])
def test_a_sign_out_that_failed_keeps_the_file_and_says_so(
    script_homeserver, proxy, behind_proxy, answer
):
    """The session lives, and the refresh token that can end it is still there; then it ends."""
    server = Server(script_homeserver.base_url)
    _, token, _ = behind_proxy.run("token")
    proxy.away = [answer]
    code, printed, complaint = behind_proxy.run("sign-out")
    kept = behind_proxy.file.exists()
    lives = server.whoami(token).status_code
    proxy.away = []
    again, _, _ = behind_proxy.run("sign-out")

    assert (code, printed, kept, lives) == (1, "", True, 200)
    assert _one_line(complaint)
    assert again == 0
    assert not behind_proxy.file.exists()
    assert server.whoami(token).status_code == 401


def test_a_resting_module_costs_the_script_nothing_but_patience(resting_homeserver, tmp_path):
    """Neither command asks without end or loses the file; both say why on one line."""
    script = Script(tmp_path, resting_homeserver.base_url)
    script.change("PATIENCE = 60", "PATIENCE = 4")
    tokens = {"access_token": "a", "refresh_token": "r", "expires_at": 0}
    script.file.write_text(json.dumps(tokens))
    results = [script.run(command) for command in ("token", "sign-out", "sign-in")]

    assert [(code, printed) for code, printed, _ in results] == [(1, "")] * 3
    assert all(_one_line(complaint) for *_, complaint in results)
    assert "sign-in again" not in results[0][2]
    assert json.loads(script.file.read_text()) == tokens


def test_the_script_asks_again_while_the_server_is_away(script_homeserver, proxy, behind_proxy):
    """A bad gateway and a page of HTML are no answers: the next one is."""
    before = proxy.asked
    proxy.away = [BAD_GATEWAY, PORTAL, PASS_ON]
    code, token, complaint = behind_proxy.run("token")

    assert (code, complaint) == (0, "")
    assert proxy.asked - before == 3
    assert Server(script_homeserver.base_url).whoami(token).status_code == 200


def test_a_lost_answer_does_not_end_the_session(script_homeserver, proxy, behind_proxy):
    """Asking again shows the same refresh token twice, before anybody used the new pair."""
    proxy.away = [LOST, PASS_ON]
    code, token, complaint = behind_proxy.run("token")
    behind_proxy.age()
    _, later, _ = behind_proxy.run("token")
    server = Server(script_homeserver.base_url)

    assert (code, complaint) == (0, "")
    assert token != later
    assert server.whoami(later).status_code == 200


def test_a_waiting_sign_in_gives_up_when_the_server_is_away(proxy, tmp_path):
    """It does not hold its lock for ever."""
    script = Script(tmp_path, proxy.base_url)
    script.change("PATIENCE = 60", "PATIENCE = 4")
    process = script.begin("sign-in")
    process.stdout.readline()
    proxy.away = [BAD_GATEWAY]
    _, complaint = process.communicate(timeout=120)

    assert process.returncode == 1
    assert _one_line(complaint.strip())
    assert "is away" in complaint


@pytest.mark.parametrize("how", ["bad gateway", "refused", "come back in an hour"])
def test_the_script_gives_up_and_keeps_its_file(proxy, behind_proxy, how):
    """For the time that it has patience, it asks; then it says so on one line."""
    kept, before = behind_proxy.file.read_text(), proxy.asked
    if how == "refused":
        proxy.stop()
    else:
        hour = {"Retry-After": "3600"} if how == "come back in an hour" else {}
        proxy.away = [(BAD_GATEWAY[0], BAD_GATEWAY[1] | hour, HTML)]
    code, printed, complaint = behind_proxy.run("token")

    assert (code, printed) == (1, "")
    assert _one_line(complaint)
    assert "is away" in complaint
    assert behind_proxy.file.read_text() == kept
    if how == "come back in an hour":
        assert proxy.asked - before == 1
    elif how == "bad gateway":
        assert proxy.asked - before > 1


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('CLIENT = "backup-script"', 'CLIENT = "nobody"', "Client"),
        ("device:BACKUPSCRIPT", "device:BACKUP", "10 to 255 characters"),
    ],
    ids=["unknown client", "short device id"],
)
def test_the_script_says_why_it_cannot_sign_in(script, old, new, word):
    script.change(old, new)
    code, printed, complaint = script.run("sign-in")

    assert (code, printed) == (1, "")
    assert _one_line(complaint)
    assert word in complaint


@pytest.mark.parametrize(
    ("module", "word"),
    [
        ({"drain": True}, "sign-in"),
        ({"device_grants": {"per_second": 0.001, "burst": 1}}, "Too many"),
    ],
    ids=["drain", "429"],
)
def test_the_script_says_when_the_server_takes_no_sign_ins(
    start_homeserver, tmp_path, module, word
):
    """While it drains, and when too many began."""
    homeserver = start_homeserver(module={"clients": _clients("A script"), **module})
    script = Script(tmp_path, homeserver.base_url)
    if "device_grants" in module:
        script.change("time.sleep(wait)", "return")
        assert script.run("sign-in")[0] == 0
    code, printed, complaint = script.run("sign-in")

    assert (code, printed) == (1, "")
    assert _one_line(complaint)
    assert word in complaint


def test_the_secret_of_an_application_is_made_into_its_file():
    """The first block makes the file that the entry of Grafana names, for Synapse alone."""
    (client,) = _clients("Grafana")
    commands = re.findall(r"^\s*\$ (.*)$", PAGE.read_text(), re.MULTILINE)
    path = client["client_secret_path"]

    assert commands[:3] == [
        f"openssl rand -hex 32 > {path}",
        f"chown matrix-synapse: {path}",
        f"chmod 600 {path}",
    ]


def test_the_entry_of_the_script_is_a_client_of_the_device_grant():
    (written,) = config.read({"clients": _clients("A script")}).clients

    assert written.client.is_public
    assert written.client.redirect_uris == ()
