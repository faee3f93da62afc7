"""Bringing the tables up to date before any listener is up.

The main process applies what is missing, over a connection of its own; workers wait for it.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from synapse.config.database import DatabaseConnectionConfig
from synapse.server import HomeServer
from synapse.storage.database import LoggingDatabaseConnection, make_conn
from synapse.storage.engines import PostgresEngine, create_engine

from synapse_nextgen_auth.store import migrations
from synapse_nextgen_auth.store.migrations import SchemaRefused

logger = logging.getLogger(__name__)

# "nextgen" in ASCII: the advisory lock that keeps two starting processes from racing.
_LOCK = 0x6E65787467656E
WORKER_PATIENCE = 60  # seconds


def prepare(hs: HomeServer) -> None:
    """Apply the schema, or on a worker wait until the main process has."""
    try:
        if hs.config.worker.worker_app is None:
            _apply(hs)
        else:
            _wait(hs, patience=WORKER_PATIENCE)
    except driver_error(_database(hs)) as error:
        raise SchemaRefused(
            "The database did not let the tables of synapse_nextgen_auth be made or read:"
            f" {' '.join(str(error).split())}. Synapse's database user must be able to create tables."
        ) from error


def _apply(hs: HomeServer) -> None:
    apply(_database(hs), hs.hostname, now=int(hs.get_clock().time_msec() // 1000))


def apply(database: DatabaseConnectionConfig, server_name: str, *, now: int) -> None:
    """Bring the tables in this database up to date."""
    with _connection(database, server_name) as connection:
        txn = connection.cursor(txn_name="nextgen_schema")
        is_postgres = isinstance(connection.engine, PostgresEngine)
        if is_postgres:
            txn.execute("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
        else:
            txn.execute("BEGIN IMMEDIATE")
        migrations.apply(txn, migrations.known(), now=now, is_postgres=is_postgres)
        connection.commit()


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
    with _connection(_database(hs), hs.hostname) as connection:
        try:
            return migrations.applied(connection.cursor(txn_name="nextgen_schema"))
        except connection.engine.module.DatabaseError:
            return {}  # no such table yet
        finally:
            connection.rollback()


def _database(hs: HomeServer) -> DatabaseConnectionConfig:
    return hs.get_datastores().main.db_pool._database_config  # noqa: SLF001


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
