"""The homeserver as the rest of this package sees it: a clock, a database, and what hangs on them."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload

from synapse.module_api import ModuleApi
from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import PostgresEngine
from synapse.storage.engines._base import IsolationLevel
from synapse.types import UserInfo
from twisted.enterprise.adbapi import ConnectionLost

from synapse_nextgen_auth import late, store
from synapse_nextgen_auth.flows.outcome import Outcome, outcome_of
from synapse_nextgen_auth.homeserver.colleagues import Colleagues
from synapse_nextgen_auth.homeserver.database import news
from synapse_nextgen_auth.homeserver.database.caches import ask_again
from synapse_nextgen_auth.homeserver.database.lookups import Lookups
from synapse_nextgen_auth.homeserver.drain import Drain
from synapse_nextgen_auth.homeserver.live import LiveSessions
from synapse_nextgen_auth.homeserver.metrics import Metrics
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.events import Event
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.store.txn import Txn

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver.database import own_reads
else:
    own_reads = late.file("homeserver.database.own_reads")

NEEDS = (
    Needed("synapse.storage.databases.main", "DataStore.get_device", ("user_id", "device_id")),
    Needed("synapse.storage.databases.main", "DataStore.get_user_by_id", ("user_id",)),
    Needed(
        "synapse.storage.database",
        "DatabasePool.runInteraction",
        ("desc", "func", "db_autocommit", "isolation_level"),
    ),
    Needed("synapse.storage.engines._base", "IsolationLevel.READ_COMMITTED"),
    *members("synapse.server", "HomeServer", "get_clock", "get_datastores", "get_instance_name"),
)

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

# A flow repeats itself exactly, and knows what it wrote before. So it is simply run again when it
# lost a race for a unique row, and when the connection broke, even if that was during the commit.
# So is what Synapse looks up for a refresh.
# After a restart of the database every connection of the pool is broken, so there are more attempts
# than most pools have connections.
_ATTEMPTS = 12
# How much of what a database says goes into one line of the log.
_LINE = 200


class Homeserver:
    """One running Synapse process."""

    def __init__(self, api: ModuleApi) -> None:
        self.api = api
        self.hs = api._hs  # noqa: SLF001 (this package is the one place that may)
        self.store = self.hs.get_datastores().main
        self.server_name: str = self.hs.hostname
        self.public_baseurl: str = self.hs.config.server.public_baseurl
        # Some of what Synapse does works in this process only (`outbox.py`).
        self.is_main = self.hs.config.worker.worker_app is None
        # Without a section `email` Synapse would try the machine it runs on.
        self.sends_mails = bool(self.hs.config.email.can_verify_email)
        self.process_name: str = self.hs.get_instance_name()
        self._clock = self.hs.get_clock()
        module = self.store.database_engine.module
        # What a database that is away, full or overloaded raises: a failure of ours, not of a client.
        self.database_errors: tuple[type[Exception], ...] = (module.Error, ConnectionLost)
        # What it raises while it is away or overloaded. SQLite is never away; what it calls so may be
        # a table that is missing.
        self._away: tuple[type[Exception], ...] = (ConnectionLost,)
        if isinstance(self.store.database_engine, PostgresEngine):
            self._away += (module.OperationalError, module.InterfaceError)
        # After most other errors Synapse runs a transaction again by itself.
        self._passing = (module.IntegrityError, module.InterfaceError, ConnectionLost)
        self.metrics = Metrics(self.server_name)
        self.drain = Drain(self.hs)
        self._own_reads = late.made(
            lambda: own_reads.OwnReads(self.hs, self.drain, self.metrics, self.read)
        )
        self.lookups = Lookups(self.hs, self.read, polls=self._read_often)
        self.live = LiveSessions(self.hs, self.lookups.session)
        self.colleagues = Colleagues(self.hs)
        self._told: frozenset[str] = frozenset()
        self._when_sessions_end: list[Callable[[tuple[str, ...]], None]] = []
        self._when_clients_go: list[Callable[[Collection[str]], None]] = []
        self._when_posted: list[Callable[[], None]] = []
        self._when_happened: list[Callable[[Collection[Event]], None]] = []
        self._first: list[Callable[[], object]] = []

    def why_away(self, error: Exception) -> str | None:
        """Return in one line why the database was away, `None` if this is another error."""
        if not isinstance(error, self._away):
            return None
        return " ".join(str(error).split())[:_LINE] or type(error).__name__

    def when_sessions_end(self, then: Callable[[tuple[str, ...]], None]) -> None:
        """Call `then(ids)` after each transaction of this process that ended sessions."""
        self._when_sessions_end.append(then)

    def when_posted(self, then: Callable[[], None]) -> None:
        """Call `then()` after each transaction of this process that wrote to the outbox."""
        self._when_posted.append(then)

    def when_happened(
        self, then: Callable[[Collection[Event]], None], *, first: Callable[[], object]
    ) -> None:
        """Call `then(events)` after each transaction of this process that wrote events down.

        What `first` raises keeps any transaction from beginning: whoever hears that something failed
        comes again, and a code that was taken all the same would end its session.
        """
        self._when_happened.append(then)
        self._first.append(first)

    def tell_of(self, kinds: frozenset[str]) -> None:
        """Write down from now on that accounts are to be told of events of these kinds."""
        self._told = kinds

    def when_clients_go(self, then: Callable[[Collection[str]], None]) -> None:
        """Call `then(ids)` after each transaction of this process that deleted clients."""
        self._when_clients_go.append(then)

    async def user(self, user_id: str) -> UserInfo | None:
        """Return what Synapse knows about an account, from its replicated cache."""
        found: UserInfo | None
        try:
            found = await self.lookups.user(user_id)
        except self._passing:
            found = None
        if found is None or found.is_deactivated:
            found = await self.user_now(user_id)
        return found

    async def is_closed(self, user_id: str) -> bool:
        """Say whether an account was closed, or is not there: nothing is done for it any more."""
        user = await self.user_now(user_id)
        return user is None or user.is_deactivated

    async def user_now(self, user_id: str) -> UserInfo | None:
        """Return what Synapse's database knows about an account."""
        ask = partial(ask_again, self.store.get_user_by_id, user_id)
        found: UserInfo | None = await self._again("get_user_by_id", ask)
        return found

    async def device_name(self, user_id: str, device_id: str) -> str | None:
        """Return what a device is called, "" for a nameless one, `None` for one that is not there.

        It comes from Synapse's replicated cache, which every way of deleting a device invalidates.
        """
        try:
            device = await self.lookups.device(user_id, device_id)
        except self._passing:
            device = None
        if device is None:
            ask = partial(ask_again, self.store.get_device, user_id, device_id)
            device = await self._again("get_device", ask)
        return None if device is None else str(device["display_name"] or "")

    def now(self) -> int:
        """Return the time in seconds since the epoch; the one clock there is."""
        return int(self._clock.time_msec() // 1000)

    @overload
    async def run(
        self,
        flow: Callable[Concatenate[Txn, P], Outcome[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T: ...

    @overload
    async def run(
        self, flow: Callable[Concatenate[Txn, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T: ...

    async def run(
        self, flow: Callable[Concatenate[Txn, P], Any], *args: P.args, **kwargs: P.kwargs
    ) -> Any:
        """Run a flow, or one function of the rows, in one transaction.

        Of an `Outcome`, every worker forgets the sessions that ended or changed in that same
        transaction, and a refusal is raised after the commit. Anything else is returned as it is.
        """
        return await self._run(_name(flow), lambda txn: flow(txn, *args, **kwargs))

    async def settle(
        self, flow: Callable[Concatenate[Txn, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a flow whose one conditional write decides, on the newest state of its row.

        Many want to write the same row at once, and each would be run again and again to see the row
        as of its beginning.
        """
        return await self._run(
            _name(flow), lambda txn: flow(txn, *args, **kwargs), IsolationLevel.READ_COMMITTED
        )

    async def read(
        self, select: Callable[Concatenate[Txn, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run what is one SELECT, and refuse anything else; it saves the round trip of a commit."""

        def attempt(cursor: LoggingTransaction) -> T:
            return select(Txn.reading(cursor), *args, **kwargs)

        return await self._insist(_name(select), attempt, db_autocommit=True)

    async def _read_often(
        self, select: Callable[[Txn, Sequence[K]], Mapping[K, V]], keys: Sequence[K]
    ) -> Mapping[K, V]:
        """Do the same for what is read again and again."""
        return await self._own_reads.read(select, keys)

    async def _run(
        self,
        name: str,
        flow: Callable[[Txn], T | Outcome[T]],
        isolation_level: IsolationLevel | None = None,
    ) -> T:
        for first in self._first:
            first()
        seed, touched, gone = random_id(), set[str](), set[str]()
        posted, happened = list[str](), list[Event]()
        begun, places = int(self._clock.time_msec()), dict[str, int]()

        def attempt(cursor: LoggingTransaction) -> Outcome[T]:
            moment = int(self._clock.time_msec())
            txn = Txn(cursor, seed=seed, moment=moment, begun=begun, told=self._told, places=places)
            outcome = outcome_of(txn, flow(txn))
            touched.update(outcome.ended, outcome.changed)
            self.live.forget(cursor, (*outcome.ended, *outcome.changed))
            gone.update(txn.gone)
            news.tell(self.store, cursor, news.CLIENT_GONE, txn.gone)
            posted[:] = txn.posted
            happened[:] = txn.happened
            if not self.is_main:
                news.tell(self.store, cursor, news.OUTBOX, txn.posted[:1])
            return outcome

        try:
            outcome = await self._insist(name, attempt, isolation_level=isolation_level)
        finally:
            # Whatever became of the attempts that failed, nobody relies on what was before them.
            if gone:
                for forget in self._when_clients_go:
                    forget(gone)
            self.live.forget_here(touched, is_news=bool(gone or posted))
        self._say(posted, happened)
        if outcome.ended:
            self.metrics.sessions_ended(len(outcome.ended))
            for then in self._when_sessions_end:
                then(outcome.ended)
        if isinstance(outcome.value, OAuthError):
            raise outcome.value
        return outcome.value

    def _say(self, posted: list[str], happened: list[Event]) -> None:
        """Tell whoever wants to know in this process what was committed."""
        if posted:
            for wake in self._when_posted:
                wake()
        if happened:
            for hear in self._when_happened:
                hear(tuple(happened))

    async def _insist(
        self,
        name: str,
        attempt: Callable[[LoggingTransaction], T],
        *,
        db_autocommit: bool = False,
        isolation_level: IsolationLevel | None = None,
    ) -> T:
        once = partial(
            self.store.db_pool.runInteraction,
            f"nextgen_{name}",
            attempt,
            db_autocommit=db_autocommit,
            isolation_level=isolation_level,
        )
        return await self._again(name, once)

    async def _again(self, name: str, once: Callable[[], Awaitable[T]]) -> T:
        """Do this until no broken connection and no lost race is in its way."""
        for number in range(_ATTEMPTS):
            try:
                return await once()
            except self._passing as error:
                if number == _ATTEMPTS - 1:
                    raise
                logger.info("Running transaction %s again after %r", name, error)
        raise AssertionError("unreachable")


def _name(function: Callable[..., object]) -> str:
    """Return what a transaction is called in Synapse's log and metrics.

    A flow has a name of its own; of the rows there are many that `get` something.
    """
    module = function.__module__
    table = module.rpartition(".")[2] + "_" if module.startswith(store.__name__) else ""
    return table + function.__name__
