"""A table that keeps records: its columns are their fields, said there and nowhere else.

A field has the name of its column. What the database cannot keep as it is, like an enum, is written
as its value, and read by the converter of the field.
"""

import enum
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

import attrs

from synapse_nextgen_auth.store.txn import Txn, placeholders

R = TypeVar("R", bound=attrs.AttrsInstance)

# Texts that many rows have alike; a forgotten one is there twice for a while. Not `sys.intern`: Python
# 3.12 never frees what is, and clients choose some of them.
_MOST = 5_000
_same: dict[str, str] = {}


_SMALL = 256  # up to there Python has each number once by itself


def _once(value: Any) -> Any:
    """Return the text that is there already, if it is the same; threads may ask at once."""
    if not isinstance(value, str):
        return value
    if len(_same) >= _MOST:
        _same.clear()
    return _same.setdefault(value, value)


def _numbers_once(row: Sequence[Any]) -> list[Any]:
    """Return a row whose times, most of which are the same at first, are there once each."""
    known: dict[int, int] = {}
    return [
        known.setdefault(value, value) if type(value) is int and value > _SMALL else value
        for value in row
    ]


class Table(Generic[R]):
    """A table of records of one class; `beside` are columns that the record does not know.

    What stands in the fields `alike` is the same in many rows: in memory it is there once.

    Statements are put together here, once; only what it looks for is added to a SELECT.
    """

    def __init__(
        self,
        name: str,
        record: type[R],
        *,
        beside: tuple[str, ...] = (),
        alike: tuple[str, ...] = (),
    ) -> None:
        fields = tuple(field.name for field in attrs.fields(record))
        columns = (*fields, *beside)
        marks = placeholders(columns)
        self.name = name
        self.columns = columns
        self._record = record
        self._beside = beside
        self._names = fields
        self._alike = tuple(map(fields.index, alike))
        self._fields = attrgetter(*fields)
        self._insert = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})"
        self._insert_new = f"{self._insert} ON CONFLICT DO NOTHING"
        self._selected = ", ".join(fields)
        self._select = f"SELECT {self._selected} FROM {name}"

    def insert(self, txn: Txn, record: R, **beside: Any) -> None:
        """Insert a record; one that is there already is an integrity error."""
        txn.execute(self._insert, self._values(record, beside))

    def insert_new(self, txn: Txn, record: R, **beside: Any) -> bool:
        """Insert a record; False when it is there already, or something else that must be unique."""
        txn.execute(self._insert_new, self._values(record, beside))
        return txn.rowcount == 1

    def one(self, txn: Txn, where: str, *values: Any) -> R | None:
        """Return the record that `where` finds, or `None`."""
        txn.execute(f"{self._select} {where}", values)
        row = txn.fetchone()
        return self._made(row) if row else None

    def all(self, txn: Txn, where: str, *values: Any) -> list[R]:
        """Return the records that `where` finds; it may go on with ORDER BY and LIMIT."""
        txn.execute(f"{self._select} {where}", values)
        return list(map(self._made, txn.fetchall()))

    def by(self, txn: Txn, column: str, keys: Sequence[str]) -> dict[str, R]:
        """Return the records that have one of these in a column, by what they have there.

        Where the record has it, too, that is the very key which was given, and no second one.
        """
        asked = {key: key for key in keys}
        where = self._names.index(column) if column in self._names else None
        marks = placeholders(keys)
        # The column is one of ours, as everything here but the keys.
        txn.execute(
            f"SELECT {column}, {self._selected} FROM {self.name} WHERE {column} IN ({marks})",
            tuple(keys),
        )
        found = {}
        for own, *row in txn.fetchall():
            key = asked.get(own, own)
            if where is not None:
                row[where] = key
            found[key] = self._made(row)
        return found

    def _made(self, row: Sequence[Any]) -> R:
        if not self._alike:
            return self._record(*row)
        values = _numbers_once(row)
        for where in self._alike:
            values[where] = _once(values[where])
        return self._record(*values)

    def _values(self, record: R, beside: dict[str, Any]) -> tuple[Any, ...]:
        if beside.keys() != set(self._beside):
            raise TypeError(f"{self.name} has {self._beside} beside its records, not {[*beside]}")
        values = (*self._fields(record), *(beside[name] for name in self._beside))
        return tuple(value.value if isinstance(value, enum.Enum) else value for value in values)
