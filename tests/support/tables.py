"""Our tables in an empty database, and transactions on them as Synapse runs them.

On SQLite a flow gets a bare cursor; on PostgreSQL one that takes `?`, at the isolation level that
Synapse sets. Nothing of Synapse or Twisted is involved.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import attrs
import psycopg2
import psycopg2.errors

from synapse_nextgen_auth import flows
from synapse_nextgen_auth.flows.outcome import outcome_of
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.store import migrations
from synapse_nextgen_auth.store.rotations import Rotation, together
from synapse_nextgen_auth.store.steps import Migration
from synapse_nextgen_auth.store.txn import Txn

KINDS = ("sqlite", "postgres")
_LOST_RACES = (psycopg2.errors.SerializationFailure, psycopg2.IntegrityError)
# Synapse's own number of attempts.
_ATTEMPTS = 6

# As much of Synapse's own tables as our statements read.
SYNAPSES_TABLES = (
    "CREATE TABLE IF NOT EXISTS users (name TEXT UNIQUE, deactivated SMALLINT, password_hash TEXT,"
    " locked BOOLEAN DEFAULT FALSE, suspended BOOLEAN DEFAULT FALSE,"
    " appservice_id TEXT, is_guest SMALLINT DEFAULT 0, admin SMALLINT DEFAULT 0, user_type TEXT,"
    " consent_version TEXT, consent_ts BIGINT, consent_server_notice_sent TEXT, creation_ts BIGINT,"
    " shadow_banned BOOLEAN, approved BOOLEAN)",
    "CREATE TABLE IF NOT EXISTS registration_tokens (token TEXT UNIQUE, pending INT, completed INT,"
    " uses_allowed INT, expiry_time BIGINT)",
    "CREATE TABLE IF NOT EXISTS ui_auth_sessions_credentials"
    " (session_id TEXT, stage_type TEXT, result TEXT, UNIQUE (session_id, stage_type))",
    "CREATE TABLE IF NOT EXISTS devices (user_id TEXT, device_id TEXT,"
    " display_name TEXT, hidden BOOLEAN DEFAULT FALSE, last_seen BIGINT, ip TEXT, user_agent TEXT,"
    " UNIQUE (user_id, device_id))",
    "CREATE TABLE IF NOT EXISTS dehydrated_devices (user_id TEXT PRIMARY KEY, device_id TEXT NOT NULL,"
    " device_data TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS access_tokens (user_id TEXT, device_id TEXT, valid_until_ms BIGINT,"
    " refresh_token_id BIGINT, id BIGINT, token TEXT)",
    "CREATE INDEX IF NOT EXISTS access_tokens_id ON access_tokens (id)",
    "CREATE TABLE IF NOT EXISTS user_ips (user_id TEXT NOT NULL, access_token TEXT NOT NULL,"
    " device_id TEXT, ip TEXT NOT NULL, user_agent TEXT NOT NULL, last_seen BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS device_auth_providers (user_id TEXT NOT NULL,"
    " device_id TEXT NOT NULL, auth_provider_id TEXT NOT NULL, auth_provider_session_id TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS login_tokens (token TEXT PRIMARY KEY, user_id TEXT NOT NULL,"
    " expiry_ts BIGINT NOT NULL, used_ts BIGINT)",
    "CREATE TABLE IF NOT EXISTS user_external_ids (auth_provider TEXT NOT NULL,"
    " external_id TEXT NOT NULL, user_id TEXT NOT NULL, UNIQUE (auth_provider, external_id))",
    "CREATE TABLE IF NOT EXISTS user_threepids (user_id TEXT NOT NULL, medium TEXT NOT NULL,"
    " address TEXT NOT NULL, validated_at BIGINT NOT NULL, added_at BIGINT NOT NULL,"
    " UNIQUE (medium, address))",
    "CREATE TABLE IF NOT EXISTS e2e_device_keys_json (user_id TEXT NOT NULL, device_id TEXT NOT NULL,"
    " key_json TEXT NOT NULL, UNIQUE (user_id, device_id))",
    "CREATE TABLE IF NOT EXISTS e2e_cross_signing_signatures (user_id TEXT NOT NULL,"
    " key_id TEXT NOT NULL, target_user_id TEXT NOT NULL, target_device_id TEXT NOT NULL,"
    " signature TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS e2e_cross_signing_signatures2_idx ON e2e_cross_signing_signatures"
    " (user_id, target_user_id, target_device_id)",
    "CREATE INDEX IF NOT EXISTS user_external_ids_user_id_idx ON user_external_ids (user_id)",
    "CREATE INDEX IF NOT EXISTS user_threepids_user_id ON user_threepids (user_id)",
    "CREATE INDEX IF NOT EXISTS login_tokens_expiry_time_idx ON login_tokens (expiry_ts)",
    "CREATE INDEX IF NOT EXISTS device_auth_providers_devices ON device_auth_providers"
    " (user_id, device_id)",
    "CREATE UNIQUE INDEX IF NOT EXISTS user_ips_user_token_ip_unique_index ON user_ips"
    " (user_id, access_token, ip)",
    "CREATE INDEX IF NOT EXISTS access_tokens_device_id ON access_tokens (user_id, device_id)",
)
_OF_SYNAPSE = (
    "users",
    "devices",
    "dehydrated_devices",
    "device_auth_providers",
    "e2e_device_keys_json",
    "e2e_cross_signing_signatures",
    "access_tokens",
    "login_tokens",
    "registration_tokens",
    "ui_auth_sessions_credentials",
    "user_external_ids",
    "user_ips",
    "user_threepids",
)


class QuestionMarks:
    """A psycopg2 cursor with `?` placeholders."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> None:
        self._cursor.execute(sql.replace("%", "%%").replace("?", "%s"), parameters)

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()


class Listening:
    """A transaction that remembers which statements ran through it."""

    def __init__(self, txn: Any) -> None:
        self._txn = txn
        self.statements: list[str] = []

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> None:
        self.statements.append(sql)
        self._txn.execute(sql, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._txn, name)


@attrs.define
class Tables:
    """A database of a kind: `sqlite` or `postgres`. Every transaction has its own connection."""

    kind: str
    _connect: Callable[[], Any] = attrs.field(repr=False)
    _kept: list[Any] = attrs.field(factory=list, repr=False)

    @classmethod
    def on_sqlite(cls, path: Path) -> "Tables":
        """Use a file."""

        def connect() -> Any:
            connection = sqlite3.connect(
                path, timeout=30, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA synchronous = OFF")
            return connection

        return cls("sqlite", connect)

    @classmethod
    def on_postgres(cls, arguments: dict[str, str], *, schema: str) -> "Tables":
        """Use an empty schema of a database."""
        with closing(psycopg2.connect(**arguments)) as connection, connection:
            connection.cursor().execute(f"CREATE SCHEMA {schema}")

        def connect() -> Any:
            connection = psycopg2.connect(**arguments, options=f"-csearch_path={schema}")
            connection.set_session(isolation_level="REPEATABLE READ")
            return connection

        return cls("postgres", connect)

    def migrated(self) -> "Tables":
        """Create our tables, beside those of Synapse that we read."""
        is_postgres = self.kind == "postgres"
        with self.begin() as txn:
            for statement in SYNAPSES_TABLES:
                txn.execute(statement)
        self.run(migrations.apply, migrations.known(), now=0, is_postgres=is_postgres)
        return self

    @contextmanager
    def begin(self, seed: str | None = None, places: dict[str, int] | None = None) -> Iterator[Any]:
        """Yield a transaction that commits at the end, and rolls back on an exception.

        Attempts at the same one have the same `seed` and `places`.
        """
        connection = self._kept.pop() if self._kept else self._connect()
        if self.kind == "sqlite":
            connection.execute("BEGIN IMMEDIATE")
        cursor = connection.cursor()
        try:
            yield Txn(
                cursor if self.kind == "sqlite" else QuestionMarks(cursor),
                seed=seed or random_id(),
                places=places,
            )
        except BaseException:
            connection.rollback()
            raise
        else:
            connection.commit()
        finally:
            cursor.close()
            self._kept.append(connection)

    def run(self, flow: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a flow once and commit."""
        with self.begin() as txn:
            return _said(flow, txn, flow(txn, *args, **kwargs))

    def transact(self, flow: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a flow, undo it, run it again and commit.

        Synapse runs a transaction again when it loses a race, so both runs must say and write the
        same (C347).
        """
        seed, places = random_id(), dict[str, int]()
        with suppress(_Undone), self.begin(seed, places) as txn:
            rehearsed = repr(flow(txn, *args, **kwargs)), contents(txn)
            raise _Undone
        with self.begin(seed, places) as txn:
            result = _said(flow, txn, flow(txn, *args, **kwargs))
            assert (repr(result), contents(txn)) == rehearsed, "a retry must repeat itself"
        return result

    def race(self, calls: Sequence[Callable[[Any], Any]]) -> list[Any]:
        """Run every call in a transaction and a thread of its own, at once; retry as Synapse does."""
        start = Barrier(len(calls))

        def run(call: Callable[[Any], Any]) -> Any:
            start.wait(30)
            for _ in range(_ATTEMPTS - 1):
                try:
                    return self.run(call)
                except _LOST_RACES:
                    continue
            return self.run(call)

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(run, calls))

    def together(self, rotations: Sequence[Rotation]) -> set[str]:
        """Rotate many in one statement, as a connection of our own does; return whose went on.

        It is no part of a transaction, and sees what is committed (PostgreSQL only).
        """
        with closing(self._connect()) as connection:
            connection.set_session(isolation_level="READ COMMITTED", autocommit=True)
            cursor = connection.cursor()
            cursor.execute(*together(rotations))
            return {session_id for (session_id,) in cursor.fetchall()}

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement; return its rows."""
        with self.begin() as txn:
            txn.execute(sql, values)
            return txn.fetchall()

    def events(self) -> list[str]:
        """Return the kinds of all events, the first one first."""
        rows = self.query("SELECT kind FROM nextgen_events ORDER BY happened_at, kind")
        return [kind for (kind,) in rows]

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return self.query(f"SELECT COUNT(*) FROM {table}")[0][0]

    def clear(self) -> None:
        """Delete every row, ours and Synapse's."""
        with self.begin() as txn:
            for name in (*table_names(), *_OF_SYNAPSE):
                txn.execute(f"DELETE FROM {name}")

    def close(self) -> None:
        """Close every connection."""
        while self._kept:
            self._kept.pop().close()


class _Undone(Exception):
    """Rolls a rehearsal back."""


def _said(flow: Callable[..., Any], txn: Txn, result: Any) -> Any:
    """Return what a flow returned; fail where it keeps silent about a session, as a server does."""
    while isinstance(flow, partial):
        flow = flow.func
    if flow.__module__.startswith(flows.__name__):
        outcome_of(txn, result)
    return result


def settled(tables: Tables, flow: Callable[..., Any]) -> Callable[..., Any]:
    """Return a flow as `Homeserver.settle` runs it."""

    def run(txn: Any) -> Any:
        if tables.kind == "postgres":
            txn.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        return flow(txn)

    return run


def short_steps() -> list[Migration]:
    """Return the shipped steps of the schema that a start does: tables and columns."""
    return [step for step in migrations.known() if isinstance(step, Migration)]


def table_names() -> list[str]:
    """Return the names of our tables, but for the one that counts the versions."""
    found = []
    for step in short_steps():
        for statement in step.statements:
            words = statement.split()
            if words[:2] == ["CREATE", "TABLE"]:
                found.append(words[5])
    return found


def contents(txn: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of our tables."""
    found = {}
    for name in table_names():
        txn.execute(f"SELECT * FROM {name}")
        found[name] = sorted(map(tuple, txn.fetchall()), key=repr)
    return found


def our_columns(tables: Tables) -> set[tuple[str, str]]:
    """Return (table, column) of everything in the database that is ours."""
    if tables.kind == "sqlite":
        found = tables.query(
            "SELECT t.name, c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c"
            " WHERE t.type = 'table' AND t.name LIKE 'nextgen%'"
        )
    else:
        found = tables.query(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_name LIKE 'nextgen%' AND table_schema = current_schema()"
        )
    return set(found)
