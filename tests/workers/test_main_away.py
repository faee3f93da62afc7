"""The main process is gone, or hangs: who needs it is told within five seconds, and nothing is lost.

A worker signs people in by itself but for the last step: only the main process writes lists of devices
that other homeservers read.
"""

import os
import signal
import time
from contextlib import contextmanager

import attrs
import pytest

from support.crowd import settle
from support.deployment import HoppingBrowser, at_once
from support.invariants import violations
from support.keys import master_key
from support.oauth import API, Browser, device_id
from support.pushers import pushkeys, set_pusher
from support.sabotage import BEFORE_COMMIT, Plan, Point
from support.television import Television, let_in
from support.waiting import eventually

V3 = "/_matrix/client/v3"
HERE = "worker1"
PATIENCE = 5  # seconds; proxies and clients wait longer


@contextmanager
def gone(deployment, how):
    """Take the main process away; `hangs` means that its port still takes connections."""
    if how == "stopped":
        deployment.main.stop()
    else:
        os.kill(deployment.main.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if how == "hangs":
            os.kill(deployment.main.pid, signal.SIGCONT)
        deployment.heal()


@pytest.fixture(params=["stopped", "hangs"])
def away(request, deployment):
    """Return a context in which the main process is away, in each way that it can be."""
    return lambda: gone(deployment, request.param)


@attrs.frozen
class Timed:
    """An answer and how many seconds it took."""

    answer: object
    took: float


def timed(send):
    began = time.monotonic()
    answer = send()
    return Timed(answer, time.monotonic() - began)


def assert_come_back(timed):
    """Promise a 503 in time, as the token endpoint makes it."""
    assert timed.took < PATIENCE
    assert timed.answer.status_code == 503, timed.answer.text
    assert int(timed.answer.headers["Retry-After"]) > 0


def sessions_of(deployment, user):
    """Return the living sessions of an account, and its devices, as the database has them."""
    living = deployment.query(
        "SELECT device_id FROM nextgen_sessions WHERE user_id = ? AND ended_at IS NULL",
        user.user_id,
    )
    there = deployment.query(
        "SELECT device_id FROM devices WHERE user_id = ? AND NOT hidden", user.user_id
    )
    return sorted(living), sorted(there)


def begin(deployment, **changes):
    """Go as far as the code, everything on a worker; return how to redeem it there."""
    user, client = deployment.new_user(), deployment.at(HERE, deployment.server().client())
    parameters, verifier = client.request(**changes)
    code = Browser(client.server).let_in(parameters, user.localpart, user.password)["code"]
    return user, lambda: client.redeem(code, verifier)


def test_the_code_is_not_spent_and_works_when_main_is_back(deployment, away):
    """The client's retry of the same request gets its session, once."""
    user, redeem = begin(deployment)
    deployment.server(HERE).whoami("syt_unknown")  # the worker is warm, as in life

    with away():
        refused = timed(redeem)
        meanwhile = sessions_of(deployment, user)
    tokens = eventually(lambda: unless_503(redeem))

    assert_come_back(refused)
    assert refused.answer.json()["error"] == "temporarily_unavailable"
    assert refused.answer.headers["Access-Control-Allow-Origin"] == "*"
    assert meanwhile == ([], [])
    assert deployment.server(HERE).whoami(tokens["access_token"]).status_code == 200
    living, there = sessions_of(deployment, user)
    assert len(living) == 1
    assert living == there
    assert not violations(deployment)


def unless_503(send):
    answer = send()
    return None if answer.status_code == 503 else answer.json()


def meanwhile_main_hangs(deployment, path, transaction, send, look):
    """Let main hang when a request has got so far; return its answer, and what `look` saw then."""
    sabotage = deployment.sabotage(HERE)
    sabotage.plan(Plan(path, "slow", Point(BEFORE_COMMIT, transaction)))

    def stop_main():
        assert eventually(sabotage.fired)
        os.kill(deployment.main.pid, signal.SIGSTOP)

    try:
        answered, _ = at_once(lambda: timed(send), stop_main)
        seen = look()
    finally:
        os.kill(deployment.main.pid, signal.SIGCONT)
    # Of its seconds the plan took two.
    return attrs.evolve(answered, took=answered.took - 2), seen


def test_main_goes_when_the_code_is_spent_already(deployment):
    """It answered a moment before; the redemption is taken back, and the code is good again."""
    user, redeem = begin(deployment)

    refused, meanwhile = meanwhile_main_hangs(
        deployment, "/token", "nextgen_redeem", redeem, lambda: sessions_of(deployment, user)
    )
    tokens = eventually(lambda: unless_503(redeem))

    assert_come_back(refused)
    assert meanwhile == ([], [])
    assert deployment.server(HERE).whoami(tokens["access_token"]).status_code == 200
    assert len(sessions_of(deployment, user)[0]) == 1


def test_a_session_without_a_device_begins_without_main(deployment, away):
    """It writes no list of devices, so nobody is asked."""
    _user, redeem = begin(deployment, scope="openid")

    with away():
        answered = timed(redeem)

    assert answered.answer.status_code == 200, answered.answer.text
    assert answered.took < PATIENCE


def test_a_device_goes_on_polling(deployment, away):
    """Its code is good until it is spent on a session that has its device."""
    user = deployment.new_user()
    server = deployment.server(HERE)
    tv = Television.begin(server)
    let_in(HoppingBrowser(deployment, HERE), tv, user)

    with away():
        refused = timed(tv.poll)
        meanwhile = sessions_of(deployment, user)
    tokens = eventually(lambda: unless_503(tv.poll))

    assert_come_back(refused)
    assert meanwhile == ([], [])
    assert server.whoami(tokens["access_token"]).json()["device_id"] == tv.device_id


def signed_in(deployment):
    user, client = deployment.new_user(), deployment.at(HERE, deployment.server().client())
    device = device_id()
    tokens = client.sign_in(
        user.localpart, user.password, scope=f"{API} urn:matrix:client:device:{device}"
    )
    return user, client, device, tokens


def test_a_revoked_session_ends_at_once_and_its_device_goes_when_main_is_back(deployment, away):
    """Whoever revokes a leaked token must not wait; that the device stays so long is no secret."""
    user, client, device, tokens = signed_in(deployment)
    set_pusher(deployment.server(), tokens["access_token"])

    with away():
        refused = timed(lambda: client.server.revoke(token=tokens["refresh_token"]))
        used = client.server.whoami(tokens["access_token"])

    assert_come_back(refused)
    assert used.status_code == 401
    assert eventually(lambda: sessions_of(deployment, user) == ([], []))
    assert eventually(lambda: pushkeys(deployment, user) == [])
    assert device not in str(deployment.query("SELECT device_id FROM devices"))


def test_a_revocation_is_not_forgotten_when_the_worker_restarts(deployment):
    """Nobody asks again, and the process that had it in mind is gone: the housekeeping has it."""
    user, client, _device, tokens = signed_in(deployment)
    set_pusher(deployment.server(), tokens["access_token"])

    with gone(deployment, "stopped"):
        refused = client.server.revoke(token=tokens["refresh_token"])
        meanwhile = sessions_of(deployment, user)
        deployment.process(HERE).stop()

    assert refused.status_code == 503
    assert len(meanwhile[1]) == 1
    assert eventually(lambda: sessions_of(deployment, user) == ([], []))
    assert eventually(lambda: pushkeys(deployment, user) == [])
    assert not violations(deployment)


def test_revoking_again_is_enough(deployment, away):
    """The client does what it was told, and is answered when the device is gone."""
    user, client, _device, tokens = signed_in(deployment)

    with away():
        client.server.revoke(token=tokens["refresh_token"])
    answer = eventually(lambda: done(client.server.revoke(token=tokens["refresh_token"])))

    assert answer
    assert sessions_of(deployment, user) == ([], [])


def done(answer):
    return answer.status_code == 200


def test_the_account_page_signs_nothing_out_halfway(deployment, away):
    """Either the device is gone, or the page says that it is not."""
    user, client, device, tokens = signed_in(deployment)
    browser = Browser.of(client.server, user)
    address = f"account?action=org.matrix.device_delete&device_id={device}"
    browser.get(client.server.url(address))
    page = browser.page

    with away():
        refused = timed(lambda: browser.submit(decision="end"))
        used = client.server.whoami(tokens["access_token"])
    browser.page = page
    browser.submit(decision="end")

    assert_come_back(refused)
    assert "<h1>" in refused.answer.text
    assert used.status_code == 200
    assert client.server.whoami(tokens["access_token"]).status_code == 401
    assert sessions_of(deployment, user) == ([], [])


def test_c302_an_account_is_not_closed_halfway(deployment, away):
    """Without the process that has to know, nobody is signed out; once it is back, it is closed."""
    user, client, _, tokens = signed_in(deployment)
    browser = Browser.of(client.server, user)
    browser.get(client.server.url("account-deactivate"))
    page = browser.page

    def closed():
        return deployment.query(
            "SELECT deactivated, password_hash IS NULL FROM users WHERE name = ?", user.user_id
        )

    with away():
        refused = timed(lambda: browser.submit(confirm="yes", decision="deactivate"))
        used = client.server.whoami(tokens["access_token"])
        before = closed()
    browser.page = page
    again = browser.submit(confirm="yes", decision="deactivate")

    assert_come_back(refused)
    assert "<h1>" in refused.answer.text
    assert used.status_code == 200
    assert before == [(0, False)]
    assert "Your account is closed" in again.text
    assert closed() == [(1, True)]
    assert client.server.whoami(tokens["access_token"]).status_code == 401
    assert sessions_of(deployment, user) == ([], [])


def test_main_goes_when_the_device_is_half_gone(deployment):
    """The page says that it is not done; what is left goes when main is back, by itself."""
    user, client, device, tokens = signed_in(deployment)
    set_pusher(deployment.server(), tokens["access_token"])
    browser = Browser.of(client.server, user)
    address = f"account?action=org.matrix.device_delete&device_id={device}"
    browser.get(client.server.url(address))

    refused, left = meanwhile_main_hangs(
        deployment,
        "/account-device-end",
        "delete_devices",
        lambda: browser.submit(decision="end"),
        lambda: pushkeys(deployment, user),
    )

    assert_come_back(refused)
    assert left == ["key"]
    assert client.server.whoami(tokens["access_token"]).status_code == 401
    assert eventually(lambda: pushkeys(deployment, user) == [])
    assert sessions_of(deployment, user) == ([], [])


def test_an_approved_reset_is_not_used_up(deployment, away):
    """The worker would write the keys, and tell nobody; the approval waits for the retry."""
    user, client, _device, tokens = signed_in(deployment)
    reset = f"{V3}/keys/device_signing/upload"
    first, second = (master_key(user.user_id) for _ in range(2))
    token = tokens["access_token"]
    client.server.api("POST", reset, token, json=first)
    asked = client.server.api("POST", reset, token, json=second).json()
    browser = HoppingBrowser(deployment, HERE)
    browser.get(asked["params"]["m.oauth"]["url"])
    browser.sign_in(user.localpart, user.password)

    with away():
        approved = timed(lambda: browser.submit(decision="approve"))
        refused = timed(lambda: client.server.api("POST", reset, token, json=second))
    answer = client.server.api("POST", reset, token, json=second)

    assert approved.answer.status_code == 200
    assert approved.took < PATIENCE
    assert_come_back(refused)
    assert answer.status_code == 200, answer.text


def test_what_needs_nobody_goes_on(deployment, away):
    """Signing in on the page, the account page, consent, tokens, refreshes."""
    (member,) = settle(deployment, deployment.server().client().id, [deployment.new_user().user_id])
    user, client, _device, tokens = signed_in(deployment)
    parameters, _ = client.request()

    with away():
        answers = [
            timed(lambda: client.refresh(tokens["refresh_token"])),
            timed(lambda: client.server.whoami(tokens["access_token"])),
            timed(lambda: Browser.of(client.server, user).get(client.server.url("account"))),
            timed(lambda: let_in_to(client, parameters, user)),
            timed(lambda: client.server.whoami(member.access_token)),
        ]

    assert [answer.answer.status_code for answer in answers] == [200, 200, 200, 303, 200]
    assert max(answer.took for answer in answers) < PATIENCE


def let_in_to(client, parameters, user):
    browser = Browser(client.server)
    browser.authorize(parameters)
    browser.sign_in(user.localpart, user.password)
    return browser.submit(decision="approve")
