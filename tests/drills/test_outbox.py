"""What waits for the main process is done, whichever process dies at whatever moment."""

from functools import partial

import pytest
import requests

from support.pushers import pushkeys, set_pusher
from support.sabotage import AFTER_COMMIT, BEFORE_COMMIT, STATEMENT, Plan, Point
from support.scale import FULL, times
from support.waiting import eventually
from synapse_nextgen_auth.accounts.outbox import LEASE

# A process that died with an entry leaves it to the next for as long as a lease lasts, and that one
# looks once a minute.
PATIENCE = 2 * LEASE + 30
WHILE_IT_IS_DONE = [
    Point(AFTER_COMMIT, "nextgen_outbox_claim"),
    Point(BEFORE_COMMIT, "nextgen_outbox_done"),
    Point(BEFORE_COMMIT, "nextgen_outbox_claim"),
    Point(STATEMENT, "delete_pusher", 1),
    Point(AFTER_COMMIT, "delete_pusher"),
    Point(AFTER_COMMIT, "nextgen_outbox_done"),
]


def name_of(point):
    return f"{point.place} {point.transaction} {point.statement or ''}".strip()


@pytest.fixture
def user(deployment):
    return deployment.new_user()


@pytest.fixture
def stolen(deployment, client, user):
    """A superseded refresh token: showing it ends the session and leaves its device and pusher."""
    tokens = client.sign_in(user.localpart, user.password)
    set_pusher(deployment.server(), tokens["access_token"])
    second = client.refresh(tokens["refresh_token"]).json()
    client.refresh(second["refresh_token"])
    return tokens


def show(deployment, client, tokens, *, at):
    return deployment.at(at, client).refresh(tokens["refresh_token"])


def waiting(deployment, user):
    return deployment.query(
        "SELECT o.entry_id FROM nextgen_outbox AS o"
        " JOIN nextgen_sessions AS s ON s.session_id = o.subject WHERE s.user_id = ?",
        user.user_id,
    )


def is_done(deployment, user):
    return not waiting(deployment, user) and pushkeys(deployment, user) == []


def hurry(deployment):
    """Let whatever a dead process had be free, as it is after its lease."""
    deployment.query("UPDATE nextgen_outbox SET due_at = 0")


@pytest.mark.parametrize("point", WHILE_IT_IS_DONE[: times(2, None)], ids=name_of)
def test_the_main_process_is_killed_while_it_is_done(deployment, client, user, stolen, point):
    """The next one does it again or finds it done."""
    deployment.sabotage("main").plan(Plan("nextgen_outbox", "kill", point))

    assert show(deployment, client, stolen, at="worker1").json()["error"] == "invalid_grant"
    assert eventually(lambda: not deployment.main.is_running)
    hurry(deployment)
    deployment.heal()

    assert eventually(partial(is_done, deployment, user), patience=PATIENCE)


def test_a_dead_process_keeps_an_entry_no_longer_than_its_lease(deployment, client, user, stolen):
    """In full, nobody helps: the next main process finds it by looking once a minute."""
    point = Point(AFTER_COMMIT, "nextgen_outbox_claim")
    deployment.sabotage("main").plan(Plan("nextgen_outbox", "kill", point))
    show(deployment, client, stolen, at="worker1")
    assert eventually(lambda: not deployment.main.is_running)
    deployment.heal()

    assert waiting(deployment, user)
    if not FULL:
        hurry(deployment)
        deployment.main.stop()
        deployment.heal()
    assert eventually(partial(is_done, deployment, user), patience=PATIENCE)


def test_the_worker_dies_right_after_it_ended_the_session(deployment, client, user, stolen):
    """Before anybody could be told: the main process looks by itself, after a minute or a start."""
    point = Point(AFTER_COMMIT, "nextgen_refresh")
    deployment.sabotage("worker1").plan(Plan("/token", "kill", point))

    with pytest.raises(requests.ConnectionError):
        show(deployment, client, stolen, at="worker1")
    assert waiting(deployment, user)
    if not FULL:
        deployment.main.stop()
        deployment.heal()

    assert eventually(partial(is_done, deployment, user), patience=PATIENCE)


def test_every_process_is_restarted_before_it_could_be_done(deployment, client, user, stolen):
    """The worker that was asked, and the main process that was away."""
    deployment.main.kill()
    answer = show(deployment, client, stolen, at="worker1")
    deployment.process("worker1").kill()
    entries = waiting(deployment, user)
    deployment.heal()

    assert answer.json()["error"] == "invalid_grant"
    assert len(entries) == 1
    assert eventually(partial(is_done, deployment, user), patience=PATIENCE)


def test_a_main_process_that_stops_leaves_the_rest_to_the_next(deployment, client, user, stolen):
    """It was asked to stop while something took long; that is done once more, and no harm done."""
    sabotage = deployment.sabotage("main")
    slow = Point(STATEMENT, "delete_pusher", 1)
    sabotage.plan(Plan("nextgen_outbox", "slow", slow))
    show(deployment, client, stolen, at="worker1")
    assert eventually(lambda: sabotage.fired() == 1)

    deployment.main.stop()
    hurry(deployment)
    deployment.heal()

    assert eventually(partial(is_done, deployment, user), patience=PATIENCE)


def test_the_database_fails_again_and_again(deployment, client, user, stolen):
    """What failed rests, and is done when the database is itself again."""
    sabotage = deployment.sabotage("main")
    sabotage.plan(Plan("nextgen_outbox", "disk full", Point(STATEMENT, "delete_pusher", 1), 2))

    show(deployment, client, stolen, at="worker1")

    assert eventually(lambda: sabotage.fired() == 2)
    assert eventually(partial(is_done, deployment, user), patience=PATIENCE)
