"""Conditions of a list that somebody chooses, put together as they come."""

from collections.abc import Sequence
from typing import Any

from synapse_nextgen_auth.store.txn import placeholders
from synapse_nextgen_auth.store.windows import Window


class Conditions:
    """Conditions that all have to hold, each with its values; their texts are ours alone."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.values: list[Any] = []

    def add(self, condition: str, *values: Any) -> None:
        """Add one."""
        self._parts.append(condition)
        self.values.extend(values)

    def add_if(self, condition: str, value: Any) -> None:
        """Add one of a single value, unless that is absent."""
        if value is not None:
            self.add(condition, value)

    def add_word(self, column: str, *words: str) -> None:
        """Add that a column has one of these among the words in it, with spaces between them."""
        has = f"REPLACE(' ' || {column} || ' ', ?, '') <> ' ' || {column} || ' '"
        self.add(f"({' OR '.join([has] * len(words))})", *(f" {word} " for word in words))

    def add_among(self, column: str, values: Sequence[str], *, is_not: bool = False) -> None:
        """Add that a column is, or is not, one of these."""
        marks = placeholders(values)
        no = "NOT " if is_not else ""
        if values:
            self.add(f"{column} {no}IN ({marks})", *values)
        elif not is_not:
            self.add("1 = 0")

    def within(self, window: Window, *columns: str) -> str:
        """Return what stands behind the FROM of a page, in the order of these columns."""
        said, values = window.where(*columns)
        self.add(said, *values)
        return f"{self.text} {window.order(*columns)}"

    @property
    def text(self) -> str:
        """What stands behind a FROM."""
        return "WHERE " + (" AND ".join(self._parts) or "1 = 1")
