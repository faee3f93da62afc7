"""What the rows need of a database transaction."""

from collections.abc import Sequence
from typing import Any, Protocol


class Txn(Protocol):
    """A transaction: Synapse's `LoggingTransaction` is one, and so is a `sqlite3.Cursor`.

    Placeholders are `?` on either engine.
    """

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> object:
        """Run one statement."""

    def fetchone(self) -> Any:
        """Return the next row of the last statement, or `None`."""

    def fetchall(self) -> list[Any]:
        """Return the remaining rows of the last statement."""
