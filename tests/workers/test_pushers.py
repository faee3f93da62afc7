"""Pushers are removed by the main process; who ends a session elsewhere does not wait for it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.pushers import ask_for_pusher, pushkeys, set_pusher
from support.sabotage import STATEMENT, Plan, Point
from support.waiting import eventually


def reuse(client, tokens):
    """Show a superseded refresh token; return the answer."""
    second = client.refresh(tokens["refresh_token"]).json()
    client.refresh(second["refresh_token"])
    return client.refresh(tokens["refresh_token"])


def begin(deployment):
    user = deployment.new_user()
    client = deployment.server().client()
    tokens = client.sign_in(user.localpart, user.password)
    set_pusher(deployment.server(), tokens["access_token"])
    assert pushkeys(deployment, user) == ["key"]
    return user, client, tokens


def test_reuse_on_a_worker_takes_the_pushers_away(deployment):
    user, client, tokens = begin(deployment)

    answer = reuse(deployment.at("worker1", client), tokens)

    assert answer.json()["error"] == "invalid_grant"
    assert eventually(lambda: pushkeys(deployment, user) == [])


def test_reuse_is_refused_while_the_main_process_is_away(deployment):
    """The refusal comes at once, the pushers go when the main process is back."""
    user, client, tokens = begin(deployment)
    deployment.main.stop()

    answer = reuse(deployment.at("worker1", client), tokens)

    assert answer.json()["error"] == "invalid_grant"
    assert not deployment.main.is_running
    assert deployment.server("worker2").whoami(tokens["access_token"]).status_code == 401
    assert pushkeys(deployment, user) == ["key"]
    deployment.heal()
    assert eventually(lambda: pushkeys(deployment, user) == [])


SLOW = Plan("/pushers/set", "slow", Point(STATEMENT, "add_pusher", 1))


@pytest.mark.parametrize("where", ["main", "worker1"])
def test_c117_a_pusher_on_its_way_when_the_session_ends_is_not_left_behind(deployment, where):
    """Who set it passed the check of his token before the end; it is written afterwards."""
    user, client, tokens = begin(deployment)
    second = client.refresh(tokens["refresh_token"]).json()
    thief = client.refresh(second["refresh_token"]).json()["access_token"]
    sabotage = deployment.sabotage("main")
    sabotage.plan(SLOW)

    with ThreadPoolExecutor() as pool:
        late = pool.submit(ask_for_pusher, deployment.server(), thief, "late")
        assert eventually(lambda: sabotage.fired() == 1)
        reused = deployment.at(where, client).refresh(tokens["refresh_token"])
        assert not late.done()

    assert reused.json()["error"] == "invalid_grant"
    answer = late.result()
    assert (answer.status_code, answer.json()["errcode"]) == (401, "M_UNKNOWN_TOKEN")
    assert answer.json()["soft_logout"] is True
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert eventually(lambda: pushkeys(deployment, user) == [])


def test_c117_a_pusher_on_its_way_when_its_device_is_deleted_is_not_left_behind(deployment):
    user, _client, tokens = begin(deployment)
    sabotage = deployment.sabotage("main")
    sabotage.plan(SLOW)

    with ThreadPoolExecutor() as pool:
        late = pool.submit(ask_for_pusher, deployment.server(), tokens["access_token"], "late")
        assert eventually(lambda: sabotage.fired() == 1)
        deployment.server("worker1").revoke(token=tokens["refresh_token"])
        assert not late.done()

    assert late.result().status_code == 401
    assert pushkeys(deployment, user) == []
