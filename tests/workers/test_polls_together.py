"""Polls of many devices go by a connection of their own, and say what Synapse's pool would."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest

from support import own_connection
from support.deployment import HoppingBrowser
from support.own_connection import POLLS
from support.television import Television, let_in
from support.waiting import eventually

HERE = "worker2"
AT_ONCE = 8
REFUSED = {(400, "invalid_grant")}


@pytest.fixture
def television(deployment):
    return Television.begin(deployment.server("main"))


def polls(deployment, television, count=25):
    """Let as many devices poll with codes that nobody knows; return what they are told."""
    here = deployment.server(HERE)

    def poll(_):
        answer = television.poll(at=here, device_code=secrets.token_urlsafe(32))
        return answer.status_code, answer.json()["error"]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return set(pool.map(poll, range(count)))


def backends(deployment):
    return own_connection.backends(deployment, POLLS)


def go_together(deployment, television):
    """Poll until polls go by the connection."""

    def is_there():
        assert polls(deployment, television) == REFUSED
        return backends(deployment)

    assert eventually(is_there), "no connection for polls"


def test_what_polls_are_told_is_how_it_is_now(deployment, television):
    """Whatever another process wrote a moment ago: nothing is remembered."""
    user, tv = deployment.new_user(), Television.begin(deployment.server("main"))
    go_together(deployment, television)

    waiting = tv.poll(at=deployment.server(HERE))
    let_in(HoppingBrowser(deployment, "worker1"), tv, user)
    answer = tv.poll(at=deployment.server(HERE))

    assert waiting.json()["error"] == "authorization_pending"
    assert answer.status_code == 200, answer.text
    assert deployment.server(HERE).whoami(answer.json()["access_token"]).status_code == 200


def test_a_connection_that_is_cut_is_no_failure(deployment, television):
    """The pool answers instead, and another one is there soon."""
    go_together(deployment, television)
    told = set()

    with ThreadPoolExecutor(1) as beside:
        polling = beside.submit(polls, deployment, television, 200)
        cuts = 0
        while not polling.done():
            cuts += own_connection.cut(deployment, POLLS)
        told |= polling.result()
    go_together(deployment, television)

    assert told == REFUSED
    assert cuts >= 1


def test_where_a_table_is_locked_polls_wait_and_are_answered(deployment, television):
    """The statement is given up after a while, and Synapse's pool waits as it always did."""
    go_together(deployment, television)
    waiting = (
        "SELECT application_name FROM pg_stat_activity"
        " WHERE wait_event = 'relation' AND datname = current_database()"
    )

    with closing(psycopg2.connect(**deployment.database.connection)) as holder:
        holder.cursor().execute("LOCK TABLE nextgen_device_grants IN ACCESS EXCLUSIVE MODE")
        with ThreadPoolExecutor(1) as beside:
            polling = beside.submit(polls, deployment, television, AT_ONCE)
            first = eventually(lambda: deployment.query(waiting))
            pooled = eventually(
                lambda: [(name,) for (name,) in deployment.query(waiting) if name != POLLS]
            )
            holder.rollback()
            told = polling.result()

    assert (POLLS,) in first
    assert pooled
    assert told == REFUSED
