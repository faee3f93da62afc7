"""Questions to the database that come at once, asked as one.

While one batch is under way the next questions gather, and go together as soon as it is over. So the
first one waits for nothing, and the more there is to do, the less each costs.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred, ensureDeferred

from synapse_nextgen_auth.homeserver.contexts import Nowhere

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Begin = Callable[[Callable[[], Awaitable[None]]], object]


# A few single questions do not mean that the crowd is gone.
_A_CROWD = 1.5


class Timer(Protocol):
    """Something that happens later: a `DelayedCall` of the reactor."""

    def active(self) -> bool:
        """Say whether it is still to happen."""

    def cancel(self) -> None:
        """Let it not happen."""


MoveOn = Callable[[Callable[[], None]], Timer]


def in_no_context(work: Callable[[], Awaitable[None]]) -> None:
    """Begin some work that belongs to no request, and to no context of Synapse's log."""
    with Nowhere():
        ensureDeferred(work())  # type: ignore[arg-type]


class Gathered(Generic[K, V]):
    """Ask for one, and have many asked at once.

    `answer` takes different keys, `most` of them at most, and returns what it found of them; a key
    that it says nothing of has the answer `None`. What it raises, each that asked in this batch hears,
    and nobody else. Who asks for a key that waits already shares the answer; who asks for one that
    is under way waits for the next batch, so no answer is older than its question.

    Nobody's log context is left or taken: a batch runs in none, or in what `begin` gives it; the
    transactions of Synapse want one, `partial(background.begin, hs, kind)`. Who is cancelled while
    waiting takes nothing from the others. `answer` must come to an end by itself, because the next wait
    for it; unless `move_on` calls what it is given after a while: then others go past one that hangs.
    With `alone` who finds nobody there asks as a part of itself, in its own context, and when that is
    cancelled so is the question; it is for questions that change nothing.
    With `soon`, which calls what it is given in the next turn of the reactor, who finds nobody there
    lets others of the same turn come along; not where nobody came along of late.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
        *,
        most: int,
        begin: Begin = in_no_context,
        move_on: MoveOn | None = None,
        alone: bool = False,
        soon: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._answer = answer
        self._most = most
        self._begin = begin
        self._move_on = move_on
        self._alone = alone
        self._soon = soon
        self._crowd = 0.0  # how many came at once of late
        self._waiting: dict[K, list[Deferred[V | None]]] = {}
        self._under_way: object | None = None  # the batch that the next ones wait for
        self._is_going = self._goes_again = False

    async def ask(self, key: K) -> V | None:
        """Return the answer for a key, or `None` where there is none."""
        if self._alone and self._under_way is None:
            return await self._ask_alone(key)
        mine: Deferred[V | None] = Deferred()
        self._waiting.setdefault(key, []).append(mine)
        if self._under_way is None:
            self._start()
        with Nowhere():
            return await mine

    async def _ask_alone(self, key: K) -> V | None:
        self._under_way = batch = object()
        timer = self._time(batch)
        try:
            return (await self._answer((key,))).get(key)
        finally:
            _stop(timer)
            self._go_after(batch)

    def _start(self) -> None:
        if self._soon is None or self._crowd < _A_CROWD:
            self._go()
            return
        self._under_way = start = object()
        with Nowhere():
            self._soon(lambda: self._go_after(start))

    def go_past(self) -> None:
        """Let those that wait go, whatever became of the batch that is under way; it is answered yet."""
        self._go_after(self._under_way)

    def _go(self) -> None:
        """Begin batches of what waits until one is under way; a loop, for they may fail at once."""
        if self._is_going:
            self._goes_again = True
            return
        self._is_going = self._goes_again = True
        try:
            while self._goes_again:
                self._goes_again = False
                self._begin_next()
        finally:
            self._is_going = False

    def _begin_next(self) -> None:
        """Take what waits, if there is anything, and begin a batch of it."""
        batch: dict[K, list[Deferred[V | None]]] = {}
        for key in list(self._waiting):
            if len(batch) == self._most:
                break
            asked = [one for one in self._waiting.pop(key) if not one.called]
            if asked:  # nobody is left where all of them were cancelled
                batch[key] = asked
        self._under_way = batch or None
        if not batch:
            return
        self._crowd = max(len(batch), self._crowd / 2)
        try:
            self._begin(lambda: self._ask(batch))
        except Exception as error:  # noqa: BLE001 (they hear of it)
            self._go_after(batch)
            _say(batch, {}, error)

    def _time(self, batch: object) -> Timer | None:
        """Have the next ones go after a while, though this batch did not come back."""
        return self._move_on and self._move_on(lambda: self._go_after(batch))

    def _go_after(self, batch: object | None) -> None:
        """Let the next ones go, if this batch is what they wait for."""
        if batch is not None and self._under_way is batch:
            self._go()

    async def _ask(self, batch: dict[K, list["Deferred[V | None]"]]) -> None:
        found: Mapping[K, V] = {}
        error: BaseException | None = None
        timer = self._time(batch)
        try:
            found = await self._answer(tuple(batch))
        except BaseException as raised:
            error = raised
            if not isinstance(raised, Exception):
                raise  # the process ends, or nobody holds this any more; those that wait hear it, too
        finally:
            _stop(timer)
            # The next ones are on their way before those that waited go on, each with work of its own.
            self._go_after(batch)
            _say(batch, found, error)


def _say(
    batch: Mapping[K, Sequence["Deferred[V | None]"]],
    found: Mapping[K, V],
    error: BaseException | None,
) -> None:
    with Nowhere():
        for key, asked in batch.items():
            for one in asked:
                if one.called:  # cancelled meanwhile
                    continue
                if error is None:
                    one.callback(found.get(key))
                else:
                    one.errback(error)


def _stop(timer: Timer | None) -> None:
    if timer is not None and timer.active():
        timer.cancel()
