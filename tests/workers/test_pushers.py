"""Pushers are removed by the main process; who ends a session elsewhere does not wait for it."""

from support.pushers import pushkeys, set_pusher
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
    assert eventually(lambda: pushkeys(deployment, user) == [], patience=120)
