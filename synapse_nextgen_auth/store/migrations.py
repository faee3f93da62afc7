"""The schema: numbered steps, each done once and never changed afterwards.

There are three kinds. A *short* one (`NNNN_what.sql`: a table, a column) is done before the first
request, in a transaction of its own. An *index* on a table that may be large (`NNNN_what.later.sql`)
and a *backfill* (a function that fills a new column a few rows at a time) come while the homeserver
runs. On a fresh database, where all tables are empty, every kind is done at once.

So no code may need an index or a backfill in order to be right, and no short step may build on one.
"""

from collections.abc import Sequence
from importlib.resources import files

from synapse_nextgen_auth.store import sessions
from synapse_nextgen_auth.store.steps import Backfill, Index, Migration, Step
from synapse_nextgen_auth.store.txn import Cursor

_VERSIONS = """CREATE TABLE IF NOT EXISTS nextgen_schema (
    version    BIGINT NOT NULL PRIMARY KEY,
    checksum   TEXT   NOT NULL,
    applied_at BIGINT NOT NULL
)"""


class SchemaRefused(Exception):
    """The database is not one that this version of the module can work with."""


# Backfills by their number, which no file may have.
BACKFILLS: tuple[Backfill, ...] = (Backfill(55, "nextgen_sessions.active_day", sessions.fill_days),)


def known() -> list[Step]:
    """Return every step that this version ships, the first one first."""
    folder = files("synapse_nextgen_auth.store") / "schema"
    names = [item.name for item in folder.iterdir() if item.name.endswith(".sql")]
    steps = [_read(name, (folder / name).read_text("utf-8")) for name in names]
    return sorted([*steps, *BACKFILLS], key=lambda step: step.version)


def applied(txn: Cursor) -> dict[int, str]:
    """Return version and checksum of what the database has; nothing for a fresh one."""
    txn.execute("SELECT version, checksum FROM nextgen_schema")
    return {int(version): str(checksum) for version, checksum in txn.fetchall()}


def missing(have: dict[int, str], steps: Sequence[Step]) -> list[Step]:
    """Return what must be done before the first request."""
    return [step for step in outstanding(have, steps) if isinstance(step, Migration)]


def outstanding(have: dict[int, str], steps: Sequence[Step]) -> list[Step]:
    """Return every step that is not done; refuse a database from the future or an edited step."""
    newest = max(step.version for step in steps)
    if have and max(have) > newest:
        raise SchemaRefused(
            f"The tables of synapse_nextgen_auth are at version {max(have)}, this release knows"
            f" {newest}. Install the newer release again; nothing was changed."
        )
    for step in steps:
        if have.get(step.version, step.checksum) != step.checksum:
            raise SchemaRefused(
                f"Step {step.version} of the tables of synapse_nextgen_auth was applied from"
                " another text than this release ships. Install an unmodified release."
            )
    return [step for step in steps if step.version not in have]


def advance(txn: Cursor, steps: Sequence[Step], *, now: int, is_postgres: bool = False) -> bool:
    """Do the next short step, or on a fresh database every step there is.

    To be called under a lock; False when there was nothing left to do.
    """
    txn.execute(_VERSIONS)
    have = applied(txn)
    todo = missing(have, steps)[:1] if have else outstanding(have, steps)
    for step in todo:
        step.apply(txn, is_postgres=is_postgres)
        done(txn, step, now=now)
    return bool(todo)


def apply(txn: Cursor, steps: Sequence[Step], *, now: int, is_postgres: bool = False) -> None:
    """Do all that must be done before the first request, in one transaction and under a lock."""
    while advance(txn, steps, now=now, is_postgres=is_postgres):
        pass


def later(txn: Cursor, steps: Sequence[Step]) -> list[Index | Backfill]:
    """Return what is left to do while the homeserver runs."""
    todo = outstanding(applied(txn), steps)
    return [step for step in todo if not isinstance(step, Migration)]


def done(txn: Cursor, step: Step, *, now: int) -> None:
    """Remember that a step was done."""
    txn.execute(
        "INSERT INTO nextgen_schema (version, checksum, applied_at) VALUES (?, ?, ?)"
        " ON CONFLICT (version) DO NOTHING",
        (step.version, step.checksum, now),
    )


def _read(name: str, sql: str) -> Migration | Index:
    version = int(name.partition("_")[0])
    if name.endswith(".later.sql"):
        return Index.of(version, sql)
    return Migration(version, sql, postgres_only=name.endswith(".postgres.sql"))
