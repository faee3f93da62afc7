"""A process that is asked to stop answers what is under way, and takes nothing new (C382)."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from support.crowd import settle
from support.oauth import Browser, Server
from support.sabotage import BEFORE_COMMIT, Plan, Point
from support.waiting import busy, eventually

VICTIM = "worker1"


def test_c382_what_is_under_way_is_answered(deployment, client):
    """The refresh arrives though the process got its signal before; late requests get a 503."""
    (member,) = settle(deployment, client.id, [deployment.new_user().user_id])
    here, process = deployment.at(VICTIM, client), deployment.process(VICTIM)
    sabotage = deployment.sabotage(VICTIM)
    sabotage.plan(Plan("/token", "slow", Point(BEFORE_COMMIT, "nextgen_refresh")), together=False)

    with requests.Session() as waiting, ThreadPoolExecutor(1) as pool:
        waiting.get(here.server.url("keys"), timeout=60)
        under_way = pool.submit(here.refresh, member.refresh_token)
        assert eventually(sabotage.fired)
        start = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)
        (late,) = eventually(lambda: unless_served(waiting, here.server))
        page = waiting.get(here.server.url("sign-in"), timeout=60)
        refreshed = under_way.result()
    assert eventually(lambda: not process.is_running)
    took = time.monotonic() - start

    assert refreshed.status_code == 200
    assert client.refresh(refreshed.json()["refresh_token"]).status_code == 200
    assert (late.status_code, late.headers["Retry-After"]) == (503, "5")
    assert late.json()["error"] == "temporarily_unavailable"
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert "<h1>" in page.text
    assert took < 5 * busy()


def unless_served(http, server):
    """Return what a process that serves no more answers on a connection that is there already."""
    answer = http.get(server.url("keys"), timeout=60)
    return [] if answer.status_code == 200 else [answer]


def test_c382_what_waits_to_be_written_down_is_written(deployment):
    """A failed sign-in right before the end is not lost."""
    user, process = deployment.new_user(), deployment.process(VICTIM)
    browser = Browser(Server(process.base_url))
    browser.get(browser.server.url("sign-in"))

    assert browser.sign_in(user.localpart, "wrong").status_code == 403
    os.kill(process.pid, signal.SIGTERM)
    assert eventually(lambda: not process.is_running)
    written = deployment.query(
        "SELECT kind FROM nextgen_events WHERE user_id = ? AND kind = 'sign_in_failed'",
        user.user_id,
    )

    assert written == [("sign_in_failed",)]


def test_c382_a_process_without_anything_to_do_stops_at_once(deployment):
    """Nobody waits for nothing."""
    process = deployment.process(VICTIM)
    assert requests.get(Server(process.base_url).url("keys"), timeout=60).ok
    start = time.monotonic()

    os.kill(process.pid, signal.SIGTERM)

    assert eventually(lambda: not process.is_running)
    assert time.monotonic() - start < 4 * busy()
