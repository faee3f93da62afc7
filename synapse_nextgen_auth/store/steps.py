"""The kinds of steps that the schema takes: what each does, and how an edited one is noticed."""

import hashlib
import re
from collections.abc import Callable

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.txn import Cursor

_INDEX = re.compile(r"CREATE INDEX (?P<name>nextgen_\w+)\s+ON (?P<table>nextgen_\w+)\b")


@frozen
class Migration:
    """A short step: what takes a moment however many rows there are, once it has its locks."""

    version: int
    sql: str
    postgres_only: bool = False  # how PostgreSQL stores things; nothing to do on SQLite

    @property
    def checksum(self) -> str:
        """The SHA-256 of the file, to notice an edited one."""
        return _digest(self.sql)

    @property
    def statements(self) -> list[str]:
        """The single statements, without their comments."""
        return _statements(self.sql)

    def apply(self, txn: Cursor, *, is_postgres: bool) -> None:
        """Do it."""
        if is_postgres or not self.postgres_only:
            for statement in self.statements:
                txn.execute(statement)


@frozen
class Index:
    """An index on a table that may be large: on PostgreSQL it is built while others write."""

    version: int
    sql: str
    name: str
    table: str
    statement: str

    @classmethod
    def of(cls, version: int, sql: str) -> "Index":
        """Read a file that holds one `CREATE INDEX nextgen_… ON nextgen_…` and nothing else."""
        statements = _statements(sql)
        found = _INDEX.match(statements[0]) if len(statements) == 1 else None
        if found is None:
            raise ValueError(f"step {version} must be one CREATE INDEX nextgen_… ON nextgen_…")
        return cls(version, sql, found["name"], found["table"], statements[0])

    @property
    def checksum(self) -> str:
        """The SHA-256 of the file, to notice an edited one."""
        return _digest(self.sql)

    @property
    def concurrently(self) -> list[str]:
        """The statements that build it beside writers, each outside a transaction (PostgreSQL).

        An attempt that was interrupted leaves an invalid index of that name behind.
        """
        built = self.statement.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1)
        return [f"DROP INDEX CONCURRENTLY IF EXISTS {self.name}", built]

    def apply(self, txn: Cursor, *, is_postgres: bool) -> None:  # noqa: ARG002 (the same on either)
        """Build it at once, while nobody else may write."""
        txn.execute(f"DROP INDEX IF EXISTS {self.name}")
        txn.execute(self.statement)


@frozen
class Backfill:
    """Fills what is new in rows that were there before, a few at a time.

    `bite(txn)` says how many rows it changed; 0 means that none is left. It may be run again at any
    point, by a process that starts where another one ended.
    """

    version: int
    name: str
    bite: Callable[[Cursor], int]

    @property
    def checksum(self) -> str:
        """The SHA-256 of its name: a function may be mended, not become another one."""
        return _digest(self.name)

    def apply(self, txn: Cursor, *, is_postgres: bool) -> None:  # noqa: ARG002 (the same on either)
        """Fill all there is."""
        while self.bite(txn):
            pass


Step = Migration | Index | Backfill


def _statements(sql: str) -> list[str]:
    lines = (line.partition("--")[0].rstrip() for line in sql.splitlines())
    return [part.strip() for part in "\n".join(lines).split(";") if part.strip()]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
