"""What processes tell each other arrives, whichever of two transactions commits first.

Synapse numbers invalidations of its caches within the transactions that write them, and sends all that
it finds after the last one that it sent. So the later of two may go out before the earlier one is
committed; who heard of it takes nothing earlier any more, and what was revoked stays good there.
"""

from typing import Any

from synapse.replication.tcp.streams import CachesStream
from synapse.server import HomeServer

from synapse_nextgen_auth.homeserver.startup import patches, versions
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

NEEDS = (
    Needed(
        "synapse.replication.tcp.streams",
        "CachesStream.get_updates_since",
        ("instance_name", "from_token", "upto_token"),
    ),
    Needed(
        "synapse.replication.tcp.streams",
        "CachesStream.can_discard_position",
        ("instance_name", "prev_token", "new_token"),
    ),
    Needed("synapse.replication.tcp.streams", "CachesStream.current_token", ("instance_name",)),
    *members("synapse.storage.util.id_generators", "MultiWriterIdGenerator", "get_positions"),
    *members("synapse.server", "HomeServer", "get_clock", "get_notifier"),
    *members("synapse.notifier", "Notifier", "on_new_replication_data"),
)

Updates = tuple[list[tuple[int, Any]], int, bool]

# Seconds after which what waited behind a transaction that was rolled back is sent at the latest.
_LOOK_EVERY = 5


def keep(hs: HomeServer) -> None:
    """Let other processes hear of each invalidation, and this one of each of theirs."""
    _send_in_order()
    _take_what_was_not_heard()
    if hs.config.redis.redis_enabled:
        versions.call_every(
            hs.get_clock(), hs.get_notifier().on_new_replication_data, seconds=_LOOK_EVERY
        )


# Some processes have their stream before this module, so all of it is done for the class.


def _send_in_order() -> None:
    """Let invalidations wait for the earlier ones: up to `upto_token` all of them are committed."""

    async def in_order(
        stream: CachesStream, instance_name: str, from_token: int, upto_token: int
    ) -> Updates:
        found: Updates = await stock(stream, instance_name, from_token, upto_token)
        updates, _, _ = found
        settled = [(number, row) for number, row in updates if number <= upto_token]
        return found if len(settled) == len(updates) else (settled, upto_token, False)

    stock = patches.instead(CachesStream, "get_updates_since", in_order)


def _take_what_was_not_heard() -> None:
    """Take for old what a process said itself that it sent, and nothing because of what others sent.

    Synapse takes for old what is below the least that it heard of all processes that it knows; one that
    started in between, or that it does not know yet, may have something below that to commit.
    """
    # By processes that Synapse does not know yet. It learns of them no earlier for this: while one that
    # it knows says nothing more, it remembers all that others say.
    announced: dict[str, int] = {}

    def position(stream: CachesStream, instance_name: str) -> int:
        if instance_name != stream.local_instance_name:
            heard = announced | _positions(stream)
            if instance_name in heard:
                return heard[instance_name]
        found: int = stock_position(stream, instance_name)
        return found

    def is_old(stream: CachesStream, instance_name: str, prev_token: int, new_token: int) -> bool:
        found: bool = stock_is_old(stream, instance_name, prev_token, new_token)
        if found:
            announced.setdefault(instance_name, new_token)
        return found

    stock_position = patches.instead(CachesStream, "current_token", position)
    stock_is_old = patches.instead(CachesStream, "can_discard_position", is_old)


def _positions(stream: CachesStream) -> dict[str, int]:
    """Return up to where Synapse has heard each process that it knows."""
    numbers = stream.store._cache_id_gen  # noqa: SLF001 (nothing else has it)
    return {} if numbers is None else numbers.get_positions()
