"""What is read again and again, on a connection of our own: no thread, and no transaction.

Devices that wait ask every few seconds, and each answer is one SELECT. Synapse's pool gives each of them
a thread, which costs more than reading does. So where there are many within a second, they go by a
connection that the reactor watches. Whatever is in the way there, the pool is asked: it decides.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from synapse.server import HomeServer

from synapse_nextgen_auth.homeserver.database.lookups import Read
from synapse_nextgen_auth.homeserver.database.own_connection import NotThere, OwnConnection, TooSlow
from synapse_nextgen_auth.homeserver.drain import Drain
from synapse_nextgen_auth.homeserver.metrics import Metrics
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.store.txn import Txn

NEEDS = (
    Needed("synapse.storage.engines", "BaseDatabaseEngine.convert_param_style", ("sql",)),
    *members("synapse.server", "HomeServer", "get_datastores"),
)

logger = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")
Rows = list[tuple[Any, ...]]

# So many SELECTs within a second are worth a connection, and for so long (seconds) from then on.
ENOUGH = 20
GOES_ON = 60


class OwnReads:
    """The reads of one process that may go by its own connection; on SQLite none does.

    One goes at a time; who comes meanwhile has the pool.
    """

    def __init__(self, hs: HomeServer, drain: Drain, metrics: Metrics, pool: Read) -> None:
        self._metrics = metrics
        self._pool = pool
        engine = hs.get_datastores().main.database_engine
        self._in_its_style: Callable[[str], str] = engine.convert_param_style
        self._errors = (NotThere, engine.module.Error)
        self._connection: OwnConnection | None = None
        if OwnConnection.is_possible(hs, "Polls"):
            self._connection = OwnConnection(
                hs, drain, "polls", metrics.poll_connection, lambda: None
            )
        self._since = self._until = 0.0
        self._count = 0

    async def read(
        self, select: Callable[[Txn, Sequence[K]], Mapping[K, V]], keys: Sequence[K]
    ) -> Mapping[K, V]:
        """Return what the SELECT finds of these keys, as the database has it now."""
        if self._are_many() and self._connection is not None and self._connection.is_open:
            asked = _Select()
            select(Txn.reading(asked), keys)
            if await self._is_answered(self._connection, asked):
                return select(Txn.reading(asked), keys)
        return await self._pool(select, keys)

    def _are_many(self) -> bool:
        """Count one more, and say whether there are enough of them."""
        now = time.monotonic()
        if now - self._since > 1:
            self._since, self._count = now, 0
        self._count += 1
        if self._count >= ENOUGH:
            self._until = now + GOES_ON
        return now < self._until

    async def _is_answered(self, connection: OwnConnection, asked: "_Select") -> bool:
        try:
            asked.take(await connection.run(self._in_its_style(asked.sql), asked.parameters))
        except self._errors as error:
            logger.info("Answering polls by Synapse's pool after %r", error)
            self._metrics.poll_read("timed_out" if isinstance(error, TooSlow) else "failed")
            return False
        self._metrics.poll_read("done")
        return True


class _Select:
    """A cursor that runs nothing: it keeps what it is asked for, and hands out the rows that it has.

    So one function is asked what it would select before there are rows, and reads them afterwards.
    """

    rowcount = -1

    def __init__(self) -> None:
        self.sql = ""
        self.parameters: Sequence[Any] = ()
        self._rows: Rows = []

    def take(self, rows: Rows) -> None:
        """Have these rows from now on."""
        self._rows = rows

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> None:
        """Keep it."""
        self.sql, self.parameters = sql, parameters

    def fetchone(self) -> Any:
        """Return the next row."""
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> Rows:
        """Return the remaining rows."""
        rows, self._rows = self._rows, []
        return rows
