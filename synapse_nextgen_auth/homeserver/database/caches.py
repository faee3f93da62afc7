"""Asking functions that have one of Synapse's caches."""

import logging
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from synapse.logging.context import make_deferred_yieldable, run_in_background
from synapse.util.async_helpers import delay_cancellation

from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (
    Needed("synapse.util.caches.deferred_cache", "DeferredCache.get_immediate", ("key", "default")),
    Needed("synapse.util.caches.deferred_cache", "DeferredCache.get", ("key",)),
    Needed("synapse.util.caches.deferred_cache", "DeferredCache.set", ("key", "value")),
)

logger = logging.getLogger(__name__)


def cache_of(cached_function: Any) -> Any:
    """Return the cache of a function; `None` where another module put a plain one in its place."""
    cache = getattr(cached_function, "cache", None)
    if cache is None:
        _say_plain(getattr(cached_function, "__qualname__", repr(cached_function)))
    return cache


@lru_cache(maxsize=20)
def _say_plain(name: str) -> None:
    logger.warning(
        "Another module has %s in the place of a method of Synapse's that has a cache: it is asked each"
        " time, and our tokens are checked as well as ever, but not as fast",
        name,
    )


async def recall(cached_function: Any, *key: str) -> Any:
    """Return the function's result; one that is in memory without a detour through the reactor.

    Several of these stand behind every request, and awaiting them costs three times as much. They
    are descriptors that only Synapse's own type-checking plugin understands, hence `Any`.
    """
    cache = cache_of(cached_function)
    if cache is None:
        return await cached_function(*key)
    known = cache.get_immediate(key if len(key) > 1 else key[0], None)
    return await cached_function(*key) if known is None else known


async def recall_through(
    cached_function: Any, key: Any, ask: Callable[[Any], Awaitable[Any]]
) -> Any:
    """Return the function's result from memory, or else what `ask` says, and remember that.

    `ask` says what the function would, and goes the same way into the cache: from before it is asked
    the entry is pending, so that of a change in between, which invalidates it, nothing stale stays.
    """
    cache = cached_function.cache
    known = cache.get_immediate(key, None)
    if known is not None:
        return known
    try:
        found = cache.get(key)
    except KeyError:
        # What was begun goes on when who waits is cancelled, as in a function with a cache.
        found = delay_cancellation(cache.set(key, run_in_background(ask, key)))
    return await make_deferred_yieldable(found)


async def ask_again(cached_function: Any, *key: str) -> Any:
    """Return the function's result from the database, whatever is in memory.

    A process hears of what another one wrote a moment late, so a "no" from memory may be out of
    date, and a client takes a "no" for good: nobody is refused without a look (C359).
    """
    if cache_of(cached_function) is not None:
        cached_function.invalidate(key)
    return await cached_function(*key)
