"""One at a time, whatever process it is: what must not be done by two, and is no write of ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (
    Needed(
        "synapse.storage.databases.main", "DataStore.try_acquire_lock", ("lock_name", "lock_key")
    ),
)


class UnderWay(Exception):
    """Somebody is doing it just now."""


@asynccontextmanager
async def alone(homeserver: Homeserver, what: str, about: str) -> AsyncIterator[None]:
    """Let nobody else do this about the same meanwhile, on any process; or raise `UnderWay`.

    It is a lock of Synapse's, which ends by itself where its process dies.
    """
    lock = await homeserver.store.try_acquire_lock(f"nextgen_{what}", about)
    if lock is None:
        raise UnderWay
    async with lock:
        yield
