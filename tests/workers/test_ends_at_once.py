"""What is ended is over on every process with the next request (C130)."""

import math
import random
import time
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest
import requests

from support.crowd import settle
from support.deployment import PROCESSES
from support.oauth import API, DEVICE, Browser
from support.scale import times
from support.waiting import busy, eventually

V3 = "/_matrix/client/v3"
ADMIN = "/_synapse/admin"
GIVE_UP = 10  # seconds


@attrs.frozen
class Victim:
    """A session that is about to end, known on every process, and its account."""

    deployment: object
    user: object
    session: object
    access_token: str
    refresh_token: str
    client: object
    admin: str

    def ask(self, at, method, path, token=None, **options):
        server = self.deployment.server(at)
        return server.api(method, path, token or self.access_token, **options)


def by_revocation(victim, at):
    return victim.deployment.server(at).revoke(token=victim.refresh_token)


def by_logout(victim, at):
    """Synapse serves it on the main process only, and so the others further down."""
    return victim.ask("main", "POST", f"{V3}/logout")


def by_logout_everywhere(victim, at):
    return victim.ask("main", "POST", f"{V3}/logout/all")


def by_reuse(victim, at):
    """The first refresh token comes back two generations later, wherever."""
    client = victim.deployment.at(at, victim.client)
    second = victim.client.refresh(victim.refresh_token).json()
    third = victim.client.refresh(second["refresh_token"]).json()
    assert victim.ask("main", "GET", f"{V3}/account/whoami", third["access_token"]).ok
    return client.refresh(victim.refresh_token)


def by_device_deletion(victim, at):
    """Another device of the account, a legacy one, deletes it and proves itself by password."""
    legacy = victim.deployment.login(victim.user)["access_token"]
    path = f"{V3}/devices/{victim.session.device_id}"
    return _with_password(victim, "DELETE", path, legacy, {})


def by_bulk_deletion(victim, at):
    legacy = victim.deployment.login(victim.user)["access_token"]
    body = {"devices": [victim.session.device_id]}
    return _with_password(victim, "POST", f"{V3}/delete_devices", legacy, body)


def by_password_change(victim, at):
    legacy = victim.deployment.login(victim.user)["access_token"]
    body = {"new_password": "another-horse", "logout_devices": True}
    return _with_password(victim, "POST", f"{V3}/account/password", legacy, body)


def by_administrator(victim, at):
    path = f"{ADMIN}/v2/users/{victim.user.user_id}/devices/{victim.session.device_id}"
    return victim.ask("main", "DELETE", path, victim.admin)


def by_administrator_in_bulk(victim, at):
    path = f"{ADMIN}/v2/users/{victim.user.user_id}/delete_devices"
    body = {"devices": [victim.session.device_id]}
    return victim.ask("main", "POST", path, victim.admin, json=body)


def by_password_reset(victim, at):
    path = f"{ADMIN}/v1/reset_password/{victim.user.user_id}"
    body = {"new_password": "another-horse", "logout_devices": True}
    return victim.ask("main", "POST", path, victim.admin, json=body)


def by_deactivation(victim, at):
    path = f"{ADMIN}/v1/deactivate/{victim.user.user_id}"
    return victim.ask("main", "POST", path, victim.admin, json={})


def by_account_page(victim, at):
    """The person signs the device out on our own page."""
    browser = Browser.of(victim.deployment.server(at), victim.user)
    query = f"action=org.matrix.device_delete&device_id={victim.session.device_id}"
    browser.get(browser.server.url(f"account?{query}"))
    return browser.submit(decision="end")


def _with_password(victim, method, path, token, body):
    """Send the request, prove oneself with the password, send it again."""
    asked = victim.ask("main", method, path, token, json=body).json()
    auth = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": victim.user.localpart},
        "password": victim.user.password,
        "session": asked["session"],
    }
    return victim.ask("main", method, path, token, json={**body, "auth": auth})


OF_A_DEVICE = [
    by_revocation,
    by_logout,
    by_reuse,
    by_device_deletion,
    by_bulk_deletion,
    by_administrator,
    by_administrator_in_bulk,
    by_account_page,
]
OF_AN_ACCOUNT = [by_logout_everywhere, by_password_change, by_password_reset, by_deactivation]


@pytest.fixture
def client(deployment):
    return deployment.server().client()


@pytest.fixture
def admin(deployment):
    return deployment.login(deployment.new_user(admin=True))["access_token"]


@pytest.fixture
def victims(deployment, client, admin):
    """Return a function that makes accounts with a session each, known on every process."""

    def make(count):
        users = [deployment.new_user() for _ in range(count)]
        members = settle(deployment, client.id, [user.user_id for user in users])
        made = [
            Victim(deployment, user, m.session, m.access_token, m.refresh_token, client, admin)
            for user, m in zip(users, members, strict=True)
        ]
        for victim in made:
            for name in PROCESSES:
                assert deployment.server(name).whoami(victim.access_token).status_code == 200
        return made

    return make


class Watch:
    """Asks every process, over and over, whether a token is still good there."""

    def __init__(self, deployment):
        self._urls = [deployment.process(name).base_url for name in PROCESSES]
        self._https = [requests.Session() for _ in PROCESSES]

    def __enter__(self):
        self._threads = ThreadPoolExecutor(len(PROCESSES))
        return self

    def __exit__(self, *_):
        self._threads.shutdown()
        for http in self._https:
            http.close()

    def delays(self, token):
        """Return for each process how old the last request was that it still let in (seconds)."""
        start = time.monotonic()

        def last_yes(url, http):
            last = 0.0
            while time.monotonic() < start + GIVE_UP:
                headers = {"Authorization": f"Bearer {token}"}
                answer = http.get(f"{url}{V3}/account/whoami", headers=headers, timeout=30)
                if answer.status_code == 401:
                    assert answer.json()["errcode"] == "M_UNKNOWN_TOKEN"
                    return last
                assert answer.status_code == 200, answer.text
                last = time.monotonic() - start
            return GIVE_UP

        return list(self._threads.map(last_yes, self._urls, self._https))


def percentile(values, share):
    return sorted(values)[math.ceil(share * len(values)) - 1]


def assert_at_once(delays):
    second = busy()
    assert percentile(delays, 0.99) < second
    assert max(delays) < 2 * second


@pytest.mark.parametrize("end", [*OF_A_DEVICE, *OF_AN_ACCOUNT])
def test_c130_what_is_ended_is_refused_everywhere(deployment, victims, end):
    """However a session ends, the next request on every process is refused."""
    delays = []
    with Watch(deployment) as watch:
        for victim in victims(times(3, 50)):
            ended = end(victim, random.choice(PROCESSES))
            delays += watch.delays(victim.access_token)

            assert ended.status_code == (400 if end is by_reuse else 200), ended.text

    print(f"refused everywhere after {percentile(delays, 0.99):.3f} s (p99 of {len(delays)})")
    assert_at_once(delays)


def crowd(deployment, client, user, count, *, bite=200):
    """Yield that many sessions, made a bite at a time: their tokens live for five minutes."""
    for done in range(0, count, bite):
        yield from settle(deployment, client.id, [user.user_id] * min(bite, count - done))


def test_c130_many_revocations_leave_no_stale_answer(deployment, client):
    """Revoke on one process, use on all: p99 below a second, none stale after two."""
    user = deployment.new_user()
    delays = []
    with Watch(deployment) as watch:
        for member in crowd(deployment, client, user, times(70, 3334)):
            for name in PROCESSES:
                assert deployment.server(name).whoami(member.access_token).status_code == 200
            deployment.server(random.choice(PROCESSES)).revoke(token=member.access_token)
            delays += watch.delays(member.access_token)

    print(
        f"p50 {percentile(delays, 0.5):.3f} s, p99 {percentile(delays, 0.99):.3f} s,"
        f" worst {max(delays):.3f} s of {len(delays)}"
    )
    assert_at_once(delays)


@pytest.mark.parametrize("end", [*OF_A_DEVICE, *OF_AN_ACCOUNT])
def test_codes_that_wait_die_with_what_they_stand_for(deployment, victims, end):
    """A code for the same device, or of the same account, is worth nothing any more."""
    (victim,) = victims(1)
    client = victim.client
    scope = f"{API} {DEVICE}{victim.session.device_id}" if end in OF_A_DEVICE else None
    parameters, verifier = client.request(**({"scope": scope} if scope else {}))
    browser = Browser(deployment.server("worker1"))
    code = browser.let_in(parameters, victim.user.localpart, victim.user.password)["code"]

    end(victim, "worker2")
    answer = deployment.at("worker1", client).redeem(code, verifier)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


def test_c145_a_lock_ends_a_code_before_other_processes_have_heard_of_it(deployment, victims):
    """The account is known to worker1 as good; its very next request is the code."""
    for victim in victims(5):
        parameters, verifier = victim.client.request()
        browser = Browser(deployment.server("worker1"))
        code = browser.let_in(parameters, victim.user.localpart, victim.user.password)["code"]
        path = f"{ADMIN}/v2/users/{victim.user.user_id}"
        assert victim.ask("main", "PUT", path, victim.admin, json={"locked": True}).ok
        answer = deployment.at("worker1", victim.client).redeem(code, verifier)

        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("end", OF_AN_ACCOUNT)
def test_a_session_without_a_device_goes_with_all_others(deployment, victims, end):
    """Somebody who is logged in to a website with this account is logged out there, too."""
    (victim,) = victims(1)
    user = victim.user
    client = deployment.at("worker1", victim.client)
    website = client.sign_in(user.localpart, user.password, scope="openid")
    userinfo = "/_synapse/client/auth/userinfo"
    before = client.server.api("GET", userinfo, website["access_token"]).status_code

    end(victim, "worker2")
    after = eventually(
        lambda: client.server.api("GET", userinfo, website["access_token"]).status_code == 401
    )

    assert before == 200
    assert after
    assert client.refresh(website["refresh_token"]).json()["error"] == "invalid_grant"


def test_reuse_is_a_soft_logout_and_keeps_the_device(deployment, victims, admin):
    """The client may sign in again on its device; whoever held the stolen token is out."""
    (victim,) = victims(1)

    by_reuse(victim, "worker2")
    answer = victim.ask("worker2", "GET", f"{V3}/account/whoami")
    devices = victim.ask("main", "GET", f"{ADMIN}/v2/users/{victim.user.user_id}/devices", admin)

    assert answer.status_code == 401
    assert answer.json()["soft_logout"] is True
    assert victim.session.device_id in [d["device_id"] for d in devices.json()["devices"]]
    assert deployment.query(
        "SELECT COUNT(*) FROM nextgen_events WHERE session_id = ? AND kind = ?",
        victim.session.session_id,
        "refresh_token_reused",
    ) == [(1,)]
