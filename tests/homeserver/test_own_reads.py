"""Reads of many at once: by the connection of our own where it is there, and by the pool else."""

from types import SimpleNamespace

import pytest
from twisted.internet.defer import Deferred, ensureDeferred

from synapse_nextgen_auth.homeserver.database import own_reads
from synapse_nextgen_auth.homeserver.database.own_connection import NotAsked, TooSlow
from synapse_nextgen_auth.homeserver.database.own_reads import ENOUGH, GOES_ON, OwnReads
from synapse_nextgen_auth.store.txn import NotASelect

pytestmark = [pytest.mark.one_database]


class DatabaseError(Exception):
    """What the driver raises."""


class Connection:
    """One that answers as the test says."""

    is_open = True

    def __init__(self):
        self.asked, self.answer = [], None

    async def run(self, sql, parameters):
        self.asked.append((sql, tuple(parameters)))
        if isinstance(self.answer, Exception):
            raise self.answer
        return await self.answer if isinstance(self.answer, Deferred) else self.answer


class Process:
    """The reads of a process, whose clock and pool are the test's."""

    def __init__(self, monkeypatch, *, is_possible=True):
        self.connection, self.now, self.pooled, self.counted = Connection(), 1000.0, [], []
        made = {
            "is_possible": staticmethod(lambda *_: is_possible),
            "__new__": lambda *_: self.connection,
        }
        monkeypatch.setattr(own_reads, "OwnConnection", type("Made", (), made))
        monkeypatch.setattr(own_reads.time, "monotonic", lambda: self.now)
        module = SimpleNamespace(Error=DatabaseError)
        engine = SimpleNamespace(
            module=module, convert_param_style=lambda sql: sql.replace("?", "%s")
        )
        store = SimpleNamespace(database_engine=engine)
        hs = SimpleNamespace(get_datastores=lambda: SimpleNamespace(main=store))
        metrics = SimpleNamespace(poll_read=self.counted.append, poll_connection=None)
        self.reads = OwnReads(hs, None, metrics, self._pool)

    async def _pool(self, _select, keys):
        self.pooled.append(tuple(keys))
        return dict.fromkeys(keys, "pool")

    def read(self, *keys, select=None):
        heard = []
        ensureDeferred(self.reads.read(select or numbers, keys)).addBoth(heard.append)
        (found,) = heard
        return getattr(found, "value", found)

    def crowd(self):
        for _ in range(ENOUGH):
            self.read("before")
        self.pooled.clear()
        self.connection.asked.clear()
        self.counted.clear()


def numbers(txn, keys):
    txn.execute(f"SELECT key, value FROM numbers WHERE key IN ({', '.join('?' * len(keys))})", keys)
    return {key: int(value) for key, value in txn.fetchall()}


@pytest.fixture
def process(monkeypatch):
    process = Process(monkeypatch)
    process.connection.answer = [("a", "1"), ("b", "2")]
    return process


def test_few_are_read_by_the_pool(process):
    found = [process.read("a") for _ in range(ENOUGH - 1)]
    process.now += 1.1
    later = process.read("a")

    assert [*found, later] == [{"a": "pool"}] * ENOUGH
    assert process.connection.asked == []


def test_many_within_a_second_are_read_by_the_connection(process):
    """In the words of its driver, and by the same function."""
    process.crowd()

    assert process.read("a", "b", "c") == {"a": 1, "b": 2}
    sql = "SELECT key, value FROM numbers WHERE key IN (%s, %s, %s)"
    assert process.connection.asked == [(sql, ("a", "b", "c"))]
    assert process.pooled == []
    assert process.counted == ["done"]


def test_a_while_after_the_last_of_many_the_pool_reads_again(process):
    process.crowd()
    process.now += GOES_ON - 1
    still = process.read("a")
    process.now += 2
    over = process.read("a")

    assert still == {"a": 1, "b": 2}
    assert over == {"a": "pool"}


@pytest.mark.parametrize(
    ("error", "counted"),
    [(NotAsked(), "failed"), (TooSlow(), "timed_out"), (DatabaseError("gone"), "failed")],
)
def test_whatever_becomes_of_the_connection_the_pool_decides(process, error, counted):
    process.crowd()
    process.connection.answer = error

    assert process.read("a") == {"a": "pool"}
    assert process.counted == [counted]


def test_a_connection_that_is_not_open_is_not_asked(process):
    process.crowd()
    process.connection.is_open = False

    assert process.read("a") == {"a": "pool"}
    assert process.connection.asked == []
    assert process.counted == []


def test_where_there_can_be_none_the_pool_reads(monkeypatch):
    process = Process(monkeypatch, is_possible=False)
    process.crowd()

    assert process.read("a") == {"a": "pool"}
    assert process.connection.asked == []


def test_a_row_that_cannot_be_read_is_heard_of(process):
    """The pool would find the same, and whoever asked for others tells them apart."""
    process.crowd()
    process.connection.answer = [("a", "no number")]

    assert isinstance(process.read("a"), ValueError)
    assert process.pooled == []
    assert process.counted == ["done"]


@pytest.mark.parametrize("sql", ["DELETE FROM numbers", "WITH x AS (DELETE FROM n) SELECT 1"])
def test_what_writes_never_gets_there(process, sql):
    process.crowd()

    found = process.read("a", select=lambda txn, _keys: txn.execute(sql))

    assert isinstance(found, NotASelect)
    assert process.connection.asked == []


def test_who_is_cancelled_leaves_the_pool_alone(process):
    process.crowd()
    process.connection.answer = Deferred()
    waiting = ensureDeferred(process.reads.read(numbers, ("a",)))
    ended = []
    waiting.addBoth(lambda failure: ended.append(failure.type.__name__))
    waiting.cancel()

    assert ended == ["CancelledError"]
    assert process.pooled == []
