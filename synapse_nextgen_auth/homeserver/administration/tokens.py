"""Registration tokens, made as Synapse's own admin API makes them."""

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (
    Needed(
        "synapse.storage.databases.main",
        "DataStore.create_registration_token",
        ("token", "uses_allowed", "expiry_time"),
    ),
)


async def make(
    homeserver: Homeserver, token: str, *, uses: int | None, expires_at: int | None
) -> bool:
    """Make a token, good until then (milliseconds); False where there is one."""
    return bool(
        await homeserver.store.create_registration_token(
            token, uses_allowed=uses, expiry_time=expires_at
        )
    )
