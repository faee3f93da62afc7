"""How many things a list has: counted each time where they are few, and remembered where they are many.

Counting a million rows takes longer than a page of them, and who turns pages does not mind what changed
in the last minute. What is small is exact: whoever ends one of ten sees nine.
"""

from collections.abc import Awaitable, Callable, Hashable

from synapse_nextgen_auth.web.endpoints.admin.calls import Call, Count

# What is counted anew each time, and for how long (seconds) a greater number is remembered.
MANY = 10_000
FOR = 60
_MOST = 100


class Counts:
    """What one process remembers."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[int, int]] = {}

    async def of(
        self, call: Call, what: Hashable, count: Callable[[], Awaitable[int]]
    ) -> int | None:
        """Return how many there are, as far as the call wants to know."""
        if call.page.count is Count.NO:
            return None
        key, now = (call.site.server_name, call.operation.name, what), call.now
        known = self._known.get(key)
        if known is not None and now - FOR < known[1] <= now:
            return known[0]
        number = await count()
        self._known.pop(key, None)
        if number > MANY:
            if len(self._known) >= _MOST:
                self._known.pop(next(iter(self._known)))
            self._known[key] = (number, now)
        return number


COUNTS = Counts()
