"""What a transaction refuses, and that its random ids are the same whenever it runs again."""

import pytest

from support.records import ALICE, a_session
from synapse_nextgen_auth.oauth.sessions import End
from synapse_nextgen_auth.store import sessions, strays
from synapse_nextgen_auth.store.txn import NotASelect, Txn, is_select


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("SELECT 1", True),
        ("  \n select 1", True),
        ("SELECT updated_at, inserted FROM t", True),
        ("WITH a AS (SELECT 1) SELECT * FROM a", True),
        ("WITH used AS (VALUES (1)) UPDATE t SET a = 1 FROM used", False),
        ("WITH gone AS (DELETE FROM t RETURNING a) SELECT * FROM gone", False),
        ("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", False),
        ("SELECT 1 INTO t", False),
        ("SELECT 1; DELETE FROM t", False),
        ("SELECT * FROM t FOR UPDATE", False),
        ("INSERT INTO t VALUES (1)", False),
        ("UPDATE t SET a = 1", False),
        ("DELETE FROM t", False),
        ("CREATE TABLE t (a TEXT)", False),
        ("TRUNCATE t", False),
        ("EXPLAIN ANALYZE DELETE FROM t", False),
        ("", False),
    ],
)
def test_a_select_is_told_from_what_writes(sql, reads):
    """PostgreSQL lets a WITH write, and a SELECT make a table."""
    assert is_select(sql) is reads


@pytest.mark.parametrize(
    "write",
    [
        lambda txn: sessions.add(txn, a_session()),
        lambda txn: sessions.end(txn, "s", why=End.LOGOUT, now=1),
        lambda txn: sessions.confirm(txn, [("s", 1, 1)]),
        lambda txn: strays.set_right(txn, ["s"], now=1),
    ],
    ids=["insert", "update", "with", "many"],
)
def test_what_only_reads_cannot_write(tables, write):
    """The statement is refused before it runs."""
    tables.run(sessions.add, a_session(session_id="s", device_id=None))
    with tables.begin() as txn:
        before = txn.execute("SELECT * FROM nextgen_sessions"), txn.fetchall()
        with pytest.raises(NotASelect):
            write(Txn.reading(txn.cursor))
        txn.execute("SELECT * FROM nextgen_sessions")

        assert txn.fetchall() == before[1]


def test_what_only_reads_asks_once(tables):
    """Outside a transaction two SELECTs may see two states of the database."""
    with tables.begin() as txn:
        reading = Txn.reading(txn.cursor)

        assert sessions.list_living(reading, ALICE) == []
        with pytest.raises(NotASelect):
            sessions.list_living(reading, ALICE)


def test_what_was_written_keeps_its_place_at_the_next_attempt(tables):
    """In whatever order it comes then: the first may have been written although nobody heard of it."""
    places: dict[str, int] = {}
    with tables.begin() as txn:
        one, again = (Txn(txn.cursor, seed="seed", places=places) for _ in range(2))
        first = {about: one.place_of(about) for about in "abc"}
        second = {about: again.place_of(about) for about in "dcba"}

    assert first == {"a": 0, "b": 1, "c": 2}
    assert second == {**first, "d": 3}


def test_ids_are_random_and_the_same_at_the_next_attempt(tables):
    """In whatever order they are asked for; another transaction gets others."""
    with tables.begin() as txn:
        one, again, other = (Txn(txn.cursor, seed=seed) for seed in ("seed", "seed", "another"))
        first = [one.draw(about) for about in ("a", "a", "b")]
        second = [again.draw(about) for about in ("b", "a", "a")]
        third = [other.draw(about) for about in ("a", "a", "b")]

    assert sorted(first) == sorted(second)
    assert len({*first, *third}) == 6
