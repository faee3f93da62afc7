"""Questions to the database that come at once, asked as one.

While one batch is under way the next questions gather, and go together as soon as it is over. So the
first one waits for nothing, and the more there is to do, the less each costs.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable
from twisted.internet.defer import Deferred, ensureDeferred

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Begin = Callable[[Callable[[], Awaitable[None]]], object]


def in_no_context(work: Callable[[], Awaitable[None]]) -> None:
    """Begin some work that belongs to no request, and to no context of Synapse's log."""
    with PreserveLoggingContext():
        ensureDeferred(work())  # type: ignore[arg-type]


class Gathered(Generic[K, V]):
    """Ask for one, and have many asked at once.

    `answer` takes different keys, `most` of them at most, and returns what it found of them; a key
    that it says nothing of has the answer `None`. What it raises, each that asked in this batch hears,
    and nobody else. Who asks for a key that waits already shares the answer; who asks for one that
    is under way waits for the next batch, so no answer is older than its question.

    Nobody's log context is left or taken: a batch runs in none, or in what `begin` gives it; the
    transactions of Synapse want one, `partial(background.begin, hs, kind)`. Who is cancelled while
    waiting takes nothing from the others. `answer` must come to an end by itself: the next wait for it.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
        *,
        most: int,
        begin: Begin = in_no_context,
    ) -> None:
        self._answer = answer
        self._most = most
        self._begin = begin
        self._waiting: dict[K, list[Deferred[V | None]]] = {}
        self._is_under_way = False

    async def ask(self, key: K) -> V | None:
        """Return the answer for a key, or `None` where there is none."""
        mine: Deferred[V | None] = Deferred()
        self._waiting.setdefault(key, []).append(mine)
        if not self._is_under_way:
            self._go()
        return await make_deferred_yieldable(mine)

    def _go(self) -> None:
        """Take what waits, if there is anything, and begin a batch of it."""
        batch: dict[K, list[Deferred[V | None]]] = {}
        for key in list(self._waiting):
            if len(batch) == self._most:
                break
            asked = [one for one in self._waiting.pop(key) if not one.called]
            if asked:  # nobody is left where all of them were cancelled
                batch[key] = asked
        self._is_under_way = bool(batch)
        if batch:
            self._begin(lambda: self._ask(batch))

    async def _ask(self, batch: dict[K, list["Deferred[V | None]"]]) -> None:
        found: Mapping[K, V] = {}
        error: BaseException | None = None
        try:
            found = await self._answer(tuple(batch))
        except BaseException as raised:
            error = raised
            if not isinstance(raised, Exception):
                raise
        finally:
            # The next ones are on their way before those that waited go on, each with work of its own.
            self._go()
            _say(batch, found, error)


def _say(
    batch: Mapping[K, Sequence["Deferred[V | None]"]],
    found: Mapping[K, V],
    error: BaseException | None,
) -> None:
    with PreserveLoggingContext():
        for key, asked in batch.items():
            for one in asked:
                if one.called:  # cancelled meanwhile
                    continue
                if error is None:
                    one.callback(found.get(key))
                else:
                    one.errback(error)
