"""Something is away for a while, under load: people notice an error at most, never a logout."""

import time

import psycopg2
import pytest

from support.crowd import settle
from support.deployment import PROCESSES, WORKERS
from support.load import NO_ANSWER, Load
from support.oauth import Browser
from support.sabotage import Plan
from support.scale import times
from support.waiting import busy, eventually


@pytest.fixture
def load(deployment, client):
    """Return the clients of thirty accounts; they begin to work in a `with` block."""
    users = [deployment.new_user() for _ in range(30)]
    return Load(deployment, client, settle(deployment, client.id, [u.user_id for u in users]))


def assert_nobody_was_logged_out(load):
    assert load.logouts == []
    assert load.lost() == {}
    assert load.statuses()["refresh", 200] > 5
    assert load.statuses()["use", 200] > 5


def gone(end):
    """Let a process end, and return when that began and when it was gone."""
    begun = time.monotonic()
    end()
    return begun, time.monotonic()


def test_c403_a_worker_is_killed(deployment, load):
    """The others go on; what was under way there is lost, and that is all."""
    with load:
        time.sleep(2)
        killed = gone(deployment.process("worker1").kill)
        time.sleep(times(4, 20))

    print(load.statuses())
    deployment.heal()
    assert_nobody_was_logged_out(load)
    assert load.unexplained([killed]) == []


def test_c361_workers_are_restarted_one_after_the_other(deployment, load):
    """As an operator does it for an update; the main process, too, in full."""
    stopped = []
    with load:
        for name in (*WORKERS, "main")[: times(1, 3)]:
            time.sleep(1)
            stopped.append(gone(deployment.process(name).stop))
            deployment.process(name).start()
        time.sleep(1)

    print(load.statuses())
    assert_nobody_was_logged_out(load)
    assert load.unexplained(stopped) == []


def test_c405_postgresql_restarts(deployment, client, load):
    """Errors of ours while it is away; then everybody goes on within seconds."""
    (stranger,) = settle(deployment, client.id, [deployment.new_user().user_id])
    with load:
        time.sleep(1)
        deployment.postgres.halt()
        try:
            unknown = client.server.whoami(stranger.access_token)
            time.sleep(times(2, 20))
        finally:
            deployment.postgres.resume()
        back = time.monotonic()
        time.sleep(times(4, 15))

    print(load.statuses())
    assert_nobody_was_logged_out(load)
    assert (unknown.status_code, unknown.headers["Retry-After"]) == (503, "5")
    assert {failure.status for failure in load.failures} <= {503, NO_ANSWER}
    assert load.failures
    assert max(outcome.at for outcome in load.failures) < back + 10 * busy()


def test_c406_c357_redis_is_away(deployment, client, load):
    """Tokens are used and refreshed as ever; what ends meanwhile is over for good on its return."""
    user = deployment.new_user()
    (revoked,) = settle(deployment, client.id, [user.user_id])
    servers = {name: deployment.server(name) for name in PROCESSES}
    for server in servers.values():
        assert server.whoami(revoked.access_token).status_code == 200

    def refused(names):
        return all(servers[n].whoami(revoked.access_token).status_code == 401 for n in names)

    with load:
        deployment.redis.halt()
        try:
            time.sleep(times(1, 60))
            answer = servers["worker1"].revoke(token=revoked.refresh_token)
            there = refused(["worker1"])
            renewed = deployment.at("worker2", client).refresh(revoked.refresh_token)
            time.sleep(times(1, 240))
        finally:
            deployment.redis.start()
        back = time.monotonic()
        heard = eventually(lambda: refused(PROCESSES))
        converged = time.monotonic() - back

    print(load.statuses(), f"everybody heard of it {converged:.1f} s after the return of Redis")
    assert_nobody_was_logged_out(load)
    assert load.failures == []
    assert answer.status_code == 200
    assert there
    assert renewed.json()["error"] == "invalid_grant"
    assert heard
    assert converged < times(10, 30) * busy()


def test_c407_one_transaction_in_a_hundred_fails(deployment, load):
    """Serialization failures and broken connections, at random: nobody notices after a retry."""
    for name in PROCESSES:
        deployment.sabotage(name).plan(Plan("", "mixed", times=10**9, chance=0.005))

    def strikes():
        return sum(deployment.sabotage(name).fired() for name in PROCESSES)

    with load:
        time.sleep(times(5, 600))
        eventually(strikes)
    struck = strikes()

    print(load.statuses(), f"{struck} faults")
    deployment.heal()
    assert_nobody_was_logged_out(load)
    assert struck > 0
    assert len(load.failures) <= 3 + len(load.outcomes) / 100


@pytest.fixture
def read_only(deployment):
    """Let the database refuse to write, as it does when its disk is full or it is a replica."""
    name = deployment.database.connection["dbname"]

    def switch(value):
        deployment.postgres.execute(
            f"ALTER DATABASE {name} SET default_transaction_read_only = {value}"
        )
        end_connections()

    def end_connections():
        deployment.postgres.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )

    switch("on")
    yield
    switch("off")
    assert eventually(lambda: _can_write(deployment))
    # One that was on its way meanwhile took the old setting along, and shows only by now.
    end_connections()


def _can_write(deployment):
    try:
        deployment.query("UPDATE nextgen_sessions SET address = address WHERE FALSE")
    except psycopg2.Error:
        return False
    return True


def test_c350_a_database_that_cannot_be_written(deployment, client, request):
    """503 everywhere, pages that say so, and no 4xx that would make a client forget its keys."""
    user = deployment.new_user()
    known, spare = settle(deployment, client.id, [user.user_id] * 2)
    parameters, verifier = client.request()
    waiting = Browser(client.server)
    waiting.authorize(parameters)
    code = Browser(client.server).let_in(parameters, user.localpart, user.password)["code"]
    assert client.server.whoami(known.access_token).status_code == 200

    request.getfixturevalue("read_only")
    tokens = [
        client.refresh(spare.refresh_token),
        client.redeem(code, verifier),
        client.server.revoke(token=spare.refresh_token),
    ]
    pages = [
        Browser(client.server).authorize(parameters),
        waiting.sign_in(user.localpart, user.password),
    ]
    used = client.server.whoami(known.access_token)

    assert [answer.status_code for answer in tokens] == [503, 503, 503]
    assert [answer.json()["error"] for answer in tokens] == ["temporarily_unavailable"] * 3
    assert [page.status_code for page in pages] == [503, 503]
    assert all("Retry-After" in answer.headers for answer in (*tokens, *pages))
    assert used.status_code == 200
