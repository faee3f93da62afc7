"""Refreshes as one statement for many, on a connection of our own: nobody notices what becomes of it."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from threading import Event

import attrs
import psycopg2
import pytest
import requests

from support import own_connection
from support.crowd import settle
from support.deployment import PROCESSES, WORKERS
from support.listeners import port, silent
from support.own_connection import backends, go_together
from support.sabotage import STATEMENT, TOGETHER, Plan, Point
from support.scale import times
from support.standstill import family, standing_still
from support.tokens import inside
from support.waiting import eventually
from synapse_nextgen_auth.cli.accounts import AccountError

HERE = "worker1"


@attrs.frozen
class Took:
    """What a request was answered with, and how many seconds that took."""

    status: int
    took: float


def timed(request):
    began = time.monotonic()
    return Took(request().status_code, time.monotonic() - began)


@attrs.define
class Chain:
    """A client that refreshes again and again, at one process or another, and remembers the answers."""

    deployment: object
    client: object
    refresh_token: str
    session_id: str
    user_id: str
    access_token: str
    statuses: list = attrs.field(factory=list)

    def refresh(self, at=HERE):
        answer = self.deployment.at(at, self.client).refresh(self.refresh_token)
        self.statuses.append(answer.status_code)
        if answer.status_code == 200:
            self.refresh_token = answer.json()["refresh_token"]
            self.access_token = answer.json()["access_token"]
        return answer

    def use(self, at=HERE):
        return self.deployment.server(at).whoami(self.access_token).status_code


@pytest.fixture
def chains(deployment, client):
    """Return a function that begins some sessions."""

    def begin(count):
        members = settle(deployment, client.id, [deployment.new_user().user_id] * count)
        return [
            Chain(
                deployment,
                client,
                one.refresh_token,
                one.session.session_id,
                one.session.user_id,
                one.access_token,
            )
            for one in members
        ]

    return begin


def stored(deployment, chain, columns):
    sql = f"SELECT {columns} FROM nextgen_sessions WHERE session_id = ?"
    return deployment.query(sql, chain.session_id)[0]


def by_transaction(deployment, at):
    """Return which transactions refreshes took at a process since its plan was taken up."""
    seen = deployment.sabotage(at).seen()
    return {point.transaction for point in seen} & {TOGETHER, "nextgen_refresh"}


@pytest.mark.parametrize("at", PROCESSES)
def test_c094_reuse_is_found_though_no_transaction_saw_the_refreshes(
    deployment, client, chains, at
):
    """The first use of each pair is noted beside them all, so a copy of an old one is a thief's."""
    (chain,) = chains(1)
    chain.refresh(at)
    go_together(deployment, at, client)
    deployment.sabotage(at).plan(Plan("/token"))
    copied = chain.refresh_token

    for _ in range(20):
        chain.refresh(at)
        assert chain.use(at) == 200
    took = by_transaction(deployment, at)
    generation = inside(chain.access_token).generation
    confirmed = eventually(
        lambda: stored(deployment, chain, "confirmed_generation") == (generation,)
    )
    stolen = deployment.at("worker2", client).refresh(copied)

    assert took == {TOGETHER}
    assert confirmed, "what goes on in the background has died"
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    assert stored(deployment, chain, "end_reason") == ("reuse",)
    assert eventually(lambda: all(chain.use(name) == 401 for name in PROCESSES))
    assert chain.refresh(at).status_code == 400


def test_c097_one_token_at_once_on_two_processes_gives_one_pair(deployment, client, chains):
    """Together on both, and many times on each: the same generation for all of them."""
    for at in WORKERS:
        go_together(deployment, at, client)

    for chain in chains(times(10, 200)):
        at_once = [deployment.at(at, client) for at in WORKERS * 3]
        with ThreadPoolExecutor(len(at_once)) as pool:
            tokens = [chain.refresh_token] * len(at_once)
            answers = list(pool.map(lambda one, token: one.refresh(token), at_once, tokens))
        generations = {inside(answer.json()["access_token"]).generation for answer in answers}

        assert [answer.status_code for answer in answers] == [200] * len(at_once)
        assert generations == {inside(chain.refresh_token).generation + 1}


def cut_ours(deployment):
    own_connection.cut(deployment)


def cut_all(deployment):
    name = deployment.database.connection["dbname"]
    deployment.postgres.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )


def restart(deployment):
    deployment.postgres.halt()
    deployment.postgres.resume()


def mend(deployment):
    """Let Synapse's main process meet its broken connections: it answers 500 once for each of them."""

    def meet(_):
        with suppress(AccountError):
            deployment.new_user()

    for _ in range(3):
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(meet, range(12)))


@pytest.mark.parametrize("harm", [cut_ours, cut_all, restart])
def test_c103_what_is_cut_in_the_middle_of_refreshes_logs_nobody_out(
    deployment, client, chains, harm
):
    """Ours alone, everybody's, the whole server, again and again: 200 or come back, never a 4xx."""
    begun, over = chains(12), Event()
    for at in WORKERS:
        go_together(deployment, at, client)

    def go_on(number):
        while not over.is_set():
            begun[number].refresh(WORKERS[len(begun[number].statuses) % 2])

    with ThreadPoolExecutor(len(begun)) as pool:
        doing = [pool.submit(go_on, number) for number in range(len(begun))]
        try:
            for _ in range(times(4, 40)):
                harm(deployment)
                answered = sum(len(chain.statuses) for chain in begun)
                assert eventually(
                    lambda answered=answered: (
                        sum(len(chain.statuses) for chain in begun) > answered + 60
                    )
                )
        finally:
            over.set()
        for each in doing:
            each.result(60)
    statuses = [status for chain in begun for status in chain.statuses]
    for at in WORKERS:
        go_together(deployment, at, client, begun[0].user_id)  # they come back by themselves
    after = [chain.refresh().status_code for chain in begun]
    mend(deployment)

    assert {*statuses} <= ({200} if harm is cut_ours else {200, 503})
    assert after == [200] * len(begun)
    assert all(stored(deployment, chain, "ended_at") == (None,) for chain in begun)


def test_c102_a_connection_that_hangs_is_given_up(deployment, client, chains):
    """Its process stands still: the refresh is a transaction; others wait a moment, then not at all."""
    (chain, other) = chains(2)
    chain.refresh()
    before = set(backends(deployment))
    deployment.process(HERE).stop()
    deployment.process(HERE).start()
    go_together(deployment, HERE, client)
    (ours,) = set(backends(deployment)) - before
    sabotage = deployment.sabotage(HERE)
    sabotage.plan(Plan("/token"))

    os.kill(ours, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(timed, chain.refresh)
            assert eventually(lambda: Point(STATEMENT, TOGETHER, 1) in sabotage.seen())
            meanwhile = timed(other.refresh)
            hung = waiting.result(60)
            next_one = timed(other.refresh)
    finally:
        os.kill(ours, signal.SIGCONT)
    again = chain.refresh().status_code

    assert (hung.status, meanwhile.status, next_one.status, again) == (200, 200, 200, 200)
    assert hung.took >= 5
    assert meanwhile.took < hung.took - 1
    assert next_one.took < meanwhile.took
    assert inside(chain.refresh_token).generation == stored(deployment, chain, "generation")[0]


@contextmanager
def watched(deployment, at):
    """Ask a process for what needs no database, over and over; yield how long each answer took."""
    took, over = [], Event()
    url = f"{deployment.process(at).base_url}/_matrix/client/versions"

    def watch():
        while not over.is_set():
            began = time.monotonic()
            assert requests.get(url, timeout=60).status_code == 200
            took.append(time.monotonic() - began)

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            yield took
        finally:
            over.set()
            watching.result(90)


def test_c102_a_database_that_stands_still_holds_up_no_process(deployment, client, chains):
    """As its machine hangs: what needs no database is answered, and afterwards all go on."""
    *begun, late = chains(3)
    go_together(deployment, HERE, client, late.user_id)
    for chain in (*begun, late):
        chain.refresh()  # known there from now on: nothing needs to be read before the statement
    log = deployment.process(HERE).log_file
    known = len(log.read_text())

    with ThreadPoolExecutor(3) as pool, watched(deployment, HERE) as took:
        with standing_still(family(deployment.postgres.pid)):
            waiting = [pool.submit(chain.refresh) for chain in begun]
            given_up = eventually(
                lambda: "Lost the connection for refreshes" in log.read_text()[known:]
            )
            waiting.append(pool.submit(late.refresh))
            asked = len(took)
            goes_on = eventually(lambda: len(took) > asked + 100)
        answers = [each.result(90).status_code for each in waiting]
    begun.append(late)
    after = [chain.refresh().status_code for chain in begun]
    go_together(deployment, HERE, client, begun[0].user_id)

    assert given_up
    assert goes_on
    assert max(took) < 3
    assert {*answers} <= {200, 503}
    assert after == [200] * len(begun)
    assert all(stored(deployment, chain, "ended_at") == (None,) for chain in begun)
    assert [chain.use() for chain in begun] == [200] * len(begun)


def test_c102_a_statement_given_up_that_happens_yet_rotates_nobody_twice(
    deployment, client, chains
):
    """Somebody locks the table; the statement stood there first, the transaction behind it."""
    (chain,) = chains(1)
    go_together(deployment, HERE, client, chain.user_id)
    chain.refresh()
    sabotage = deployment.sabotage(HERE)
    sabotage.plan(Plan("/token"))
    before = stored(deployment, chain, "generation")[0]

    with (
        closing(psycopg2.connect(**deployment.database.connection)) as somebody,
        ThreadPoolExecutor(1) as pool,
    ):
        somebody.cursor().execute("LOCK TABLE nextgen_sessions IN EXCLUSIVE MODE")
        waiting = pool.submit(timed, chain.refresh)
        took_over = eventually(lambda: by_transaction(deployment, HERE) >= {"nextgen_refresh"})
        queue = waiting_for_the_table(deployment)
        somebody.rollback()
        answer = waiting.result(60)
    generation = stored(deployment, chain, "generation")[0]

    assert took_over
    assert own_connection.NAME in queue
    assert answer.status == 200
    assert answer.took >= 5
    assert Point(STATEMENT, TOGETHER, 1) in sabotage.seen()
    assert by_transaction(deployment, HERE) == {TOGETHER, "nextgen_refresh"}
    assert generation == before + 1 == inside(chain.access_token).generation
    assert chain.use() == 200
    assert chain.refresh().status_code == 200


def waiting_for_the_table(deployment):
    """Return the names of who waits to write sessions."""
    return [
        name
        for (name,) in deployment.query(
            "SELECT application_name FROM pg_stat_activity WHERE wait_event = 'relation'"
            " AND datname = current_database()"
        )
    ]


@pytest.fixture
def behind_a_dead_host(deployment):
    """Yield a listener that Synapse finds before its database; it refuses until it listens."""
    before, section = deployment.config, deployment.database.section()
    with silent() as dead:
        there = {
            "host": f"127.0.0.1,{deployment.postgres.directory}",
            "port": f"{port(dead)},5432",
            "connect_timeout": 2,
        }
        database = {**section, "args": {**section["args"], **there}}
        deployment.config = {**before, "database": database}
        try:
            again(deployment)
            yield dead
        finally:
            deployment.config = before
            again(deployment)


def again(deployment):
    """Start the process anew, with the configuration as it stands."""
    deployment.process(HERE).stop()
    deployment.write_config()
    deployment.process(HERE).start()


def test_c102_the_next_host_is_tried_where_the_first_never_answers(
    deployment, client, behind_a_dead_host
):
    """For as long as `connect_timeout` says, and the process answers meanwhile."""
    user_id = deployment.new_user().user_id
    go_together(deployment, HERE, client, user_id)

    behind_a_dead_host.listen()
    cut_ours(deployment)
    with watched(deployment, HERE) as took:
        go_together(deployment, HERE, client, user_id)

    assert max(took) < 1.5


def test_a_locked_row_holds_up_nobody_else(deployment, client, chains):
    """Its refresh waits for whoever holds it, alone."""
    held, *others = chains(5)
    go_together(deployment, HERE, client)
    with (
        closing(psycopg2.connect(**deployment.database.connection)) as somebody,
        ThreadPoolExecutor(1) as pool,
    ):
        somebody.cursor().execute(
            "SELECT 1 FROM nextgen_sessions WHERE session_id = %s FOR UPDATE", (held.session_id,)
        )
        waiting = pool.submit(held.refresh)
        answers = [chain.refresh().status_code for chain in others * 3]
        is_waiting = not waiting.done()
        somebody.rollback()
        waited = waiting.result(60).status_code

    assert answers == [200] * 12
    assert is_waiting
    assert waited == 200


def test_the_clock_goes_back_between_refreshes(deployment, client, chains):
    """Time says nothing about which pair is the current one (C379)."""
    chain, *_ = chains(1)
    go_together(deployment, HERE, client)
    sabotage = deployment.sabotage(HERE)

    for shift in (0, 3600, -3600, 10**7, 0):
        sabotage.plan(Plan("/token"), shift=shift)
        copied = chain.refresh_token
        assert chain.refresh().status_code == 200
        lost = deployment.at("worker2", client).refresh(copied).json()
        seen = sabotage.seen()

        assert Point(STATEMENT, TOGETHER, 1) in seen
        assert inside(lost["access_token"]).generation == inside(chain.access_token).generation
