"""Work that takes the processor for long, away from the reactor."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from synapse.logging.context import defer_to_thread
from synapse.server import HomeServer

from synapse_nextgen_auth.homeserver.startup.needed import members

NEEDS = (*members("synapse.server", "HomeServer", "get_reactor"),)

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(hs: HomeServer, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function in a thread of Synapse's pool and return what it does."""
    found: T = await defer_to_thread(hs.get_reactor(), work, *args, **kwargs)
    return found
