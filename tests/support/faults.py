"""Faults on purpose, as small as a test needs them."""

from contextlib import contextmanager

_FUNCTION = """CREATE OR REPLACE FUNCTION break_on_purpose() RETURNS trigger AS
    'BEGIN RAISE EXCEPTION ''broken on purpose''; END' LANGUAGE plpgsql"""


@contextmanager
def broken_row(homeserver, table, column, value):
    """Let every change of one row fail in the database, for as long as the block lasts."""
    where = f"OLD.{column} = '{value}'"
    if homeserver.database.kind == "postgres":
        homeserver.query(_FUNCTION)
        homeserver.query(
            f"CREATE TRIGGER broken_row BEFORE UPDATE ON {table}"
            f" FOR EACH ROW WHEN ({where}) EXECUTE FUNCTION break_on_purpose()"
        )
    else:
        homeserver.query(
            f"CREATE TRIGGER broken_row BEFORE UPDATE ON {table} WHEN {where}"
            " BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
        )
    try:
        yield
    finally:
        on = f" ON {table}" if homeserver.database.kind == "postgres" else ""
        homeserver.query(f"DROP TRIGGER broken_row{on}")
