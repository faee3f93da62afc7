"""The two databases Synapse can use, behind one face: a section for the YAML, and a query."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import attrs
import psycopg2

from support.postgres import PostgresServer
from synapse_nextgen_auth.cli import homeserver_yaml

Row = tuple[Any, ...]


class Database(Protocol):
    """A database that one test homeserver uses."""

    kind: str

    def section(self) -> dict[str, Any]:
        """Return the `database` section of homeserver.yaml."""

    def query(self, sql: str, *values: Any) -> list[Row]:
        """Run a statement with `?` placeholders beside Synapse, commit, and return its rows."""

    def read(self, *selects: str) -> list[list[Row]]:
        """Return the rows of each, on one connection: SQLite reads all of the schema for each."""


@attrs.frozen
class SqliteDatabase:
    """A file in the homeserver's directory."""

    directory: Path
    kind: str = "sqlite"

    @property
    def path(self) -> Path:
        """Return the file."""
        return Path(self.section()["args"]["database"])

    def section(self) -> dict[str, Any]:
        """Return the `database` section of homeserver.yaml."""
        return homeserver_yaml.sqlite(self.directory)

    def query(self, sql: str, *values: Any) -> list[Row]:
        """Run a statement beside Synapse; it waits while Synapse writes."""
        with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            return connection.execute(sql, values).fetchall()

    def read(self, *selects: str) -> list[list[Row]]:
        """Return the rows of each."""
        with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            return [connection.execute(select).fetchall() for select in selects]


@attrs.frozen
class PostgresDatabase:
    """A database of its own on the session's server."""

    server: PostgresServer
    connection: dict[str, str]
    kind: str = "postgres"

    @classmethod
    def on(cls, server: PostgresServer) -> "PostgresDatabase":
        """Create an empty one."""
        return cls(server, server.create_database())

    @property
    def url(self) -> str:
        """Return the URL that reaches it."""
        return self.server.url(self.connection["dbname"])

    def section(self) -> dict[str, Any]:
        """Return the `database` section of homeserver.yaml."""
        return homeserver_yaml.postgres(self.connection)

    def query(self, sql: str, *values: Any) -> list[Row]:
        """Run a statement beside Synapse."""
        with (
            closing(psycopg2.connect(**self.connection)) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(sql.replace("%", "%%").replace("?", "%s"), values)
            return cursor.fetchall() if cursor.description else []

    def read(self, *selects: str) -> list[list[Row]]:
        """Return the rows of each."""
        found = []
        with (
            closing(psycopg2.connect(**self.connection)) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            for select in selects:
                cursor.execute(select)
                found.append(cursor.fetchall())
        return found
