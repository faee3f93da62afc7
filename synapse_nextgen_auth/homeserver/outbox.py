"""The main process does what others wrote down for it: at once when it hears of it, else in a minute.

Each entry is claimed by one conditional write that holds for as long as a try may last, so that two
main processes, one of them on its way out, do not do the same at once. What was done is deleted; what
failed rests and is tried again, and what a process died in the middle of is done once more.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from synapse.logging.context import make_deferred_yieldable, run_in_background
from synapse.util.async_helpers import concurrently_execute

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.outbox import LONGEST_TRY, Entry, Hopeless, NotYet
from synapse_nextgen_auth.accounts.works import KINDS, MINUTE, Work
from synapse_nextgen_auth.homeserver import background
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.database import news
from synapse_nextgen_auth.homeserver.startup import versions
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.store import outbox

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows import outbox as flows
else:
    flows = late.file("flows.outbox")

NEEDS = (
    Needed(
        "synapse.storage.databases.main",
        "DataStore.register_external_cached_function",
        ("cache_name", "func"),
    ),
    Needed("synapse.util.async_helpers", "concurrently_execute", ("func", "args", "limit")),
    *members("synapse.server", "HomeServer", "get_clock", "get_reactor"),
)

logger = logging.getLogger(__name__)

W = TypeVar("W", bound=Work)

_BITE = 50
# Of one kind; another kind waits for none of them.
_AT_ONCE = 5
# Of the time that a process has for its last chores, so much is for what is under way here.
_LAST_PATIENCE = 2  # seconds
_LOOK_EVERY = 0.05  # seconds


class Outbox:
    """What waits for the main process, and who does it; on any other process it does nothing."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver
        self._clock = homeserver.hs.get_clock()
        self._reactor: Any = homeserver.hs.get_reactor()
        self._doers: dict[str, Callable[[Any], Awaitable[object]]] = {}
        self._is_looking = False
        self._look_again = False
        self._lanes: set[str] = set()
        self._called_meanwhile: set[str] = set()
        self._next_look: int | None = None
        self._under_way = 0

    def does(self, kind: type[W], do: Callable[[W], Awaitable[object]]) -> None:
        """Let works of this kind be done so; twice must be as good as once."""
        self._doers[kind.kind] = do

    def start(self) -> None:
        """Begin, if this is the main process."""
        homeserver = self._homeserver
        if not homeserver.is_main:
            return
        homeserver.when_posted(self.look)
        # News between processes travel as invalidations of caches; this is none, and hears them.
        hears: Any = self
        homeserver.store.register_external_cached_function(news.OUTBOX, hears)
        versions.call_every(self._clock, self.look, seconds=MINUTE)
        self._clock.call_when_running(self.look)
        homeserver.drain.at_last(self._finish)

    def invalidate(self, _key: tuple[str, ...]) -> None:
        """Hear that another process wrote something down."""
        self.look()

    def invalidate_all(self) -> None:
        """Do nothing; Synapse wants every cache to have this."""

    def look(self) -> None:
        """Look what is due, soon and in the background."""
        self._look_again = True
        if not self._is_looking:
            self._is_looking = True
            background.begin(self._homeserver.hs, Background.OUTBOX, self._look)

    async def _look(self) -> None:
        try:
            while self._look_again:
                self._look_again = False
                await self._look_once()
        except Exception:
            logger.warning("Could not look at the outbox", exc_info=True)
        finally:
            self._is_looking = False

    async def _look_once(self) -> None:
        waiting = await self._homeserver.read(outbox.measure, now=self._homeserver.now())
        self._homeserver.metrics.outbox(
            {one.kind: (one.count, one.oldest) for one in waiting}, self._homeserver.now()
        )
        for one in waiting:
            if one.kind not in self._doers:
                await self._leave(one)
                continue
            if one.due:
                self._begin(one.kind)
            if one.next_due is not None:
                # A look that was nearer has taken the place of the one that was for this.
                self._look_in(one.next_due - self._homeserver.now())

    async def _leave(self, waiting: outbox.Waiting) -> None:
        """Leave to others what nobody does here, as where the module is switched off.

        What has waited for too long names no network address then.
        """
        kind = KINDS.get(waiting.kind)
        if kind is None or kind.network_in is None:
            return
        before = self._homeserver.now() - kind.patience
        if waiting.oldest < before:
            await self._homeserver.run(outbox.forget_addresses, kind.kind, before=before)

    def _begin(self, kind: str) -> None:
        if kind in self._lanes:
            self._called_meanwhile.add(kind)
            return
        self._lanes.add(kind)
        background.begin(self._homeserver.hs, Background.OUTBOX, self._do_all, kind)

    async def _do_all(self, kind: str) -> None:
        """Do what is due of one kind, and what becomes due meanwhile."""
        try:
            found = await self._due(kind)
            while found and not self._homeserver.drain.is_closed:
                await concurrently_execute(self._attend, found, _AT_ONCE)
                found = await self._due(kind)
        except Exception:
            logger.warning("Could not go on with %s of the outbox", kind, exc_info=True)
        finally:
            self._lanes.discard(kind)
            if kind in self._called_meanwhile:
                self._called_meanwhile.discard(kind)
                self.look()

    async def _due(self, kind: str) -> list[Entry]:
        now = self._homeserver.now()
        return await self._homeserver.read(outbox.list_due, kind, now=now, limit=_BITE)

    async def _attend(self, entry: Entry) -> None:
        """Do one entry, unless somebody else has it, or this process is about to stop."""
        if self._homeserver.drain.is_closed:
            return
        self._under_way += 1
        try:
            now = self._homeserver.now()
            taken = await self._homeserver.settle(outbox.claim, entry, now=now)
            if taken is not None:
                await self._try(taken)
        finally:
            self._under_way -= 1

    async def _try(self, entry: Entry) -> None:
        try:
            await self._do(entry)
        except Exception as error:  # noqa: BLE001 (whatever is wrong, it may pass)
            await self._failed(entry, error)
        else:
            await self._homeserver.run(outbox.done, entry.entry_id)

    async def _do(self, entry: Entry) -> None:
        doing = run_in_background(self._doers[entry.kind], entry.work)
        doing.addTimeout(LONGEST_TRY, self._reactor)
        await make_deferred_yieldable(doing)

    async def _failed(self, entry: Entry, error: Exception) -> None:
        """Let it rest, or give it up."""
        now = self._homeserver.now()
        is_early = isinstance(error, NotYet)
        if is_early and entry.is_hopeless(now):
            await self._homeserver.run(outbox.done, entry.entry_id)
            return
        if isinstance(error, Hopeless) or entry.is_hopeless(now):
            logger.error(
                "Gave up %s %s after %d tries",
                *(entry.kind, entry.subject, entry.tries),
                exc_info=error,
            )
            if await self._homeserver.run(flows.give_up, entry, now=now):
                self._homeserver.metrics.outbox_given_up(entry.kind)
            return
        tell = logger.warning if entry.tries == 1 and not is_early else logger.debug
        tell("Could not do %s %s yet", entry.kind, entry.subject, exc_info=error)
        await self._homeserver.settle(outbox.postpone, entry, due_at=now + entry.pause)
        self._look_in(entry.pause)

    def _look_in(self, seconds: int) -> None:
        """Look again then; an earlier look sees when the next one is to be."""
        then = self._homeserver.now() + seconds
        if self._next_look is None or then < self._next_look:
            self._next_look = then
            background.begin(
                self._homeserver.hs, Background.OUTBOX, self._look_later, then, seconds
            )

    async def _look_later(self, then: int, seconds: int) -> None:
        await versions.pause(self._clock, seconds=seconds)
        if self._next_look == then:
            self._next_look = None
        self.look()

    async def _finish(self) -> None:
        """Wait for what is under way when the process stops; what is left is done after the start."""
        until = self._clock.time() + _LAST_PATIENCE
        while self._under_way and self._clock.time() < until:
            await versions.pause(self._clock, seconds=_LOOK_EVERY)
