"""`enabled: false` for a while: a stock Synapse on which nobody loses a key; on again, all go on.

One homeserver with a worker goes through all of it; each test looks at what was seen on the way, on
either process.
"""

import time

import attrs
import pytest
import requests

from homeserver.test_removal import CONFIG, face, keys_of, ours_in
from support.keys import device_keys
from support.oauth import Browser, Client, Server
from support.synapse import Homeserver
from support.television import Television, let_in
from support.waiting import eventually
from synapse_nextgen_auth.accounts.works import DAY, NoteChange, read, write
from synapse_nextgen_auth.web.kinds import Endpoint, ForPeople
from synapse_nextgen_auth.web.routes import ROUTES, WELL_KNOWN

V3 = "/_matrix/client/v3"
VALIDITY = "/_matrix/client/v1/register/m.login.registration_token/validity"
ORIGIN = {"Origin": "https://app.example.com"}
ISSUER = "/_synapse/client/auth"
DISCOVERY = (
    "/_matrix/client/v1/auth_metadata",
    "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata",
    "/_matrix/client/unstable/org.matrix.msc2965/auth_issuer",
    *(f"{path}{ISSUER}" for path in WELL_KNOWN),
    *(f"{ISSUER}{path}" for path in WELL_KNOWN),
)
ENDPOINTS = [
    (method, path)
    for path, route in ROUTES.items()
    for method in route.methods
    if isinstance(route, Endpoint) and route.rests
]
PAGES = [
    (method, path)
    for path, route in ROUTES.items()
    for method in route.methods
    # And what no client asks.
    if isinstance(route, ForPeople)
    or (isinstance(route, Endpoint) and not route.rests and path not in WELL_KNOWN)
]


@attrs.define(slots=False)
class Story:
    """What happened to one homeserver: stock, on, off, on again."""

    homeserver: Homeserver
    seen: dict = attrs.field(factory=dict)

    def servers(self):
        """Return the endpoints of both processes by name."""
        worker = self.homeserver.workers["worker1"]
        return {"main": Server(self.homeserver.base_url), "worker": Server(worker.base_url)}

    def switch(self, module):
        self.homeserver.module = module
        self.homeserver.restart()

    def begin(self):
        self.alice, self.bob = self.homeserver.new_user(), self.homeserver.new_user()
        self.server = Server(self.homeserver.base_url)
        self.stock = self.homeserver.login(self.alice)["access_token"]
        self.seen["stock"] = face(self.server, self.stock)
        self.seen["stock document"] = requests.get(
            f"{self.server.base_url}/.well-known/matrix/client", timeout=30
        ).text
        self.switch({})
        self.client, self.browser = self.server.client(), Browser(self.server)
        alice, bob = self.alice, self.bob
        self.ours = self.client.sign_in(alice.localpart, alice.password, browser=self.browser)
        self.left = self.client.sign_in(bob.localpart, bob.password)
        token = self.ours["access_token"]
        self.device = self.server.whoami(token).json()["device_id"]
        keys = device_keys(alice.user_id, self.device)
        assert self.server.api("POST", f"{V3}/keys/upload", token, json=keys).ok
        parameters, self.verifier = self.client.request()
        self.code = Browser(self.server).let_in(parameters, alice.localpart, alice.password)["code"]
        for token, pinned in (("fourfrieda", "frieda"), ("foranybody", None)):
            self.homeserver.query(
                "INSERT INTO registration_tokens (token, pending, completed) VALUES (?, 0, 0)",
                token,
            )
            self.homeserver.query(
                "INSERT INTO nextgen_invitations (token, made_at, username, rooms)"
                " VALUES (?, 1, ?, '[]')",
                *(token, pinned),
            )

    def note(self):
        """Leave a note as a process does that dies while Synapse changes a password."""
        now = int(time.time())
        work = NoteChange("@nobody:else", "password", 1, "", "192.0.2.7", 0, "", "", "digest")
        self.homeserver.query(
            "INSERT INTO nextgen_outbox (entry_id, kind, subject, position, payload, written_at,"
            " due_at, tries) VALUES ('a note', ?, ?, 1, ?, ?, ?, 0)",
            *(work.kind, work.subject, write(work), now - 2 * DAY, now + 600),
        )

    def noted(self):
        sql = "SELECT payload FROM nextgen_outbox WHERE entry_id = 'a note'"
        ((payload,),) = self.homeserver.query(sql)
        return read(NoteChange, payload)

    def rest(self):
        self.note()
        self.switch({"enabled": False})
        self.seen["note"] = eventually(
            lambda: (self.noted().network == "" and self.noted()) or None
        )
        before = ours_in(self.homeserver)
        for name, server in self.servers().items():
            self.look_around(name, server)
        self.seen["inert"] = ours_in(self.homeserver) == before
        bobs = self.homeserver.query(
            "SELECT device_id FROM nextgen_sessions WHERE user_id = ?", self.bob.user_id
        )[0][0]
        again = self.homeserver.login(self.bob, device_id=bobs)["access_token"]
        self.server.api("POST", f"{V3}/logout", again, json={})
        self.seen["off"] = face(self.server, self.stock)
        self.seen["keys"] = keys_of(self.server, self.alice, self.stock)
        self.seen["document"] = requests.get(
            f"{self.server.base_url}/.well-known/matrix/client", timeout=30
        ).text

    def look_around(self, name, server):
        client = Client(server, self.client.registered)
        base = server.base_url.rstrip("/")
        forged = "nga_" + "A" * 60
        self.seen[name] = {
            "whoami": server.whoami(self.ours["access_token"]),
            "refresh token": server.whoami(self.ours["refresh_token"]),
            "forged": server.whoami(forged),
            "unknown": server.whoami("syt_nobody"),
            "stock token": server.whoami(self.stock),
            "refresh": client.refresh(self.ours["refresh_token"]),
            "revoke": server.revoke(token=self.left["refresh_token"]),
            "code": client.redeem(self.code, self.verifier),
            "invitations": [
                requests.get(f"{base}{VALIDITY}", params={"token": token}, timeout=30).json()
                for token in ("foranybody", "fourfrieda")
            ],
            "preflight": requests.options(server.url("token"), headers=ORIGIN, timeout=30),
            "discovery": [requests.get(base + path, timeout=30) for path in DISCOVERY],
            "endpoints": [
                requests.request(method, base + ISSUER + path, timeout=30, allow_redirects=False)
                for method, path in ENDPOINTS
            ],
            "pages": [
                requests.request(method, base + ISSUER + path, timeout=30, allow_redirects=False)
                for method, path in PAGES
            ],
            "flags": requests.get(f"{base}/_matrix/client/versions", timeout=30).json()[
                "unstable_features"
            ],
        }

    def go_on(self):
        self.switch({})
        parameters, _ = self.client.request()
        self.seen |= {
            "access back": self.server.whoami(self.ours["access_token"]),
            "refresh back": self.client.refresh(self.ours["refresh_token"]),
            "browser back": self.browser.authorize(parameters),
            "left back": self.server.whoami(self.left["access_token"]),
            "device": self.device,
            "alice": self.alice,
            "log": self.homeserver.log_text(),
        }


@pytest.fixture(scope="module")
def seen(tmp_path_factory, make_database, redis_server):
    """Return what was seen on the way, by name."""
    directory = tmp_path_factory.mktemp("switched-off")
    database = make_database("postgres", directory)
    with Homeserver(directory, database, module=None, config=CONFIG, redis=redis_server) as hs:
        hs.add_worker()
        story = Story(hs)
        story.begin()
        story.rest()
        story.go_on()
        yield story.seen


BOTH = pytest.mark.parametrize("process", ["main", "worker"])


def test_what_waits_for_the_module_names_no_network_address_after_a_day(seen):
    """Nobody does it, or gives it up, before the module is on again."""
    assert seen["note"].user_id == "@nobody:else"


@BOTH
def test_what_is_for_one_name_does_not_become_anybodys(seen, process):
    """Synapse's own `/register` is open meanwhile, and nothing there looks at what a token pins."""
    assert seen[process]["invitations"] == [{"valid": True}, {"valid": False}]


@BOTH
@pytest.mark.parametrize("token", ["whoami", "refresh token", "forged"])
def test_whatever_looks_like_our_token_hears_a_soft_logout(seen, process, token):
    """The client keeps its keys; nothing is looked up, so it is the same for all of them."""
    answer = seen[process][token]

    assert answer.status_code == 401
    assert answer.json()["errcode"] == "M_UNKNOWN_TOKEN"
    assert answer.json()["soft_logout"] is True


@BOTH
def test_synapses_own_tokens_are_what_they_were(seen, process):
    assert seen[process]["stock token"].json()["user_id"] == seen["alice"].user_id
    assert seen[process]["unknown"].status_code == 401
    assert seen[process]["unknown"].json()["soft_logout"] is False


@BOTH
@pytest.mark.parametrize("what", ["refresh", "revoke", "code"])
def test_the_endpoints_say_when_to_come_back(seen, process, what):
    """A 4xx would be a logout; the answer is as the token endpoint makes it, for scripts too."""
    answer = seen[process][what]

    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"
    assert answer.headers["Retry-After"] == "60"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"


@BOTH
def test_every_endpoint_rests_and_no_page_is_there(seen, process):
    """A client that remembers the issuer must not take it for gone; a person finds nothing."""
    assert {answer.status_code for answer in seen[process]["endpoints"]} == {503}
    assert {answer.status_code for answer in seen[process]["pages"]} == {404}
    assert seen[process]["preflight"].status_code == 204
    assert len(seen[process]["endpoints"]) + len(seen[process]["pages"]) > 18


@BOTH
def test_discovery_is_stock(seen, process):
    """So that clients offer what Synapse itself offers."""
    assert {answer.status_code for answer in seen[process]["discovery"]} == {404}
    assert {a.json()["errcode"] for a in seen[process]["discovery"][:3]} == {"M_UNRECOGNIZED"}
    assert not seen[process]["flags"].get("org.matrix.msc4108")
    assert seen["document"] == seen["stock document"]


def test_sign_in_registration_and_authentication_are_stock(seen):
    """Passwords at `/login`, the same stages at what asks for them."""
    assert seen["off"] == seen["stock"]


def test_keys_stay_and_no_request_with_our_tokens_touches_our_tables(seen):
    assert seen["device"] in seen["keys"]["device_keys"][seen["alice"].user_id]
    assert seen["inert"]
    assert "Traceback" not in seen["log"]


def test_on_again_everybody_goes_on(seen):
    """With the same access token, the same refresh token, the same browser."""
    assert seen["access back"].json()["device_id"] == seen["device"]
    assert seen["refresh back"].status_code == 200
    assert 'value="approve"' in seen["browser back"].text


def test_who_logged_out_meanwhile_stays_logged_out(seen):
    """With a token of Synapse's on the same device."""
    assert eventually(lambda: seen["left back"].status_code == 401)


def change_password(server, user, token):
    """Change it at Synapse's own endpoint, and log all devices out."""
    identifier = {"type": "m.id.user", "user": user.localpart}
    auth = {"type": "m.login.password", "identifier": identifier, "password": user.password}
    body = {"new_password": "another-horse-9", "logout_devices": True}
    asked = server.api("POST", f"{V3}/account/password", token, json=body)
    body["auth"] = {**auth, "session": asked.json()["session"]}
    answer = server.api("POST", f"{V3}/account/password", token, json=body)
    assert answer.status_code == 200, answer.text


def test_a_password_changed_meanwhile_throws_everybody_out(start_homeserver):
    """Whoever changes it because of a thief is rid of browsers, codes and sessions alike."""
    homeserver = start_homeserver()
    server, user = Server(homeserver.base_url), homeserver.new_user()
    client, browser = server.client(), Browser(server)
    device = client.sign_in(user.localpart, user.password, browser=browser)
    website = client.sign_in(user.localpart, user.password, browser=browser, scope="openid")
    parameters, verifier = client.request()
    browser.authorize(parameters)
    code = browser.answer(browser.submit(decision="approve"))["code"]
    television = Television.begin(server)
    let_in(Browser(server), television, user)
    own = homeserver.login(user)["access_token"]
    homeserver.module = {"enabled": False}
    homeserver.restart()

    change_password(server, user, own)
    homeserver.module = {}
    homeserver.restart()

    assert 'name="password"' in browser.authorize(client.request()[0]).text
    assert client.redeem(code, verifier).json()["error"] == "invalid_grant"
    assert television.poll().json()["error"] in {"access_denied", "invalid_grant"}
    assert client.refresh(website["refresh_token"]).status_code == 400
    assert client.refresh(device["refresh_token"]).status_code == 400
    assert server.whoami(device["access_token"]).status_code == 401


def test_a_logout_and_a_sign_in_meanwhile_end_the_session_of_the_device_at_once(start_homeserver):
    """A later device of the same id is not its device (C333)."""
    homeserver = start_homeserver()
    server, user = Server(homeserver.base_url), homeserver.new_user()
    client = server.client()
    tokens = client.sign_in(user.localpart, user.password)
    device_id = server.whoami(tokens["access_token"]).json()["device_id"]
    homeserver.module = {"enabled": False}
    homeserver.restart()

    taken = homeserver.login(user, device_id=device_id)["access_token"]
    ended = homeserver.query("SELECT end_reason FROM nextgen_sessions")
    homeserver.module = {}
    homeserver.restart()

    assert ended == [("replaced",)]
    assert server.whoami(tokens["access_token"]).status_code == 401
    assert server.whoami(taken).json()["device_id"] == device_id


@pytest.mark.parametrize(
    "mistake",
    [
        {"secret_path": "/nowhere/at/all"},
        {"clients": [{"client_id": "broken"}]},
        {"of_a_newer_release": True},
        {"sessions": {"max_devices": "many"}},
    ],
)
def test_a_mistake_keeps_nothing_from_resting(start_homeserver, mistake):
    """It may be why the operator switches it off; the alternative costs people their keys."""
    homeserver = start_homeserver(module={"enabled": False, **mistake})

    answer = Server(homeserver.base_url).whoami("nga_anything")

    assert answer.json()["soft_logout"] is True
    assert "synapse_nextgen_auth is off, and has a mistake: " in homeserver.log_text()


def test_it_starts_without_what_only_the_module_needs(start_homeserver):
    """An operator who switches it off need not set right first what made them do so."""
    homeserver = start_homeserver(
        module={"enabled": False}, config={"public_baseurl": "http://matrix.example.com/"}
    )

    answer = Server(homeserver.base_url).whoami("nga_anything")

    assert answer.json()["soft_logout"] is True
    assert homeserver.query("SELECT name FROM sqlite_master WHERE name LIKE 'nextgen%'") == []
