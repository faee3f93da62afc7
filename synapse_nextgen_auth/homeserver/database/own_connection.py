"""A connection of our own to PostgreSQL, that the reactor watches: no thread, no round trip but one.

Synapse's pool gives each transaction a thread, a BEGIN and a COMMIT, which together cost several
times the one short statement that a refresh is, or a look-up. Whatever is in the way here, the caller
takes the pool: so nothing is tried again, and a connection that failed in any way is thrown away.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from synapse.config.database import DatabaseConnectionConfig
from synapse.server import HomeServer
from twisted.internet.interfaces import IReactorFDSet

from synapse_nextgen_auth.homeserver import background
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.contexts import Nowhere
from synapse_nextgen_auth.homeserver.database import addresses, opening
from synapse_nextgen_auth.homeserver.database.schema import database_of
from synapse_nextgen_auth.homeserver.database.wire import Wire
from synapse_nextgen_auth.homeserver.drain import Drain
from synapse_nextgen_auth.homeserver.startup.needed import members
from synapse_nextgen_auth.homeserver.threads import in_thread

NEEDS = (*members("synapse.server", "HomeServer", "get_datastores", "get_reactor"),)

logger = logging.getLogger(__name__)

PATIENCE = 5  # seconds for a statement; the grace of a refresh is longer
SLOW = 1  # seconds of a statement after which nobody else waits for it
# Seconds without any statement: firewalls forget a connection that nobody uses, and say nothing.
IDLE = 120
_LOOK_EVERY = 1
_LONGEST_PAUSE = 16  # seconds between two tries to open one


class NotThere(Exception):
    """There is no connection, or it went away: what was asked happened or not."""


class NotAsked(NotThere):
    """There was none, or somebody else had it: nothing was asked, so nothing happened."""


class TooSlow(NotThere):
    """The database did not answer in time."""


class OwnConnection:
    """One connection, opened when it is first wanted; one statement at a time, each for itself.

    It is for `whom`, as the log and `pg_stat_activity` say it. `count` hears what became of it, by the
    words in `metrics.CONNECTIONS`. `when_slow` is called when a statement takes long: until it is over
    there is no connection for others.
    """

    def __init__(
        self,
        hs: HomeServer,
        drain: Drain,
        whom: str,
        count: Callable[[str], None],
        when_slow: Callable[[], None],
    ) -> None:
        self._hs = hs
        self._reactor = cast("Any", hs.get_reactor())
        self._whom = whom
        self._count = count
        self._when_slow = when_slow
        database = database_of(hs)
        self._driver = hs.get_datastores().main.database_engine.module
        self._arguments = _arguments(database, name=f"synapse_nextgen_auth {whom}")
        self._prefix = _prefix(database)
        self._wire: Wire | None = None
        self._is_opening = False
        self._is_closed = False
        self._failures = 0
        self._is_told = False  # that it cannot be opened
        self._not_before = 0.0
        self._last_used = 0.0
        drain.at_last(self.close)

    @staticmethod
    def is_possible(hs: HomeServer, whose: str) -> bool:
        """Say whether this database and this reactor can do it, and in the log `whose` loss it is."""
        database = database_of(hs)
        if database.config.get("name") != "psycopg2":
            return False
        if why_not := addresses.why_not(_arguments(database)):
            logger.info("%s do not go together: %s", whose, why_not)
            return False
        return IReactorFDSet.providedBy(hs.get_reactor())  # type: ignore[no-any-return,no-untyped-call,unused-ignore]

    @property
    def is_open(self) -> bool:
        """Whether a statement can be run; if not, one is being opened, or will be in a moment."""
        if self._wire is None:
            self._open_soon()
            return False
        return not (self._wire.is_busy and self._waited > SLOW)

    @property
    def _waited(self) -> float:
        """For how many seconds a statement is under way, or was the last one that began."""
        return time.monotonic() - self._last_used

    async def run(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows, once it is committed.

        Raise `NotThere` or what the driver raises; then nobody knows whether it happened.
        """
        if self._wire is None or self._wire.is_busy:
            raise NotAsked
        self._last_used = time.monotonic()
        with Nowhere():
            rows = await self._wire.ask(self._prefix + sql, parameters)
        self._failures, self._is_told = 0, False
        return rows

    async def close(self) -> None:
        """Close it for good."""
        self._is_closed = True
        if self._wire is not None:
            self._wire.close(NotThere())

    def _open_soon(self) -> None:
        if self._is_opening or self._is_closed or time.monotonic() < self._not_before:
            return
        self._is_opening = True
        background.begin(self._hs, Background.OWN_CONNECTION, self._open)

    async def _open(self) -> None:
        try:
            connection = await in_thread(
                self._hs,
                opening.connect,
                self._driver,
                self._arguments,
                lambda: not self._is_closed,
            )
            self._take(connection)
        except opening.NotWanted:
            pass
        except Exception as error:  # noqa: BLE001 (whatever it is, it is not tried again at once)
            self._count("not_opened")
            if not self._is_told:
                self._is_told = True
                logger.warning(
                    "No connection for %s of many at once: %s", self._whom, _short(error)
                )
            self._pause()
        finally:
            self._is_opening = False

    def _take(self, connection: Any) -> None:
        if self._is_closed:
            connection.close()
            return
        self._last_used = time.monotonic()
        with Nowhere():
            try:
                self._wire = Wire(self._reactor, self._driver, connection, self._lost)
            except OSError:  # the process has no file left
                connection.close()
                raise
            self._reactor.callLater(_LOOK_EVERY, self._look, self._wire)
        self._count("opened")

    def _lost(self, error: Exception, *, was_asked: bool) -> None:
        """Hear that the connection is no more."""
        self._wire = None
        if self._is_closed or isinstance(error, _Unused):
            self._count("closed")
            return
        self._count("lost")
        logger.info("Lost the connection for %s of many at once: %s", self._whom, _short(error))
        if was_asked:
            self._pause()

    def _pause(self) -> None:
        """Leave the database alone for a while, the longer the more often it failed."""
        self._failures += 1
        self._not_before = time.monotonic() + min(2 ** (self._failures - 1), _LONGEST_PAUSE)

    def _look(self, known: Wire) -> None:
        """Give up a connection that does not answer, or that nobody uses."""
        known.look()
        if known is not self._wire:
            return
        since = self._waited
        if known.is_busy and since > PATIENCE:
            known.close(TooSlow())
        elif not known.is_busy and since > IDLE:
            known.close(_Unused())
        else:
            self._reactor.callLater(_LOOK_EVERY, self._look, known)
            if known.is_busy and since > SLOW:
                self._when_slow()


class _Unused(Exception):
    """Nobody wants it."""


def _short(error: Exception) -> str:
    return " ".join(str(error).split()) or repr(error)


def _arguments(database: DatabaseConnectionConfig, name: str = "") -> dict[str, Any]:
    """Return Synapse's own arguments for a connection, but for what its pool takes of them.

    `name` is what PostgreSQL lists it by, unless they have one.
    """
    given = database.config.get("args") or {}
    ours = {name: value for name, value in given.items() if not name.startswith("cp_")}
    ours.pop("async", None)
    ours.pop("async_", None)
    ours.setdefault("fallback_application_name", name)
    return ours


def _prefix(database: DatabaseConnectionConfig) -> str:
    """Return what goes before each statement, in the same message and transaction.

    A pooler may run the next one on another connection, so nothing is set for longer.
    """
    is_durable = database.config.get("synchronous_commit", True)
    return "" if is_durable else "SET LOCAL synchronous_commit TO OFF; "
