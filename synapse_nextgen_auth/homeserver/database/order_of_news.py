"""What processes tell each other arrives, whichever of two transactions commits first.

Synapse numbers invalidations of its caches within the transactions that write them, and sends all that
it finds after the last one that it sent. So the later of two may go out before the earlier one is
committed; who heard of it takes nothing earlier any more, and what was revoked stays good there.
"""

from typing import Any

from synapse.replication.tcp.streams import CachesStream

from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (
    Needed(
        "synapse.replication.tcp.streams",
        "CachesStream.get_updates_since",
        ("instance_name", "from_token", "upto_token"),
    ),
)

Updates = tuple[list[tuple[int, Any]], int, bool]


def keep() -> None:
    """Let invalidations wait for the earlier ones: up to `upto_token` all of them are committed."""

    async def in_order(
        stream: CachesStream, instance_name: str, from_token: int, upto_token: int
    ) -> Updates:
        found: Updates = await stock(stream, instance_name, from_token, upto_token)
        updates, _, _ = found
        settled = [(number, row) for number, row in updates if number <= upto_token]
        return found if len(settled) == len(updates) else (settled, upto_token, False)

    # Some processes have their stream before this module, so it is done for the class.
    stock = patches.instead(CachesStream, "get_updates_since", in_order)
