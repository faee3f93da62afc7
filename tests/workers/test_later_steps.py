"""A release that adds a column, an index and a backfill, while people use the homeserver."""

import sqlite3
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest
from synapse.config.database import DatabaseConnectionConfig

import support
from support.databases import PostgresDatabase, SqliteDatabase
from support.later_release import BACKFILL, COLUMN, INDEX, STEPS
from support.oauth import Server
from support.records import NOW
from support.waiting import eventually
from synapse_nextgen_auth.homeserver.database import schema
from synapse_nextgen_auth.store import migrations
from synapse_nextgen_auth.store.migrations import SchemaRefused
from synapse_nextgen_auth.store.steps import Index

LATER_RELEASE = {"modules": [{"module": "support.later_release.Module"}]}


def versions(database):
    return [v for (v,) in database.query("SELECT version FROM nextgen_schema ORDER BY version")]


def configured(database):
    return DatabaseConnectionConfig("main", database.section())


@pytest.fixture
def release(monkeypatch):
    """Make what runs in this process a later release; return its steps."""
    steps = [*migrations.known(), *STEPS]
    monkeypatch.setattr(migrations, "known", lambda: steps)
    return steps


@pytest.fixture
def tables(postgres_server):
    """Return a PostgreSQL database with today's tables and a session in them."""
    database = PostgresDatabase.on(postgres_server)
    schema.apply(configured(database), "hs", now=NOW)
    database.query(
        "INSERT INTO nextgen_sessions (session_id, user_id, client_id, scope, generation,"
        " rotated_at, confirmed_generation, auth_time, created_at, last_active_at)"
        " VALUES ('s', '@a:hs', 'c', 'openid', 1, 1, 0, 1, 1, 1)"
    )
    return database


def test_c373_a_step_waits_for_a_dump_and_no_refresh_waits_for_the_step(tables, release):
    """The queue behind a waiting ALTER TABLE is let through after a second, again and again."""
    waits = []
    with closing(psycopg2.connect(**tables.connection)) as dump:
        dump.cursor().execute("SELECT * FROM nextgen_sessions")  # holds it until the end
        start = threading.Thread(
            target=schema.apply, args=(configured(tables), "hs"), kwargs={"now": NOW}
        )
        start.start()
        is_queued = eventually(lambda: queued(tables))
        for _ in range(8):
            began = time.monotonic()
            tables.query("UPDATE nextgen_sessions SET last_active_at = last_active_at + 1")
            waits.append(time.monotonic() - began)
        is_waiting = COLUMN.version not in versions(tables)
        dump.rollback()
        start.join(timeout=60)

    assert is_queued
    assert is_waiting
    # One that came while the step was in the queue waited for it, and none for the dump.
    assert sorted(waits)[4] < 1
    assert versions(tables)[-1] == COLUMN.version


def begun(config):
    thread = threading.Thread(target=schema.apply, args=(config, "hs"), kwargs={"now": NOW})
    thread.start()
    return thread


def queued(database):
    return database.query(
        "SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
    )


def test_c373_a_table_that_is_held_for_long_is_one_sentence(tables, release, monkeypatch):
    """Which steps are missing is as clear afterwards as before."""
    monkeypatch.setattr(schema, "PATIENCE", 0)
    with closing(psycopg2.connect(**tables.connection)) as dump:
        dump.cursor().execute("SELECT * FROM nextgen_sessions")

        with pytest.raises(SchemaRefused, match="in use for 0 seconds without a break"):
            schema.apply(configured(tables), "hs", now=NOW)

    assert versions(tables) == [step.version for step in release[: -len(STEPS)]]


def test_the_next_index_needs_no_word_that_the_connection_of_the_last_is_gone(tables, monkeypatch):
    """PostgreSQL may be slow to notice a connection that was closed, and still holds its locks."""
    with ExitStack() as closed_late:

        @contextmanager
        def lingering(database, server_name):
            yield closed_late.enter_context(connected(database, server_name))

        connected = schema._connection
        monkeypatch.setattr(schema, "_connection", lingering)
        monkeypatch.setattr(schema, "database_of", lambda _: configured(tables))
        built = [
            schema.build(SimpleNamespace(hostname="hs"), index, when_begun=lambda _: None)
            for index in migrations.known()
            if isinstance(index, Index)
        ]

    assert len(built) > 2
    assert all(built)


def test_a_sqlite_file_in_use_is_waited_for(tmp_path, release, monkeypatch):
    """Another program that writes into it is not the end of the start."""
    database = SqliteDatabase(tmp_path)
    database.query("PRAGMA journal_mode = WAL")  # as Synapse has it
    config = configured(database)
    config.config["args"]["timeout"] = 0.1
    monkeypatch.setattr(schema, "_PAUSE", 0.1)
    with closing(sqlite3.connect(database.path)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        start = begun(config)
        start.join(timeout=1)
        waits = start.is_alive()
        writer.rollback()
        start.join(timeout=60)

    assert waits
    assert versions(database)[-1] == BACKFILL.version


@pytest.fixture(params=["sqlite", "postgres"])
def upgraded(request, start_homeserver):
    """Return a homeserver with a session, made ready for the later release and not started."""
    homeserver = start_homeserver(request.param)
    user, client = homeserver.new_user(), Server(homeserver.base_url).client()
    tokens = [client.sign_in(user.localpart, user.password) for _ in range(4)]
    homeserver.stop()
    (homeserver.directory / "support").symlink_to(Path(support.__file__).parent)
    homeserver.config = LATER_RELEASE
    homeserver.write_config()
    return homeserver, client, tokens


def is_done(homeserver):
    return eventually(lambda: versions(homeserver.database)[-1] == BACKFILL.version)


def indexes(homeserver):
    """Return whether each index of the name is whole."""
    if homeserver.database.kind == "sqlite":
        sql = "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?"
    else:
        sql = (
            "SELECT CASE WHEN indisvalid THEN 1 ELSE 0 END FROM pg_index"
            " JOIN pg_class ON pg_class.oid = indexrelid WHERE relname = ?"
        )
    return homeserver.query(sql, INDEX.name)


def test_c373_a_later_release_brings_all_of_it_while_people_go_on(upgraded):
    """The column is there at the start; index and backfill come by themselves."""
    homeserver, client, tokens = upgraded

    homeserver.start()
    refreshed = [client.refresh(each["refresh_token"]) for each in tokens]

    assert is_done(homeserver)
    assert [answer.status_code for answer in refreshed] == [200] * 4
    assert indexes(homeserver) == [(1,)]
    assert homeserver.query("SELECT DISTINCT season FROM nextgen_sessions") == [("winter",)]
    assert f"Step {BACKFILL.version} of the tables: 4 rows filled" in homeserver.log_text()


@pytest.mark.parametrize("upgraded", ["postgres"], indirect=True)
def test_c371_a_process_that_stops_lets_go_of_an_index_and_the_next_one_builds_it(upgraded):
    """An index waits for every older transaction: a stop does not, and a half-made one is no end."""
    homeserver, _, _ = upgraded
    # For an index of Synapse's own its stop waits.
    homeserver.query("DELETE FROM background_updates RETURNING 1")
    with closing(psycopg2.connect(**homeserver.database.connection)) as reader:
        reader.set_session(isolation_level="REPEATABLE READ")
        reader.cursor().execute("SELECT * FROM nextgen_sessions")
        # The column would wait for a reader of the same table.
        reader.rollback()
        reader.cursor().execute("SELECT * FROM users")
        homeserver.start()
        is_half = eventually(lambda: indexes(homeserver) == [(0,)])
        began = time.monotonic()
        homeserver.stop()
        took = time.monotonic() - began

    assert is_half
    assert took < 20
    assert INDEX.version not in versions(homeserver.database)

    homeserver.start()

    assert is_done(homeserver)
    assert indexes(homeserver) == [(1,)]
