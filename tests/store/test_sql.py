"""Our SQL means the same on both databases, and a new step never holds up a large table."""

import ast
import re
from pathlib import Path

import pytest

from support.records import NOW
from support.tables import short_steps
from synapse_nextgen_auth import store
from synapse_nextgen_auth.store import migrations

# What runs on PostgreSQL alone; on SQLite a transaction does the same.
POSTGRES_ONLY = {"rotations.py"}
SOURCES = sorted(Path(store.__file__).parent.glob("*.py"))
# What only PostgreSQL has, what SQLite got late, and what the two do differently.
FOREIGN = re.compile(
    r"\bFOR (UPDATE|SHARE)\b|\bSKIP LOCKED\b|\bRETURNING\b|\bI?LIKE\b|::|\bJSONB?\b|\bARRAY\b"
    r"|\bANY ?\(|\bNOW\(\)|\bCURRENT_|\bstrftime\b|\bINSERT OR\b|\bREPLACE INTO\b|\browid\b"
    r"|\bTRUE\b|\bFALSE\b|\bBOOLEAN\b|%s|\bGLOB\b|\bDISTINCT ON\b|\bLATERAL\b",
    re.IGNORECASE,
)
STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|WHERE|ORDER)\b")


def statements():
    """Return the SQL in the store, `values` of f-strings left out."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            text = None
            if isinstance(node, ast.JoinedStr):
                parts = [
                    part.value if isinstance(part, ast.Constant) else "x" for part in node.values
                ]
                text = "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            if text and STATEMENT.match(text):
                yield f"{source.name}: {text}"


STATEMENTS = list(statements())


def test_c367_there_is_sql_to_look_at():
    assert len(STATEMENTS) > 40


@pytest.mark.parametrize(
    "statement", [each for each in STATEMENTS if each.split(":")[0] not in POSTGRES_ONLY]
)
def test_c367_statements_are_those_that_both_databases_know(statement):
    """No row locks, casts, arrays or booleans; no comparison that minds the case on one side only."""
    assert FOREIGN.search(statement) is None


def test_sql_is_written_in_the_store_only():
    """Rows note which sessions they end; a statement elsewhere would end one in silence."""
    package = Path(store.__file__).parent.parent
    elsewhere = {
        str(source.relative_to(package))
        for source in package.rglob("*.py")
        if source.parent != Path(store.__file__).parent
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"execute", "executemany"}
    }

    # One brings the tables up to date, and one is handed what the store wrote, each over a connection
    # of its own.
    assert elsewhere == {"homeserver/database/schema.py", "homeserver/database/wire.py"}


STEPS = [(step.version, text) for step in short_steps() for text in step.statements]


@pytest.mark.parametrize(("version", "statement"), STEPS)
def test_c367_columns_are_texts_and_numbers(version, statement):
    """`synapse_port_db` carries these as they are, and SQLite keeps them as they came."""
    if statement.upper().startswith("CREATE TABLE"):
        columns = re.findall(r"^\s+(\w+)\s+([A-Z]+)\b", statement, re.MULTILINE)
        types = {kind for column, kind in columns if column not in {"PRIMARY", "UNIQUE"}}

        assert types
        assert types <= {"TEXT", "BIGINT"}
    for column in re.findall(r"\bADD COLUMN\b(.*)", statement, re.IGNORECASE):
        assert re.fullmatch(r" \w+ (TEXT|BIGINT)", column), statement


@pytest.mark.parametrize(("version", "statement"), STEPS)
def test_c373_a_step_never_rewrites_or_locks_what_may_be_large(version, statement):
    """A step makes tables, indexes on tables of its own, and columns that may be empty.

    Or it says how PostgreSQL is to store what comes from now on.
    """
    own = {
        text.split()[5]
        for step, text in STEPS
        if step == version and text.upper().startswith("CREATE TABLE")
    }
    words = " ".join(statement.split())
    index = re.match(r"CREATE (?:UNIQUE )?INDEX IF NOT EXISTS \w+ ON (\w+)", words)
    column = re.match(r"ALTER TABLE \w+ ADD COLUMN (?!.*(NOT NULL|DEFAULT))", words)

    storage = re.match(r"ALTER TABLE IF EXISTS \w+ SET \(", words)
    is_table = words.upper().startswith("CREATE TABLE IF NOT EXISTS")
    assert is_table or column or storage or (index and index[1] in own), words


def test_c373_steps_do_not_wait_for_whoever_uses_the_tables(make_tables):
    """Old sessions are read and written while every later step is applied, within a second.

    But for a column: PostgreSQL gives it none while others read. It is tried for a second at a time
    (tests/workers/test_later_steps.py).
    """
    tables = make_tables("postgres")
    first, *later = [step for step in short_steps() if "ADD COLUMN" not in step.sql]
    tables.run(migrations.apply, [first], now=0)
    with tables.begin() as txn:
        txn.execute(
            "INSERT INTO nextgen_sessions (session_id, user_id, client_id, scope, generation,"
            " rotated_at, confirmed_generation, auth_time, created_at, last_active_at)"
            " VALUES ('s', '@a:hs', 'c', 'openid', 1, 1, 0, 1, 1, 1)"
        )
    with tables.begin() as busy:
        busy.execute("UPDATE nextgen_sessions SET last_active_at = ?", (NOW,))
        busy.execute("SELECT COUNT(*) FROM nextgen_grants")

        with tables.begin() as txn:
            txn.execute("SET LOCAL lock_timeout = '1s'")
            migrations.apply(txn, [first, *later], now=1, is_postgres=True)

    assert tables.query("SELECT version FROM nextgen_schema ORDER BY version") == [
        (step.version,) for step in (first, *later)
    ]
    assert tables.query("SELECT last_active_at FROM nextgen_sessions") == [(NOW,)]
