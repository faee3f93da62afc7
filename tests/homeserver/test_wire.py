"""A connection under the reactor: what goes wrong with it is heard, and nothing of it stays open."""

import errno
import os
import select
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest
from synapse.logging.context import SENTINEL_CONTEXT, LoggingContext, current_context
from twisted.internet.defer import ensureDeferred

from support.standstill import standing_still
from support.waiting import eventually
from synapse_nextgen_auth.homeserver.contexts import Nowhere
from synapse_nextgen_auth.homeserver.database import own_connection
from synapse_nextgen_auth.homeserver.database.opening import connect
from synapse_nextgen_auth.homeserver.database.own_connection import OwnConnection
from synapse_nextgen_auth.homeserver.database.wire import Wire


class Watching:
    """As much of a reactor as a connection needs; `turn` waits until there is something to do."""

    def __init__(self):
        self.readers, self.writers, self.wrote = set(), set(), 0

    def addReader(self, one):  # noqa: N802 (Twisted's names)
        self.readers.add(one)

    def removeReader(self, one):  # noqa: N802
        self.readers.discard(one)

    def addWriter(self, one):  # noqa: N802
        self.writers.add(one)

    def removeWriter(self, one):  # noqa: N802
        self.writers.discard(one)

    def turn(self):
        can_read, can_write, _ = select.select(self.readers, self.writers, [], 30)
        for one in can_write:
            self.wrote += 1
            one.doWrite()
        for one in can_read:
            one.doRead()


class Open:
    """An open wire, who hears of its end, and what its answers were."""

    def __init__(self, arguments):
        self.reactor, self.ends = Watching(), []
        self.connection = connect(psycopg2, arguments)
        self.wire = Wire(self.reactor, psycopg2, self.connection, self.lost)

    def lost(self, error, *, was_asked):
        assert current_context() is SENTINEL_CONTEXT
        self.ends.append((type(error), was_asked))

    def run(self, sql, *parameters):
        """Return the rows, or the error."""
        heard = []
        self.wire.ask(sql, parameters).addBoth(heard.append)
        while not heard:
            self.reactor.turn()
        return getattr(heard[0], "value", heard[0])


@pytest.fixture(scope="module")
def arguments(postgres_server):
    return postgres_server.create_database()


@pytest.fixture
def opened(arguments):
    opened = Open(arguments)
    yield opened
    opened.wire.close(ConnectionError())


def rows(arguments, sql, *parameters):
    """Run a statement beside it; return its rows."""
    with (
        closing(psycopg2.connect(**arguments)) as other,
        other,
        other.cursor() as cursor,
    ):
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def numbers():
    """Return which files and sockets this process has open."""
    return {path.name: path.readlink() for path in Path("/proc/self/fd").iterdir() if path.exists()}


def test_statements_are_answered_one_after_the_other(opened):
    """Each is committed by itself, and what is prefixed holds for it alone."""
    prefix = "SET LOCAL synchronous_commit TO OFF; "

    rows = [opened.run("SELECT %s::int", number) for number in (1, 2, 3)]
    off = opened.run(f"{prefix}SELECT current_setting('synchronous_commit')")
    after = opened.run("SELECT current_setting('synchronous_commit') = 'off'")
    default = opened.run(
        "SELECT boot_val = 'off' OR reset_val = 'off' FROM pg_settings"
        " WHERE name = 'synchronous_commit'"
    )

    assert rows == [[(1,)], [(2,)], [(3,)]]
    assert off == [("off",)]
    assert after == default
    assert opened.ends == []


def test_an_answer_that_lies_ready_is_found_by_who_looks(opened):
    """After the process stood still its timers come first: the database is not what was slow."""
    heard = []
    opened.wire.ask("SELECT 1", ()).addBoth(heard.append)
    while not heard:
        select.select(opened.reactor.readers, opened.reactor.writers, [], 30)
        opened.wire.look()

    assert heard == [[(1,)]]
    assert not opened.wire.is_busy


def test_where_no_file_is_left_the_connection_is_closed(monkeypatch, arguments):
    """It is told like one that could not be opened, and the next try waits."""
    counted, driver = [], SimpleNamespace(Error=psycopg2.Error)
    connection = connect(psycopg2, arguments)
    own = object.__new__(OwnConnection)
    own._count, own._reactor, own._driver = counted.append, Watching(), driver
    own._whom = "refreshes"
    own._is_closed = own._is_told = False
    own._failures, own._not_before, own._wire, own._hs, own._arguments = 0, 0.0, None, None, {}

    async def in_thread(*_args):
        return connection

    def no_file(_number):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(own_connection, "in_thread", in_thread)
    monkeypatch.setattr(os, "dup", no_file)
    ensureDeferred(own._open())

    assert counted == ["not_opened"]
    assert connection.closed
    assert own._not_before > time.monotonic()


def test_a_statement_larger_than_the_socket_takes_is_written_in_parts(opened):
    large = "x" * 20_000_000

    rows = opened.run("SELECT length(%s)", large)

    assert rows == [(len(large),)]
    assert opened.reactor.wrote > 0
    assert opened.reactor.writers == set()


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT 1 / 0", psycopg2.errors.DivisionByZero),
        ("nonsense", psycopg2.errors.SyntaxError),
        ("SELECT pg_terminate_backend(pg_backend_pid())", psycopg2.OperationalError),
    ],
)
def test_what_fails_is_heard_and_ends_the_connection(opened, sql, error):
    """By who asked, and once by who has it; there is nothing left to watch."""
    failure = opened.run(sql)

    assert isinstance(failure, error)
    assert [was_asked for _, was_asked in opened.ends] == [True]
    assert opened.reactor.readers == set()
    assert opened.connection.closed


def test_a_connection_that_ends_while_nobody_asks_is_noticed(opened, arguments):
    """As after a restart of the database."""
    ((pid,),) = opened.run("SELECT pg_backend_pid()")
    with psycopg2.connect(**arguments) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))
    other.close()

    def is_over():
        opened.reactor.turn()
        return opened.ends

    ((kind, was_asked),) = eventually(is_over)

    assert issubclass(kind, psycopg2.Error)
    assert not was_asked


def test_nothing_stays_open(arguments):
    """However it ends, and however often somebody says so."""
    before = numbers()

    for sql in ("SELECT 1", "SELECT 1 / 0", "SELECT pg_terminate_backend(pg_backend_pid())"):
        opened = Open(arguments)
        opened.run(sql)
        for _ in range(2):
            opened.wire.close(ConnectionError())
    hanging = Open(arguments)
    heard = []
    hanging.wire.ask("SELECT pg_sleep(60)", ()).addErrback(heard.append)
    hanging.wire.close(TimeoutError())

    assert [failure.type for failure in heard] == [TimeoutError]
    assert numbers() == before


def test_who_asks_within_a_context_goes_on_in_it(opened):
    """And the reactor is left without one."""
    seen = []

    async def request():
        with LoggingContext(name="request", server_name="test") as context:
            with Nowhere():
                rows = await opened.wire.ask("SELECT 1", ())
            seen.append((rows, current_context() is context))

    done = ensureDeferred(request())
    while not done.called:
        assert current_context() is SENTINEL_CONTEXT
        opened.reactor.turn()

    assert seen == [([(1,)], True)]
    assert current_context() is SENTINEL_CONTEXT


def test_c102_a_statement_given_up_is_not_waited_for(arguments, postgres_server):
    """Its process stands still and reads nothing, whatever is left to send: closing takes no time."""
    hanging = Open(arguments)
    ((pid,),) = hanging.run("SELECT pg_backend_pid()")
    heard = []

    with standing_still([pid]):
        hanging.wire.ask("SELECT length(%s)", ("x" * 20_000_000,)).addErrback(heard.append)
        began = time.monotonic()
        hanging.wire.close(TimeoutError())
        took = time.monotonic() - began
    is_over = eventually(
        lambda: not rows(arguments, "SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid)
    )

    assert [failure.type for failure in heard] == [TimeoutError]
    assert took < 1
    assert is_over


def test_c102_a_statement_given_up_may_happen_yet(arguments):
    """It was all there before the socket closed, so the database goes on with it."""
    hanging = Open(arguments)
    rows(arguments, "CREATE TABLE late (at int)")
    with closing(psycopg2.connect(**arguments)) as holder:
        holder.cursor().execute("LOCK TABLE late IN EXCLUSIVE MODE")
        heard = []
        hanging.wire.ask("INSERT INTO late VALUES (1) RETURNING at", ()).addErrback(heard.append)
        hanging.wire.close(TimeoutError())
        holder.rollback()
    happened = eventually(lambda: rows(arguments, "SELECT at FROM late"))

    assert [failure.type for failure in heard] == [TimeoutError]
    assert happened == [(1,)]
