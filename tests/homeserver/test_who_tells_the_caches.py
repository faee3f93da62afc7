"""What a process remembers of a session hears of every change, on the main process and on a worker.

Each change is made by whoever makes it in life: the admin API, the person, the client. Both processes
know the session before, so well that they check it in one look-up.
"""

import json
from urllib.parse import quote

import attrs
import pytest
import requests

from support.crowd import settle
from support.oauth import Server
from support.requesters import EXPIRED, PATH
from support.synapse import User
from support.tokens import made_from
from support.waiting import eventually

pytestmark = pytest.mark.every_release

V3 = "/_matrix/client/v3"
ADMIN = "/_synapse/admin"
UNKNOWN, LOCKED = (401, "M_UNKNOWN_TOKEN"), (401, "M_USER_LOCKED")
OVER = (403, "ORG_MATRIX_EXPIRED_ACCOUNT")


@attrs.frozen
class Known:
    """A session that both processes know well."""

    homeserver: object
    user: User
    member: object
    admin: str

    @property
    def servers(self):
        worker = self.homeserver.workers["worker1"]
        return {"main": Server(self.homeserver.base_url), "worker": Server(worker.base_url)}

    @property
    def part(self):
        """A token of the same session without the last word of its scope: a refresh made it smaller."""
        return made_from(self.member.access_token, mask=0b011)

    def who(self, at, token=None):
        """Return whom a process takes the sender for, or how it refuses."""
        answer = self.servers[at].api("GET", PATH, token or self.member.access_token)
        said = answer.json()
        return said if answer.ok else (answer.status_code, said["errcode"])

    def administer(self, method, path, body=None):
        path = path.format(user=quote(self.user.user_id), device=self.member.session.device_id)
        answer = requests.request(
            method,
            f"{self.homeserver.base_url.rstrip('/')}{ADMIN}{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.admin}"},
            timeout=30,
        )
        assert answer.ok, answer.text

    def expire(self, *, is_expired):
        file = self.homeserver.directory / EXPIRED
        new = file.with_suffix(".new")
        new.write_text(json.dumps([self.user.user_id] if is_expired else []))
        new.replace(file)

    def is_warm(self, at):
        """Ask until a process knows it so well; the first requests may still read."""
        return eventually(lambda: self.who(at)["is_warm"])


@pytest.fixture(scope="module")
def admin(homeserver_with_worker):
    user = homeserver_with_worker.new_user(admin=True)
    return homeserver_with_worker.login(user)["access_token"]


@pytest.fixture(scope="module")
def client(homeserver_with_worker):
    return Server(homeserver_with_worker.base_url).client()


@pytest.fixture
def known(homeserver_with_worker, client, admin):
    user = homeserver_with_worker.new_user()
    (member,) = settle(homeserver_with_worker, client.id, [user.user_id], also="openid")
    known = Known(homeserver_with_worker, user, member, admin)
    assert known.is_warm("main")
    assert known.is_warm("worker")
    return known


def shadow_banned(said):
    return said["shadow_banned"] if isinstance(said, dict) else said


def refusal(said):
    return None if isinstance(said, dict) else said


@attrs.frozen
class Change:
    """What happens, how it is undone, and what each process must say then."""

    happen: object
    seen: object
    undo: object = None
    look: object = refusal


LOCK, BAN = "/v2/users/{user}", "/v1/users/{user}/shadow_ban"
CHANGES = {
    "locked": Change(
        lambda known: known.administer("PUT", LOCK, {"locked": True}),
        LOCKED,
        lambda known: known.administer("PUT", LOCK, {"locked": False}),
    ),
    "shadow-banned": Change(
        lambda known: known.administer("POST", BAN, {}),
        True,
        lambda known: known.administer("DELETE", BAN),
        shadow_banned,
    ),
    "expired": Change(
        lambda known: known.expire(is_expired=True),
        OVER,
        lambda known: known.expire(is_expired=False),
    ),
    "deactivated": Change(
        lambda known: known.administer("POST", "/v1/deactivate/{user}", {}), UNKNOWN
    ),
    "erased": Change(
        lambda known: known.administer("POST", "/v1/deactivate/{user}", {"erase": True}), UNKNOWN
    ),
    "device deleted": Change(
        lambda known: known.administer("DELETE", "/v2/users/{user}/devices/{device}"), UNKNOWN
    ),
    "password reset": Change(
        lambda known: known.administer(
            "POST", "/v1/reset_password/{user}", {"new_password": "x" * 20, "logout_devices": True}
        ),
        UNKNOWN,
    ),
    "revoked at the main process": Change(
        lambda known: known.servers["main"].revoke(token=known.member.refresh_token), UNKNOWN
    ),
    "revoked at the worker": Change(
        lambda known: known.servers["worker"].revoke(token=known.member.refresh_token), UNKNOWN
    ),
    "logged out": Change(
        lambda known: known.servers["main"].api("POST", f"{V3}/logout", known.member.access_token),
        UNKNOWN,
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_c130_c315_every_change_reaches_what_is_remembered(known, name):
    """On both processes, of a token that has all of its session and of one that has a part.

    And back again where it can be undone.
    """
    change = CHANGES[name]
    asked = [(at, token) for at in known.servers for token in (None, known.part)]
    before = [known.who(*one) for one in asked]

    change.happen(known)

    for one in asked:
        assert eventually(lambda one=one: change.look(known.who(*one)) == change.seen), one
    if change.undo is not None:
        change.undo(known)
        for one, said in zip(asked, before, strict=True):
            assert eventually(lambda one=one, said=said: known.who(*one) == said), one
        assert all(known.is_warm(at) for at in known.servers)


def test_the_process_that_makes_a_change_knows_it_with_the_next_request(known):
    """There is nothing to wait for: the admin API is on the main process."""
    for _ in range(5):
        known.administer("PUT", LOCK, {"locked": True})
        locked = known.who("main")
        known.administer("PUT", LOCK, {"locked": False})
        assert (locked, refusal(known.who("main"))) == (LOCKED, None)
        assert known.is_warm("main")


def test_what_does_not_matter_changes_nothing(known):
    """A device that is renamed, an account that is an administrator now, and one suspended."""
    before = {at: known.who(at) for at in known.servers}

    known.administer("PUT", "/v2/users/{user}/devices/{device}", {"display_name": "Renamed"})
    known.administer("PUT", "/v2/users/{user}", {"admin": True, "displayname": "Renamed"})
    known.administer("PUT", "/v1/suspend/{user}", {"suspend": True})

    for at in known.servers:
        assert known.is_warm(at)
        assert known.who(at) == before[at]
        refused = known.servers[at].api(
            "POST", f"{V3}/createRoom", known.member.access_token, json={}
        )
        assert refused.json()["errcode"] == "M_USER_SUSPENDED"


def test_a_demoted_administrator_has_no_power_with_the_next_request(homeserver_with_worker, known):
    """The session stays as warm as it was; what the account may do is asked each time (C311)."""
    server, user = known.servers["main"], known.user
    known.administer("PUT", "/v2/users/{user}", {"admin": True})
    scope = "urn:matrix:client:api:* urn:matrix:client:device:ADMINISTERS urn:synapse:admin:*"
    token = server.client().sign_in(user.localpart, user.password, scope=scope)["access_token"]
    path = f"{ADMIN}/v2/users/{quote(user.user_id)}"
    powers = []

    for is_admin in (True, False, True):
        known.administer("PUT", "/v2/users/{user}", {"admin": is_admin})
        powers.append(server.api("GET", path, token).status_code)

    assert powers == [200, 403, 200]


def test_c111_a_remembered_token_expires(known):
    """With its own time, however warm its session is."""
    short = made_from(known.member.access_token, expires_at=1)

    for server in known.servers.values():
        answer = server.api("GET", PATH, short)
        assert (answer.status_code, answer.json()["soft_logout"]) == (401, True)
        assert server.api("GET", PATH, known.member.access_token).ok
