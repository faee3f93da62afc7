"""A process is killed in the middle of a redemption or a refresh: nobody is logged out."""

import pytest
import requests

from support.crowd import settle
from support.invariants import violations
from support.oauth import Browser
from support.own_connection import go_together
from support.sabotage import AFTER_COMMIT, ANSWER, BEFORE_COMMIT, STATEMENT, TOGETHER, Plan, Point
from support.scale import times
from support.waiting import eventually

VICTIM = "worker1"
# The first ones are what CI tries, too.
IN_A_REFRESH = [
    Point(AFTER_COMMIT, TOGETHER),
    Point(BEFORE_COMMIT, "nextgen_refresh"),
    Point(AFTER_COMMIT, "nextgen_refresh"),
    Point(ANSWER),
    Point(STATEMENT, "nextgen_refresh", 1),
    Point(STATEMENT, TOGETHER, 1),
]
IN_A_REDEMPTION = [
    Point(BEFORE_COMMIT, "nextgen_redeem"),
    Point(AFTER_COMMIT, "nextgen_redeem"),
    Point(ANSWER),
    Point(STATEMENT, "nextgen_redeem", 1),
    Point(STATEMENT, "nextgen_redeem", 4),
    Point(AFTER_COMMIT, "store_device"),
]


def name_of(point):
    return f"{point.place} {point.transaction} {point.statement or ''}".strip()


def kill(deployment, point, request, *, path="/token"):
    """Let the victim die at this point of a request, and come back."""
    together = point.transaction == TOGETHER
    deployment.sabotage(VICTIM).plan(Plan(path, "kill", point), together=together)
    with pytest.raises(requests.ConnectionError):
        request()
    process = deployment.process(VICTIM)
    assert eventually(lambda: not process.is_running)
    process.begin()


@pytest.mark.parametrize("point", IN_A_REFRESH[: times(4, None)], ids=name_of)
def test_c103_c349_a_refresh_survives_its_process(deployment, client, point):
    """What the client still has refreshes, on another process and on the one that came back."""
    user = deployment.new_user()
    (member,) = settle(deployment, client.id, [user.user_id])
    here, there = deployment.at(VICTIM, client), deployment.at("worker2", client)
    if point.transaction == TOGETHER:
        go_together(deployment, VICTIM, client)

    kill(deployment, point, lambda: here.refresh(member.refresh_token))
    pair = there.refresh(member.refresh_token).json()
    used = [
        deployment.server(name).whoami(pair["access_token"]).status_code
        for name in ("main", "worker2")
    ]
    deployment.process(VICTIM).wait()
    again = here.refresh(member.refresh_token)
    onward = here.refresh(pair["refresh_token"])

    assert used == [200, 200]
    assert again.status_code == 200  # it repeats the pair, in case that answer was lost, too
    assert onward.status_code == 200
    assert here.server.whoami(onward.json()["access_token"]).status_code == 200


@pytest.mark.parametrize("point", IN_A_REDEMPTION[: times(3, None)], ids=name_of)
def test_c103_c349_a_redemption_survives_its_process(deployment, client, point):
    """The code is still good, or signing in again is a click; other sessions notice nothing."""
    user = deployment.new_user()
    (other,) = settle(deployment, client.id, [user.user_id])
    parameters, verifier = client.request()
    browser = Browser.of(client.server, user)
    browser.authorize(parameters)
    code = browser.answer(browser.submit(decision="approve"))["code"]
    here, there = deployment.at(VICTIM, client), deployment.at("worker2", client)

    kill(deployment, point, lambda: here.redeem(code, verifier))
    answer = there.redeem(code, verifier)
    if answer.status_code != 200:
        assert answer.json()["error"] == "invalid_grant"
        assert point.place in {AFTER_COMMIT, ANSWER}
        browser.authorize(parameters)
        code = browser.answer(browser.submit(decision="approve"))["code"]
        answer = there.redeem(code, verifier)
    tokens = answer.json()

    assert there.server.whoami(tokens["access_token"]).status_code == 200
    assert there.refresh(tokens["refresh_token"]).status_code == 200
    assert there.server.whoami(other.access_token).status_code == 200
    assert there.refresh(other.refresh_token).status_code == 200


def test_what_a_dead_process_left_behind_is_cleared_away(deployment, client):
    """A session whose device was never made is ended by the chores of the main process."""
    user = deployment.new_user()
    parameters, verifier = client.request()
    code = Browser(client.server).let_in(parameters, user.localpart, user.password)["code"]
    here = deployment.at(VICTIM, client)

    kill(deployment, Point(AFTER_COMMIT, "nextgen_redeem"), lambda: here.redeem(code, verifier))
    left = violations(deployment)
    deployment.query(
        "UPDATE nextgen_sessions SET created_at = created_at - 3600 WHERE user_id = ?",
        user.user_id,
    )
    deployment.main.stop()
    deployment.main.start()

    assert list(left) == ["a living session has its device"]
    assert eventually(lambda: not violations(deployment))


def test_c358_a_revocation_whose_process_died_takes_effect(deployment, client):
    """The others hear of it when the client asks again, or when the process comes back."""
    user = deployment.new_user()
    member, repeated = settle(deployment, client.id, [user.user_id] * 2)
    servers = [deployment.server(name) for name in ("main", "worker2", VICTIM)]
    for server in servers:
        for known in (member, repeated):
            assert server.whoami(known.access_token).status_code == 200
    doomed = deployment.server(VICTIM)
    point = Point(AFTER_COMMIT, "nextgen_revoke")

    def refused(who):
        return all(server.whoami(who.access_token).status_code == 401 for server in servers)

    kill(deployment, point, lambda: doomed.revoke(token=member.refresh_token), path="/revoke")
    deployment.process(VICTIM).wait()
    heard = eventually(lambda: refused(member))
    kill(deployment, point, lambda: doomed.revoke(token=repeated.refresh_token), path="/revoke")
    again = deployment.server("worker2").revoke(token=repeated.refresh_token)
    deployment.process(VICTIM).wait()

    assert heard
    assert again.status_code == 200
    assert eventually(lambda: refused(repeated))
