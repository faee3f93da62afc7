"""A page of a list that is read by its keys: how long it takes does not depend on where it is."""

from typing import Any

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.txn import placeholders


@frozen
class Window:
    """So many rows after one and before another, by the columns that a list is sorted by.

    `backwards` are the last of them; they are returned in the order of the list all the same.
    """

    count: int
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None
    backwards: bool = False

    def where(self, *columns: str) -> tuple[str, list[Any]]:
        """Return what belongs behind a WHERE, and its values."""
        row = f"({', '.join(columns)})"
        ends = ((">", self.after), ("<", self.before))
        conditions = [(f"{row} {sign} ({placeholders(end)})", end) for sign, end in ends if end]
        said = " AND ".join(condition for condition, _ in conditions) or "1 = 1"
        return said, [value for _, end in conditions for value in end]

    def order(self, *columns: str) -> str:
        """Return what belongs at the end of a SELECT: one row more, which says that there are more."""
        direction = " DESC" if self.backwards else ""
        said = ", ".join(column + direction for column in columns)
        return f"ORDER BY {said} LIMIT {self.count + 1}"
