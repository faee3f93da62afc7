"""Asking functions that have one of Synapse's caches."""

from typing import Any

from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (
    Needed("synapse.util.caches.deferred_cache", "DeferredCache.get_immediate", ("key", "default")),
)


async def recall(cached_function: Any, *key: str) -> Any:
    """Return the function's result; one that is in memory without a detour through the reactor.

    Several of these stand behind every request, and awaiting them costs three times as much. They
    are descriptors that only Synapse's own type-checking plugin understands, hence `Any`.
    """
    known = cached_function.cache.get_immediate(key if len(key) > 1 else key[0], None)
    return await cached_function(*key) if known is None else known


async def ask_again(cached_function: Any, *key: str) -> Any:
    """Return the function's result from the database, whatever is in memory.

    A process hears of what another one wrote a moment late, so a "no" from memory may be out of
    date, and a client takes a "no" for good: nobody is refused without a look (C359).
    """
    cached_function.invalidate(key)
    return await cached_function(*key)
