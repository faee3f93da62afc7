"""The module line comes, goes and comes back: Synapse, its accounts and its tokens stay what they were.

One homeserver goes through all of it; each test looks at what was seen on the way (C375).
"""

import attrs
import pytest
import requests

from support.dumps import dump
from support.keys import device_keys, master_key
from support.oauth import Browser, Client, Server
from support.synapse import Homeserver, User

V3 = "/_matrix/client/v3"
CONFIG = {"refreshable_access_token_lifetime": "5m", "enable_registration": True}
CONFIG |= {"enable_registration_without_verification": True}


@attrs.define
class Story:
    """What happened to one homeserver: stock, with the module, without it, with it again."""

    homeserver: Homeserver
    alice: User
    bob: User
    stock: dict  # what the old account had before the module came
    client: Client
    browser: Browser
    ours: dict
    left: dict  # a session whose device was deleted while the module was away
    seen: dict = attrs.field(factory=dict)

    @classmethod
    def begin(cls, homeserver):
        """Start a stock Synapse with an account that is in use; then add the module."""
        alice, bob = homeserver.new_user(), homeserver.new_user()
        server = Server(homeserver.base_url)
        stock = homeserver.login(alice, refresh_token=True)
        token = stock["access_token"]
        keys = device_keys(alice.user_id, stock["device_id"])
        assert server.api("POST", f"{V3}/keys/upload", token, json=keys).ok
        identity = master_key(alice.user_id)
        assert server.api("POST", f"{V3}/keys/device_signing/upload", token, json=identity).ok
        faces = {"stock": face(server, token), "users": users(homeserver)}
        homeserver.module = {}
        homeserver.restart()
        client, browser = server.client(), Browser(server)
        return cls(
            homeserver,
            alice,
            bob,
            stock,
            client,
            browser,
            ours=client.sign_in(alice.localpart, alice.password, browser=browser),
            left=client.sign_in(bob.localpart, bob.password),
            seen=faces,
        )

    @property
    def server(self):
        return self.client.server

    def use_the_module(self):
        device = self.server.whoami(self.ours["access_token"]).json()["device_id"]
        keys = device_keys(self.alice.user_id, device)
        token = self.ours["access_token"]
        uploaded = self.server.api("POST", f"{V3}/keys/upload", token, json=keys)
        self.seen |= {
            "with module": face(self.server, self.stock["access_token"]),
            "users with module": users(self.homeserver),
            "our device": device,
            "uploaded": uploaded.status_code,
            "old token with module": self.server.whoami(self.stock["access_token"]).json(),
            "old token refreshed": refreshed(self.server, self.stock["refresh_token"]),
        }
        self.ours = self.client.refresh(self.ours["refresh_token"]).json()

    def remove_it(self):
        self.homeserver.stop()
        before = ours_in(self.homeserver)
        since = len(self.homeserver.log_text())
        self.homeserver.module = None
        self.homeserver.start()
        new = self.seen["old token refreshed"]["access_token"]
        by_password = self.homeserver.login(self.alice)["access_token"]
        tokens = [self.ours["access_token"], self.ours["refresh_token"]]
        self.seen |= {
            "without": face(self.server, new),
            "users without": users(self.homeserver),
            "old token without": self.server.whoami(new).json(),
            "password without": self.server.whoami(by_password).json(),
            "our tokens": [self.server.whoami(token) for token in tokens],
            "our refresh": refreshed(self.server, self.ours["refresh_token"]),
            "our pages": [
                requests.get(self.server.url(path), timeout=30).status_code
                for path in ("", "authorize", "token", "sign-in")
            ],
            "devices": self.server.api("GET", f"{V3}/devices", new).json()["devices"],
            "keys": keys_of(self.server, self.alice, new),
        }
        self.sign_bob_out()
        self.seen["inert"] = ours_in(self.homeserver) == before
        self.seen["log without"] = self.homeserver.log_text()[since:]

    def sign_bob_out(self):
        """Delete the device of Bob's session the legacy way."""
        device = self.homeserver.query(
            "SELECT device_id FROM nextgen_sessions WHERE user_id = ?", self.bob.user_id
        )[0][0]
        token = self.homeserver.login(self.bob)["access_token"]
        path = f"{V3}/devices/{device}"
        session = self.server.api("DELETE", path, token, json={}).json()["session"]
        stage = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": self.bob.localpart},
            "password": self.bob.password,
            "session": session,
        }
        assert self.server.api("DELETE", path, token, json={"auth": stage}).ok

    def put_it_back(self):
        versions = "SELECT version, checksum, applied_at FROM nextgen_schema"
        before = self.homeserver.query(versions)
        self.homeserver.module = {}
        self.homeserver.restart()
        parameters, _ = self.client.request()
        self.seen |= {
            "same schema": self.homeserver.query(versions) == before,
            "access back": self.server.whoami(self.ours["access_token"]),
            "refresh back": self.client.refresh(self.ours["refresh_token"]),
            "browser back": self.browser.authorize(parameters),
            "left access": self.server.whoami(self.left["access_token"]),
            "left refresh": self.client.refresh(self.left["refresh_token"]),
            "new": self.client.sign_in(self.bob.localpart, self.bob.password),
        }


def face(server, token):
    """Return what legacy clients are told before and after they sign in."""
    ask = server.api
    return {
        "login": ask("GET", f"{V3}/login", token).json(),
        "register": {
            name: value
            for name, value in requests.post(f"{server.base_url}{V3}/register", json={}, timeout=30)
            .json()
            .items()
            if name != "session"
        },
        "capabilities": ask("GET", f"{V3}/capabilities", token).json(),
        "uia": ask("POST", f"{V3}/account/deactivate", token, json={}).json()["flows"],
    }


def users(homeserver):
    """Return what Synapse keeps of accounts."""
    rows = "SELECT name, password_hash, admin, deactivated, locked FROM users ORDER BY name"
    return homeserver.query(rows)


def ours_in(homeserver):
    """Return all that our tables hold."""
    return {name: text for name, text in dump(homeserver).items() if name.startswith("nextgen")}


def refreshed(server, token):
    url = f"{server.base_url}{V3}/refresh"
    return requests.post(url, json={"refresh_token": token}, timeout=30).json()


def keys_of(server, user, token):
    body = {"device_keys": {user.user_id: []}}
    return server.api("POST", f"{V3}/keys/query", token, json=body).json()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def seen(request, tmp_path_factory, make_database):
    """Return what was seen on the way, by name."""
    directory = tmp_path_factory.mktemp(f"removal-{request.param}")
    database = make_database(request.param, directory)
    with Homeserver(directory, database, module=None, config=CONFIG) as homeserver:
        story = Story.begin(homeserver)
        story.use_the_module()
        story.remove_it()
        story.put_it_back()
        yield story.seen | {"alice": story.alice, "story": story}


def test_the_legacy_face_of_the_server_stays_the_same(seen):
    """What legacy clients ask first is answered alike before, with and after the module.

    With it there is one way in more, single sign-on, and the token that it ends in.
    """
    ours = {"m.login.sso", "m.login.token"}
    flows = seen["with module"]["login"]["flows"]
    others = [flow for flow in flows if flow["type"] not in ours]
    stock = seen["stock"] | {"login": seen["without"]["login"]}

    assert {flow["type"] for flow in flows} >= ours
    assert seen["with module"] | {"login": {"flows": others}} == stock
    assert seen["without"] == seen["stock"]


def test_accounts_and_passwords_are_not_touched(seen):
    """Names, password hashes and flags are byte for byte the same."""
    assert seen["users with module"] == seen["users"]
    assert seen["users without"] == seen["users"]
    assert all(password_hash for _, password_hash, *_ in seen["users"])


def test_tokens_from_before_work_with_the_module(seen):
    """A stock token, and its refresh, made before the module was added."""
    device = seen["old token with module"]["device_id"]

    assert seen["old token with module"]["user_id"] == seen["alice"].user_id
    assert seen["old token refreshed"]["access_token"].startswith("syt_")
    assert seen["old token without"]["device_id"] == device


def test_c375_old_sign_ins_work_without_it(seen):
    assert seen["old token without"]["user_id"] == seen["alice"].user_id
    assert seen["password without"]["user_id"] == seen["alice"].user_id


def test_c375_our_tokens_open_nothing_without_it(seen):
    """They do not become full tokens of Synapse; nor can it refresh them."""
    for answer in seen["our tokens"]:
        assert (answer.status_code, answer.json()["errcode"]) == (401, "M_UNKNOWN_TOKEN")
    assert "access_token" not in seen["our refresh"]
    assert seen["our pages"] == [404] * 4


def test_c375_devices_and_keys_stay_without_it(seen):
    """The device of our session is one of Synapse's, with its keys."""
    assert seen["uploaded"] == 200
    assert seen["our device"] in [device["device_id"] for device in seen["devices"]]
    assert seen["our device"] in seen["keys"]["device_keys"][seen["alice"].user_id]
    assert seen["alice"].user_id in seen["keys"]["master_keys"]


def test_c375_our_tables_are_inert_without_it(seen):
    """Nobody reads or writes them, and the log does not mention them."""
    assert seen["inert"]
    assert "nextgen" not in seen["log without"]
    assert "Traceback" not in seen["log without"]


def test_c375_put_back_everything_goes_on(seen):
    """Sessions and browsers are where they were; no table is made anew."""
    assert seen["same schema"]
    assert seen["access back"].json()["device_id"] == seen["our device"]
    assert seen["refresh back"].status_code == 200
    assert 'value="approve"' in seen["browser back"].text
    assert seen["new"]["access_token"]


def test_c375_who_logged_out_meanwhile_stays_logged_out(seen):
    """A device that was deleted while the module was away has no session any more."""
    assert seen["left access"].status_code == 401
    assert seen["left refresh"].json()["error"] == "invalid_grant"
