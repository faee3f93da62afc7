"""Whatever fails or is exhausted: a refresh is 200, `invalid_grant` for what is over, or a 503.

Clients take a 4xx for a logout and forget their keys; Element Web 1.12.24 to 1.12.26 a 429, too.
"""

from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest
import requests

from support.crowd import settle
from support.deployment import PROCESSES, WORKERS
from support.oauth import web_client
from support.own_connection import go_together
from support.sabotage import AFTER_COMMIT, BEFORE_COMMIT, STATEMENT, TOGETHER, Plan, Point

FOREVER = 1000
FAULTS = ("serialization", "disk full", "disconnect", "interface")
PLACES = (
    Point(STATEMENT, "nextgen_look_up_sessions", 1),
    Point(STATEMENT, "nextgen_refresh", 1),
    Point(BEFORE_COMMIT, "nextgen_refresh"),
    Point(AFTER_COMMIT, "nextgen_refresh"),
)


@attrs.frozen
class Member:
    """A client with a session that no process has seen yet."""

    client: object
    refresh_token: str

    def refresh(self, deployment, at, **changes):
        return deployment.at(at, self.client).refresh(self.refresh_token, **changes)


@pytest.fixture
def join(deployment, client):
    """Return a function that gives an account a session."""

    def join():
        (member,) = settle(deployment, client.id, [deployment.new_user().user_id])
        return Member(client, member.refresh_token)

    return join


def assert_told_to_come_back(answer):
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["error"] == "temporarily_unavailable"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_c102_the_database_fails_again_and_again(deployment, join, fault, place):
    """Looking the session up, rotating it, before and after the commit: 200 or a 503, no 4xx."""
    member = join()
    sabotage = deployment.sabotage("worker1")
    sabotage.plan(Plan("/token", fault, place, FOREVER), together=False)

    answer = member.refresh(deployment, "worker1")
    fired = sabotage.fired()
    sabotage.plan(None)

    assert fired, "or this proves nothing"
    if answer.status_code != 200:
        assert_told_to_come_back(answer)
    assert member.refresh(deployment, "worker1").status_code == 200


@pytest.mark.parametrize(
    "place", [Point(STATEMENT, TOGETHER, 1), Point(AFTER_COMMIT, TOGETHER)], ids=str
)
def test_c102_the_statement_for_many_fails_again_and_again(deployment, client, join, place):
    """Before it was written and after: each member is answered, and none of them is a thief."""
    members = [join() for _ in range(8)]
    go_together(deployment, "worker1", client)
    sabotage = deployment.sabotage("worker1")
    sabotage.plan(Plan("/token", "interface", place, FOREVER))

    with ThreadPoolExecutor(8) as at_once:
        answers = list(at_once.map(lambda one: one.refresh(deployment, "worker1"), members))
    fired = sabotage.fired()
    sabotage.plan(None)
    pairs = [answer.json() for answer in answers]
    onward = [
        deployment.at("worker2", client).refresh(pair["refresh_token"]).status_code
        for pair in pairs
    ]

    assert fired, "or this proves nothing"
    assert [answer.status_code for answer in answers] == [200] * 8
    assert onward == [200] * 8


def test_c102_the_database_is_away(deployment, join):
    """Known sessions and unknown ones; the same request works when it is back."""
    known, unknown = join(), join()
    for at in PROCESSES:
        assert known.refresh(deployment, at).status_code == 200

    deployment.postgres.halt()
    try:
        away = [one.refresh(deployment, at) for one in (known, unknown) for at in PROCESSES]
    finally:
        deployment.postgres.resume()
    deployment.heal()

    for answer in away:
        assert_told_to_come_back(answer)
    assert known.refresh(deployment, "worker1").status_code == 200
    assert unknown.refresh(deployment, "worker2").status_code == 200


def test_c102_every_connection_is_broken(deployment, join):
    """As after a restart of the database: a first try is enough, also for accounts not seen before."""
    members = [join() for _ in range(24)]
    name = deployment.database.connection["dbname"]
    with ThreadPoolExecutor(12) as at_once:

        def refresh(some):
            answers = at_once.map(lambda member: member.refresh(deployment, "worker1"), some)
            return [answer.status_code for answer in answers]

        assert refresh(members[:12]) == [200] * 12  # the pool has as many connections as it may
        deployment.postgres.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        answers = refresh(members[12:])

    assert answers == [200] * 12


@pytest.mark.parametrize("looked_up", ["nextgen_look_up_accounts", "nextgen_look_up_devices"])
def test_c102_synapse_meets_a_broken_connection(deployment, join, looked_up):
    """What Synapse reads for us is asked for again, like what we read: a first try is enough."""
    member = join()
    sabotage = deployment.sabotage("worker1")
    sabotage.plan(Plan("/token", "disconnect", Point(STATEMENT, looked_up, 1)))

    answer = member.refresh(deployment, "worker1")

    assert sabotage.fired() == 1, sabotage.seen()
    assert answer.status_code == 200, answer.text


def test_c102_the_main_process_is_away(deployment, join):
    members = [join() for _ in WORKERS]
    deployment.main.stop()

    answers = [one.refresh(deployment, at) for one, at in zip(members, WORKERS, strict=True)]

    assert [answer.status_code for answer in answers] == [200, 200]


def test_c102_redis_is_away(deployment, join):
    members = [join() for _ in PROCESSES]
    deployment.redis.halt()
    try:
        answers = [one.refresh(deployment, at) for one, at in zip(members, PROCESSES, strict=True)]
    finally:
        deployment.redis.start()

    assert [answer.status_code for answer in answers] == [200] * 3


def test_c102_what_is_wrong_in_itself_is_called_so(deployment, join):
    """These keep their own error: the client can do something about it."""
    member, server = join(), deployment.server()
    stranger = server.client(web_client(client_name="Somebody else"))
    form = {"grant_type": "refresh_token", "client_id": member.client.id}

    told = [
        server.token(**form),
        server.token(**form, refresh_token="garbage"),
        member.refresh(deployment, "main", client_id="nobody"),
        member.refresh(deployment, "main", client_id=stranger.id),
        member.refresh(deployment, "main", scope="urn:synapse:admin:*"),
        requests.post(server.url("token"), data=[*form.items()] * 2, timeout=30),
    ]

    assert [(answer.status_code, answer.json()["error"]) for answer in told] == [
        (400, "invalid_request"),
        (400, "invalid_grant"),
        (401, "invalid_client"),
        (400, "invalid_grant"),
        (400, "invalid_scope"),
        (400, "invalid_request"),
    ]
    assert member.refresh(deployment, "main").status_code == 200
