"""A sign-in may be served by another process at every step, and any of them may restart."""

import pytest

from support.deployment import PROCESSES, HoppingBrowser, Restarts
from support.keys import device_keys
from support.oauth import API, DEVICE, device_id
from support.scale import times
from support.waiting import eventually

V3 = "/_matrix/client/v3"


def used_everywhere(deployment, tokens):
    """Return the status with which each process answers this access token."""
    token = tokens["access_token"]
    return [deployment.server(name).whoami(token).status_code for name in PROCESSES]


def test_c355_a_flow_hops_between_processes_at_every_step(deployment):
    """Nothing about a flow is kept in the memory of the process that began it."""
    user = deployment.new_user()
    client = deployment.server("worker2").client()
    parameters, verifier = client.request()
    browser = HoppingBrowser(deployment, "worker1")

    browser.authorize(parameters)
    browser.at = "worker2"
    browser.sign_in(user.localpart, user.password)
    browser.at = "main"
    code = browser.answer(browser.submit(decision="approve"))["code"]
    tokens = deployment.at("worker1", client).redeem(code, verifier).json()
    first = used_everywhere(deployment, tokens)
    renewed = deployment.at("worker2", client).refresh(tokens["refresh_token"]).json()
    second = used_everywhere(deployment, renewed)
    revoked = deployment.server("main").revoke(token=renewed["access_token"], client_id=client.id)
    refused = deployment.at("worker1", client).refresh(renewed["refresh_token"])

    assert first == second == [200, 200, 200]
    assert revoked.status_code == 200
    assert refused.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("how", ["killed", "stopped"][: times(1, 2)])
def test_c381_a_restart_between_any_two_steps_loses_nothing(deployment, how):
    """Whoever served a step is gone right after it; the next process goes on."""
    user = deployment.new_user()
    client = deployment.server("worker2").client()
    parameters, verifier = client.request()
    browser = HoppingBrowser(deployment)
    restart = Restarts(deployment, how)

    browser.at = restart.next()
    browser.authorize(parameters)
    browser.at = restart.next()
    browser.sign_in(user.localpart, user.password)
    browser.at = restart.next()
    code = browser.answer(browser.submit(decision="approve"))["code"]
    tokens = deployment.at(restart.next(), client).redeem(code, verifier).json()
    who = deployment.server(restart.next()).whoami(tokens["access_token"])
    renewed = deployment.at(restart.next(), client).refresh(tokens["refresh_token"]).json()
    still = deployment.server(restart.next()).whoami(renewed["access_token"])
    last = restart.next()
    deployment.main.wait()  # a worker waits for it before it says that a device is gone
    revoked = deployment.server(last).revoke(token=renewed["refresh_token"])
    refused = deployment.server(restart.next()).whoami(renewed["access_token"])

    assert who.json()["user_id"] == still.json()["user_id"] == user.user_id
    assert revoked.status_code == 200
    assert refused.status_code == 401


def test_c359_tokens_are_good_everywhere_before_replication_says_a_word(deployment):
    """Other processes had looked for the device in vain, and have not heard of it since."""
    user = deployment.new_user()
    client = deployment.server().client()
    browser = HoppingBrowser(deployment)
    scope = f"{API} {DEVICE}{device_id()}"
    for at in PROCESSES:
        parameters, verifier = client.request(scope=scope)
        browser.at = at
        code = browser.let_in(parameters, user.localpart, user.password)["code"]

    with deployment.redis.asleep():
        tokens = deployment.at("worker1", client).redeem(code, verifier).json()
        used = used_everywhere(deployment, tokens)
        renewed = [
            deployment.at(name, client).refresh(tokens["refresh_token"]) for name in PROCESSES
        ]

    assert used == [200, 200, 200]
    assert [answer.status_code for answer in renewed] == [200, 200, 200]


def test_c359_an_account_is_known_everywhere_before_replication_says_a_word(deployment):
    """Somebody tried the name before the account was there, or while it was deactivated."""
    # Until then Synapse cannot reactivate anybody: the index that it needs is not there.
    assert eventually(lambda: not deployment.query("SELECT 1 FROM background_updates LIMIT 1"))
    client = deployment.server().client()
    user = deployment.new_user()
    admin = deployment.login(deployment.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v2/users/{user.user_id}"
    client.server.api("PUT", path, admin, json={"deactivated": True})
    parameters, verifier = client.request()
    for at in PROCESSES:
        browser = HoppingBrowser(deployment, at)
        browser.authorize(parameters)
        assert browser.sign_in(user.localpart, user.password).status_code != 200

    with deployment.redis.asleep():
        body = {"deactivated": False, "password": user.password}
        reactivated = client.server.api("PUT", path, admin, json=body)
        browser = HoppingBrowser(deployment, "worker1")
        code = browser.let_in(parameters, user.localpart, user.password)["code"]
        tokens = deployment.at("worker1", client).redeem(code, verifier).json()
        used = used_everywhere(deployment, tokens)
        renewed = deployment.at("worker2", client).refresh(tokens["refresh_token"])

    assert reactivated.status_code == 200
    assert used == [200, 200, 200]
    assert renewed.status_code == 200


@pytest.mark.parametrize("redeemed_at", PROCESSES)
def test_c082_the_keys_of_a_new_device_can_be_uploaded_anywhere(deployment, redeemed_at):
    """What every client does first; whichever process it meets."""
    user = deployment.new_user()
    client = deployment.server().client()
    browser = HoppingBrowser(deployment)
    for uploaded_at in PROCESSES:
        device = device_id()
        parameters, verifier = client.request(scope=f"{API} {DEVICE}{device}")
        code = browser.let_in(parameters, user.localpart, user.password)["code"]

        tokens = deployment.at(redeemed_at, client).redeem(code, verifier).json()
        answer = deployment.server(uploaded_at).api(
            "POST",
            f"{V3}/keys/upload",
            tokens["access_token"],
            json=device_keys(user.user_id, device),
        )

        assert answer.status_code == 200, answer.text


def test_c359_a_session_that_one_process_knows_nothing_of_is_looked_up(deployment):
    """Issue on one process, use on the next, many times over: never a 401."""
    user = deployment.new_user()
    client = deployment.server().client()
    browser = HoppingBrowser(deployment)
    statuses = []

    for turn in range(times(6, 60)):
        parameters, verifier = client.request()
        code = browser.let_in(parameters, user.localpart, user.password)["code"]
        tokens = deployment.at(PROCESSES[turn % 3], client).redeem(code, verifier).json()
        statuses += used_everywhere(deployment, tokens)

    assert set(statuses) == {200}
