"""Bringing the tables up to date before any listener is up.

The main process does the short steps, over a connection of its own; workers wait for it. Indexes and
backfills are for the housekeeping (`later_steps`).
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from urllib.parse import quote

from synapse.config.database import DatabaseConnectionConfig
from synapse.server import HomeServer
from synapse.storage.database import LoggingDatabaseConnection, LoggingTransaction, make_conn
from synapse.storage.engines import PostgresEngine, create_engine

from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.store import migrations
from synapse_nextgen_auth.store.migrations import SchemaRefused
from synapse_nextgen_auth.store.steps import Index
from synapse_nextgen_auth.store.txn import Cursor

NEEDS = (
    Needed("synapse.storage.database", "make_conn", ("db_config", "engine", "server_name")),
    Needed("synapse.storage.engines", "create_engine", ("database_config",)),
    *members("synapse.server", "HomeServer", "get_clock", "get_datastores"),
)

logger = logging.getLogger(__name__)

# "nextgen" in ASCII: the advisory lock that keeps two starting processes from racing.
_LOCK = 0x6E65787467656E
_LATER_LOCK = _LOCK + 1
# How long (seconds) a step waits for a table that somebody holds, a dump for instance. Whoever wants
# the table after it waits as long, workers with people's refreshes too: so for a moment at a time.
_LOCK_TIMEOUT = 1
_PAUSE = 3
PATIENCE = 60  # seconds, before the main process gives up
# Longer than that, and shorter than what systemd allows a service to start in.
WORKER_PATIENCE = 80
_LOCK_NOT_AVAILABLE, _DEADLOCK = "55P03", "40P01"  # PostgreSQL


def prepare(hs: HomeServer) -> None:
    """Apply the schema, or on a worker wait until the main process has."""
    try:
        if hs.config.worker.worker_app is None:
            apply(database_of(hs), hs.hostname, now=int(hs.get_clock().time_msec() // 1000))
        else:
            _wait(hs, patience=WORKER_PATIENCE)
    except driver_error(database_of(hs)) as error:
        raise SchemaRefused(
            "The database did not let the tables of synapse_nextgen_auth be made or read:"
            f" {' '.join(str(error).split())}. Synapse's database user must be able to create tables."
        ) from error


def is_ready(hs: HomeServer) -> bool:
    """Say whether the tables are there, as this release needs them; nothing is changed."""
    try:
        have = _applied(hs)
        return bool(have) and not migrations.missing(have, migrations.known())
    except (SchemaRefused, driver_error(database_of(hs))):
        return False


def apply(database: DatabaseConnectionConfig, server_name: str, *, now: int) -> None:
    """Bring the tables in this database up to date; raise `SchemaRefused` when they cannot be."""
    with _connection(database, server_name) as connection:
        give_up_at = time.monotonic() + PATIENCE
        going_on = True
        while going_on:
            try:
                going_on = _advance(connection, now=now)
            except connection.engine.module.OperationalError as error:
                connection.rollback()
                if not _is_held(error):
                    raise
                if time.monotonic() > give_up_at:
                    raise SchemaRefused(
                        "A table that this release of synapse_nextgen_auth has to change was in use"
                        f" for {PATIENCE} seconds without a break: by a dump or another long"
                        " transaction (pg_stat_activity lists those of PostgreSQL). Start again when"
                        " it is over; the steps that are missing are done then."
                    ) from None
                logger.info("Waiting for a table that somebody else holds: %s", str(error).strip())
                time.sleep(_PAUSE)


def _advance(connection: LoggingDatabaseConnection, *, now: int) -> bool:
    """Do what comes next in a transaction; False when there was nothing left to do."""
    txn = connection.cursor(txn_name="nextgen_schema")
    is_postgres = isinstance(connection.engine, PostgresEngine)
    if is_postgres:
        txn.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}s'")
        txn.execute("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
    else:
        txn.execute("BEGIN IMMEDIATE")
    going_on = migrations.advance(txn, migrations.known(), now=now, is_postgres=is_postgres)
    connection.commit()
    return going_on


def _is_held(error: Exception) -> bool:
    """Say whether a statement failed because somebody else holds what it needs."""
    code = getattr(error, "pgcode", None)
    return code in {_LOCK_NOT_AVAILABLE, _DEADLOCK} or "is locked" in str(error)


def build(
    hs: HomeServer, index: Index, *, when_begun: Callable[[Callable[[], None]], None]
) -> bool:
    """Build an index on PostgreSQL beside whoever writes, and block until it is there.

    False if another process does. `when_begun` is called with a function that interrupts it, from any
    thread.
    """
    with _connection(database_of(hs), hs.hostname) as connection:
        txn = connection.cursor(txn_name="nextgen_index")
        connection.engine.attempt_to_set_autocommit(connection.conn, True)
        txn.execute("SELECT pg_try_advisory_lock(?)", (_LATER_LOCK,))
        if txn.fetchone() != (True,):
            return False
        txn.execute("SET statement_timeout = 0")  # Synapse allows an hour
        if not _is_whole(txn, index):  # a process that was killed may have left its work behind
            when_begun(connection.conn.cancel)  # type: ignore[attr-defined]
            for statement in index.concurrently:
                txn.execute(statement)
        # The server notices a closed connection when it gets to it, and the next index comes at once.
        txn.execute("SELECT pg_advisory_unlock(?)", (_LATER_LOCK,))
        return True


def state(database: DatabaseConnectionConfig, server_name: str) -> tuple[dict[int, str], bool]:
    """Return the steps that were done in a database, and whether more can be; nothing is written."""
    arguments = database.config.get("args") or {}
    if database.config.get("name", "sqlite3") == "sqlite3":
        # Synapse's own way would make a file that is not there, and set up one that is empty.
        name = f"file:{quote(str(arguments.get('database')))}?mode=ro"
        with closing(sqlite3.connect(name, uri=True)) as file:
            return _done(file.cursor()), True
    with _connection(database, server_name) as connection:
        txn = connection.cursor(txn_name="nextgen_schema")
        try:
            txn.execute("SELECT has_schema_privilege(current_schema(), 'CREATE')")
            may_create = txn.fetchone() == (True,)
            txn.execute("SELECT to_regclass('nextgen_schema') IS NOT NULL")
            has_table = txn.fetchone() == (True,)
            return migrations.applied(txn) if has_table else {}, may_create
        finally:
            connection.rollback()


@contextmanager
def reading(database: DatabaseConnectionConfig, server_name: str) -> Iterator[Cursor]:
    """Yield a cursor for statements that write nothing; a file that is not there is an error."""
    if database.config.get("name", "sqlite3") == "sqlite3":
        name = f"file:{quote(str((database.config.get('args') or {}).get('database')))}?mode=ro"
        with closing(sqlite3.connect(name, uri=True)) as file:
            yield file.cursor()
        return
    with _connection(database, server_name) as connection:
        try:
            yield connection.cursor(txn_name="nextgen_reading")
        finally:
            connection.rollback()


def _done(cursor: sqlite3.Cursor) -> dict[int, str]:
    cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'nextgen_schema'")
    return migrations.applied(cursor) if cursor.fetchone() else {}


def _is_whole(txn: LoggingTransaction, index: Index) -> bool:
    txn.execute(
        "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(?) AND indisvalid", (index.name,)
    )
    return txn.fetchone() is not None


def driver_error(database: DatabaseConnectionConfig) -> type[Exception]:
    """Return what the driver of this database raises when the database fails."""
    error: type[Exception] = create_engine(database.config).module.Error
    return error


def _wait(hs: HomeServer, *, patience: int) -> None:
    known = migrations.known()
    for _ in range(patience):
        if not migrations.missing(_applied(hs), known):
            return
        logger.info("Waiting for the main process to bring the tables up to date")
        time.sleep(1)
    raise SchemaRefused(
        f"The main process did not bring the tables of synapse_nextgen_auth up to version"
        f" {known[-1].version} within {patience} seconds. Start it with the same release of the"
        " module, then start this worker again."
    )


def _applied(hs: HomeServer) -> dict[int, str]:
    with _connection(database_of(hs), hs.hostname) as connection:
        try:
            return migrations.applied(connection.cursor(txn_name="nextgen_schema"))
        except connection.engine.module.DatabaseError:
            return {}  # no such table yet
        finally:
            connection.rollback()


def database_of(hs: HomeServer) -> DatabaseConnectionConfig:
    """Return the settings of the database that our tables are in."""
    return hs.get_datastores().main.db_pool._database_config  # noqa: SLF001 (nothing public has it)


@contextmanager
def _connection(
    database: DatabaseConnectionConfig, server_name: str
) -> Iterator[LoggingDatabaseConnection]:
    connection = make_conn(
        db_config=database,
        engine=create_engine(database.config),
        default_txn_name="nextgen_schema",
        server_name=server_name,
    )
    try:
        yield connection
    finally:
        connection.close()
