"""A column is said once: what a record has is what its table has, and the other way round."""

import enum
from importlib import import_module
from pathlib import Path

import attrs
import pytest

from support.tables import our_columns
from synapse_nextgen_auth import store
from synapse_nextgen_auth.store.table import Table

# Written with a decision about a row, and read by nobody: whoever shows the code finds the row by it.
NO_FIELD = {("nextgen_grants", "code_digest")}
# Rows of a few columns that come and go without a record.
NO_RECORD = {
    "nextgen_client_assertions",
    "nextgen_consents",
    "nextgen_first_sessions",
    "nextgen_marks",
    "nextgen_notices",
    "nextgen_passkey_challenges",
    "nextgen_provider_logouts",
    "nextgen_provider_sessions",
    "nextgen_schema",
    "nextgen_session_browsers",
    "nextgen_throttle",
    "nextgen_ulids",
}

TABLES = {
    table.name: table
    for path in sorted(Path(store.__file__).parent.glob("*.py"))
    for table in vars(import_module(f"{store.__name__}.{path.stem}")).values()
    if isinstance(table, Table)
}


def test_every_column_is_a_field_and_every_field_a_column(tables):
    """A step that adds one without the other fails here."""
    said = {(table.name, column) for table in TABLES.values() for column in table.columns}
    there = {(table, column) for table, column in our_columns(tables) if table not in NO_RECORD}

    assert len(TABLES) >= 9
    assert there - said == NO_FIELD
    assert said - there == set()


class Kind(str, enum.Enum):
    ONE = "one"


@attrs.frozen
class Thing:
    """Something to keep."""

    thing_id: str
    kind: Kind = attrs.field(converter=Kind)
    size: int | None = None


THINGS = Table("things", Thing, beside=("hidden",))


@pytest.fixture
def txn(empty):
    with empty.begin() as txn:
        txn.execute(
            "CREATE TABLE things (thing_id TEXT PRIMARY KEY, kind TEXT, size BIGINT, hidden TEXT)"
        )
        yield txn
        txn.execute("DROP TABLE things")


def test_a_record_goes_in_and_comes_out(txn):
    """An enum as its value; what stands beside the record stays in the table."""
    one, two = Thing("1", "one"), Thing("2", "one", 5)
    THINGS.insert(txn, one, hidden="here")
    THINGS.insert(txn, two, hidden=None)

    assert THINGS.one(txn, "WHERE thing_id = ?", "1") == one
    assert THINGS.one(txn, "WHERE thing_id = ?", "3") is None
    assert THINGS.all(txn, "WHERE kind = ? ORDER BY thing_id DESC", "one") == [two, one]
    txn.execute("SELECT kind, hidden FROM things WHERE thing_id = '1'")
    assert tuple(txn.fetchone()) == ("one", "here")


def test_a_second_one_is_told_from_the_first(txn):
    """Nothing is written over."""
    assert THINGS.insert_new(txn, Thing("1", "one"), hidden=None)
    assert not THINGS.insert_new(txn, Thing("1", "one", 7), hidden=None)
    assert THINGS.one(txn, "WHERE thing_id = ?", "1").size is None


@pytest.mark.parametrize("beside", [{}, {"hidden": 1, "more": 2}, {"hiden": 1}], ids=str)
def test_no_column_beside_a_record_is_forgotten(txn, beside):
    """Nor is one made up: the mistake is told before a statement runs."""
    with pytest.raises(TypeError, match="things"):
        THINGS.insert(txn, Thing("1", "one"), **beside)
