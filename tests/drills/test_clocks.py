"""Clocks that are wrong or jump: tokens are never immortal, and nobody is logged out for good."""

import time

import pytest

from support.crowd import settle
from support.deployment import PROCESSES, HoppingBrowser
from support.load import Load
from support.oauth import Server
from support.scale import times

HOUR = 3600
WRONG = "worker1"


def set_clocks(deployment, shift, names=PROCESSES):
    """Let the clocks of these processes be wrong by `shift` seconds."""
    for name in names:
        deployment.sabotage(name).plan(None, shift=shift)


@pytest.mark.parametrize("shift", [60, -60])
def test_c379_a_minute_between_two_processes_does_not_matter(deployment, shift):
    """Whatever one of them made, the other takes: forms, codes, tokens."""
    set_clocks(deployment, shift, [WRONG])
    user = deployment.new_user()
    client = deployment.server().client()
    browser = HoppingBrowser(deployment, WRONG)
    tokens = []

    for here, there in ((WRONG, "main"), ("main", WRONG)):
        parameters, verifier = client.request()
        browser.at = here
        browser.authorize(parameters)
        if 'name="password"' in browser.page.text:
            browser.at = there
            browser.sign_in(user.localpart, user.password)
        browser.at = here
        code = browser.answer(browser.submit(decision="approve"))["code"]
        first = deployment.at(there, client).redeem(code, verifier).json()
        tokens += [first, deployment.at(here, client).refresh(first["refresh_token"]).json()]
    used = {
        Server(deployment.process(name).base_url).whoami(pair["access_token"]).status_code
        for name in PROCESSES
        for pair in tokens
    }

    assert used == {200}
    assert {pair["expires_in"] for pair in tokens} == {300}


def test_c379_the_clock_of_the_server_jumps_and_comes_back(deployment, client):
    """An hour ahead, an hour back, and right again: sessions refresh, tokens live five minutes."""
    user = deployment.new_user()
    (member,) = settle(deployment, client.id, [user.user_id])
    access, refresh = member.access_token, member.refresh_token
    expired, lifetimes = [], []

    for shift in (0, HOUR, -HOUR, 0):
        set_clocks(deployment, shift)
        before = client.server.whoami(access)
        expired.append((before.status_code, before.json().get("soft_logout")))
        pair = client.refresh(refresh).json()
        access, refresh = pair["access_token"], pair["refresh_token"]
        lifetimes.append(pair["expires_in"])
        at_once = client.server.whoami(access)
        set_clocks(deployment, shift + 310)
        later = client.server.whoami(access)

        assert at_once.status_code == 200
        assert (later.status_code, later.json()["soft_logout"]) == (401, True)
        set_clocks(deployment, shift)

    # What was made by the clock that ran ahead lives until that time, and not a moment longer.
    assert expired == [(200, None), (401, True), (200, None), (401, True)]
    assert lifetimes == [300] * 4


@pytest.mark.parametrize("shift", [600, -600])
def test_c411_ten_minutes_on_one_worker_log_nobody_out(deployment, client, shift):
    """Its tokens are expired elsewhere, or others' are there: clients refresh, and go on."""
    users = [deployment.new_user() for _ in range(10)]
    load = Load(deployment, client, settle(deployment, client.id, [u.user_id for u in users]))

    with load:
        time.sleep(1)
        set_clocks(deployment, shift, [WRONG])
        time.sleep(times(3, 60))
        set_clocks(deployment, 0, [WRONG])

    print(load.statuses())
    assert [outcome for outcome in load.logouts if outcome.what == "refresh"] == []
    assert all('"soft_logout":true' in outcome.text for outcome in load.logouts)
    assert load.failures == []
    assert load.lost() == {}
