"""A column is said once: what a record has is what its table has, and the other way round."""

import enum
from importlib import import_module
from pathlib import Path

import attrs
import pytest

from support.tables import our_columns
from synapse_nextgen_auth import store
from synapse_nextgen_auth.store import table
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


@attrs.frozen
class Plain:
    """The same, as it is."""

    thing_id: str
    kind: str
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


def test_what_rows_have_alike_is_in_memory_once(txn, monkeypatch):
    """The key that was asked for, and the fields that say so; no more of them than there is room for."""
    alike = Table("things", Thing, beside=("hidden",), alike=("kind", "size"))
    for number in range(4):
        alike.insert(txn, Thing(f"a longer id {number}", "one", 2**40), hidden="somewhere else")
    keys = [f"a longer id {number}" for number in range(9)]

    found = alike.by(txn, "thing_id", keys)
    hidden = alike.by(txn, "hidden", ["somewhere else"])

    assert list(found) == keys[:4]
    assert all(key is found[key].thing_id for key in keys[:4])
    assert list(hidden) == ["somewhere else"]
    plain = Table("things", Plain, beside=("hidden",), alike=("kind",))
    kinds = {id(one.kind) for one in plain.all(txn, "")}
    assert len(kinds) == 1
    monkeypatch.setattr(table, "_MOST", 2)
    for number in range(10):
        assert table._once(f"text {number}") == f"text {number}"
    assert len(table._same) <= 2
    assert [table._once(None), table._once(True), table._once(1)] == [None, True, 1]


@pytest.mark.parametrize("beside", [{}, {"hidden": 1, "more": 2}, {"hiden": 1}], ids=str)
def test_no_column_beside_a_record_is_forgotten(txn, beside):
    """Nor is one made up: the mistake is told before a statement runs."""
    with pytest.raises(TypeError, match="things"):
        THINGS.insert(txn, Thing("1", "one"), **beside)
