"""A transaction as the rows see it: statements, random ids, and what its end means for others."""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, Protocol

from synapse_nextgen_auth.oauth.events import Event
from synapse_nextgen_auth.secret import digest


class Cursor(Protocol):
    """What runs statements: Synapse's `LoggingTransaction` does, and so does a `sqlite3.Cursor`.

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


def placeholders(values: Collection[object]) -> str:
    """Return as many `?` as there are values, with commas between them."""
    return ", ".join("?" * len(values))


class NotASelect(Exception):
    """Somebody tried to write where only one SELECT may run."""


class Txn:
    """One attempt at a transaction.

    The rows note in `ended` and `changed` which sessions other processes have to forget: whoever
    runs a flow compares that with what the flow says (`flows/outcome.py`). In `gone` stand the
    clients that were deleted, in `posted` the kinds of what was written for the main process, in
    `happened` the events.
    """

    __slots__ = (
        "_drawn",
        "_seed",
        "begun",
        "changed",
        "cursor",
        "ended",
        "execute",
        "fetchall",
        "fetchone",
        "gone",
        "happened",
        "moment",
        "places",
        "posted",
        "told",
    )

    def __init__(
        self,
        cursor: Cursor,
        *,
        seed: str,
        moment: int = 0,
        begun: int = 0,
        told: frozenset[str] = frozenset(),
        places: dict[str, int] | None = None,
    ) -> None:
        """Wrap a cursor; `seed` is drawn once for all attempts at the same transaction.

        `moment` is when this attempt began, in milliseconds: for what has to be told apart within
        the second that a flow is told. `begun` is when the first attempt did. `told` are the kinds of
        events that accounts are told of. `places` are shared by all attempts (`place_of`).
        """
        self.cursor = cursor
        # Bound once, because a wrapper around each call would cost something at every statement.
        self.execute = cursor.execute
        self.fetchone = cursor.fetchone
        self.fetchall = cursor.fetchall
        self.ended: list[str] = []
        self.changed: list[str] = []
        self.gone: list[str] = []
        self.posted: list[str] = []
        self.happened: list[Event] = []
        self.moment = moment
        self.begun = begun
        self.told = told
        self.places = {} if places is None else places
        self._seed = seed
        self._drawn: dict[str, int] = {}

    @classmethod
    def reading(cls, cursor: Cursor) -> "Txn":
        """Wrap a cursor for one SELECT: anything else is refused before it runs."""
        txn = cls(cursor, seed="")
        ran: list[str] = []

        def execute(sql: str, parameters: Sequence[Any] = (), /) -> object:
            if ran or not is_select(sql):
                raise NotASelect(sql)
            ran.append(sql)
            return cursor.execute(sql, parameters)

        txn.execute = execute
        return txn

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        return self.cursor.rowcount

    def draw(self, about: str) -> str:
        """Return the next random id for what `about` says.

        Another attempt at the transaction gets the same ones, in whatever order it asks: the first
        one may have been written although nobody heard of it.
        """
        number = self._drawn[about] = self._drawn.get(about, 0) + 1
        return digest(f"{self._seed} {number} {about}")

    def place_of(self, name: str) -> int:
        """Return the place of this among all that were asked for; it keeps it at the next attempt."""
        return self.places.setdefault(name, len(self.places))


_READS = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)
_WRITES = re.compile(
    r"\b(INSERT|UPDATE|DELETE|MERGE|REPLACE|CREATE|ALTER|DROP|INTO|LOCK)\b", re.IGNORECASE
)


@lru_cache(maxsize=1000)
def is_select(sql: str) -> bool:
    """Say whether a statement reads and nothing else; in PostgreSQL a WITH may write."""
    return _READS.match(sql) is not None and _WRITES.search(sql) is None
