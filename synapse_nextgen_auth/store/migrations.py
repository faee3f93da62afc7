"""The schema: numbered SQL files, each applied once, in order, and never changed afterwards."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files

import attrs

from synapse_nextgen_auth.store.txn import Txn

_VERSIONS = """CREATE TABLE IF NOT EXISTS nextgen_schema (
    version    BIGINT NOT NULL PRIMARY KEY,
    checksum   TEXT   NOT NULL,
    applied_at BIGINT NOT NULL
)"""


class SchemaRefused(Exception):
    """The database is not one that this version of the module can work with."""


@attrs.frozen
class Migration:
    """One step of the schema."""

    version: int
    sql: str
    postgres_only: bool = False  # how PostgreSQL stores things; nothing to do on SQLite

    @property
    def checksum(self) -> str:
        """The SHA-256 of the file, to notice an edited one."""
        return hashlib.sha256(self.sql.encode("utf-8")).hexdigest()

    @property
    def statements(self) -> list[str]:
        """The single statements, without their comments."""
        lines = (line.partition("--")[0].rstrip() for line in self.sql.splitlines())
        return [part.strip() for part in "\n".join(lines).split(";") if part.strip()]


def known() -> list[Migration]:
    """Return every migration that this version ships, the first one first."""
    folder = files("synapse_nextgen_auth.store") / "schema"
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return [
        Migration(
            int(name.split("_")[0]),
            (folder / name).read_text("utf-8"),
            postgres_only=name.endswith(".postgres.sql"),
        )
        for name in names
    ]


def applied(txn: Txn) -> dict[int, str]:
    """Return version and checksum of what the database has; nothing for a fresh one."""
    txn.execute("SELECT version, checksum FROM nextgen_schema")
    return {int(version): str(checksum) for version, checksum in txn.fetchall()}


def missing(have: dict[int, str], migrations: Sequence[Migration]) -> list[Migration]:
    """Return what must still be applied; refuse a database from the future or an edited step."""
    newest = max(migration.version for migration in migrations)
    if have and max(have) > newest:
        raise SchemaRefused(
            f"The tables of synapse_nextgen_auth are at version {max(have)}, this release knows"
            f" {newest}. Install the newer release again; nothing was changed."
        )
    for migration in migrations:
        if have.get(migration.version, migration.checksum) != migration.checksum:
            raise SchemaRefused(
                f"Step {migration.version} of the tables of synapse_nextgen_auth was applied from"
                " another text than this release ships. Install an unmodified release."
            )
    return [migration for migration in migrations if migration.version not in have]


def apply(
    txn: Txn, migrations: Sequence[Migration], *, now: int, is_postgres: bool = False
) -> None:
    """Apply what is missing; to be called in one transaction and under a lock."""
    txn.execute(_VERSIONS)
    for migration in missing(applied(txn), migrations):
        if is_postgres or not migration.postgres_only:
            for statement in migration.statements:
                txn.execute(statement)
        txn.execute(
            "INSERT INTO nextgen_schema (version, checksum, applied_at) VALUES (?, ?, ?)",
            (migration.version, migration.checksum, now),
        )
