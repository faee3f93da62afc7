"""What differs between the releases of Synapse that we run on.

Nothing else has two ways to do one thing because of it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from synapse.config.homeserver import HomeServerConfig
from synapse.server import HomeServer
from synapse.util.clock import Clock

from synapse_nextgen_auth.homeserver.startup import internals
from synapse_nextgen_auth.homeserver.startup.needed import Needed

try:
    from synapse.util.duration import Duration
except ImportError:  # before 1.145, where a number says how long
    Duration = None  # type: ignore[assignment,misc]

try:
    from synapse.rest.client.devices import (  # type: ignore[attr-defined,unused-ignore]
        ClaimDehydratedDeviceServlet,
    )
except ImportError:  # since 1.146
    ClaimDehydratedDeviceServlet = None

NEEDS = (
    Needed(
        "synapse.storage.databases.main",
        "DataStore.invalidate_cache_and_stream",
        ("cache_name", "keys"),
    ),
    Needed("synapse.util.clock", "Clock.looping_call", ("f",), either=("duration", "msec")),
    Needed(
        "synapse.handlers.profile",
        "ProfileHandler.set_displayname",
        ("target_user", "requester", "new_displayname"),
    ),
    Needed(
        "synapse.handlers.profile",
        "ProfileHandler.set_avatar_url",
        ("target_user", "requester", "new_avatar_url"),
    ),
    Needed("synapse.util.clock", "Clock.sleep", either=("duration", "seconds")),
    Needed(
        "synapse.storage.database",
        "DatabasePool.simple_select_onecol",
        ("table", "keyvalues", "retcol", "desc"),
    ),
)

RELEASE = internals.numbers(internals.running())


def delegated_by(hs_config: HomeServerConfig) -> str | None:
    """Return the section that hands sign-in to another service, `None` where Synapse keeps it."""
    if hs_config.mas.enabled:
        return "matrix_authentication_service"
    # Present in old releases, and refused by Synapse itself in new ones.
    msc3861 = getattr(hs_config.experimental, "msc3861", None)
    return "experimental_features.msc3861" if getattr(msc3861, "enabled", False) else None


def dehydrated_device_claims(hs: HomeServer) -> type[Any] | None:
    """Return the servlet that gives a token another device (MSC2697), where Synapse serves it."""
    is_served = getattr(hs.config.experimental, "msc2697_enabled", False)
    found: type[Any] | None = ClaimDehydratedDeviceServlet
    return found if is_served else None


async def tokens_left_in_memory(
    store: Any, user_id: str, device_id: str
) -> Callable[[], Awaitable[None]]:
    """Return what to do once the legacy tokens of a device are deleted.

    Before 1.154 those with a refresh token are gone before Synapse looks which ones it has to forget,
    and go on working from memory.
    """
    if RELEASE >= (1, 154):
        return _nothing
    tokens = await store.db_pool.simple_select_onecol(
        table="access_tokens",
        keyvalues={"user_id": user_id, "device_id": device_id},
        retcol="token",
        desc="nextgen_tokens_of_device",
    )

    async def forget() -> None:
        for token in tokens:
            await store.invalidate_cache_and_stream("get_user_by_access_token", (token,))

    return forget


async def _nothing() -> None:
    """Do nothing."""


async def set_profile_field(handler: Any, requester: Any, field: str, value: str) -> None:
    """Set the display name or the picture (`avatar_url`) of whoever asks; "" takes it away.

    Since 1.159 one process writes profiles, and others ask it.
    """
    dispatch = getattr(handler, "dispatch_set_profile_field", None)
    of = {"target_user": requester.user, "requester": requester}
    if dispatch is not None:
        await dispatch(**of, field_name=field, new_value=value)
    elif field == "displayname":
        await handler.set_displayname(**of, new_displayname=value)
    else:
        await handler.set_avatar_url(**of, new_avatar_url=value)


def call_every(clock: Clock, function: Callable[[], object], *, seconds: int) -> None:
    """Call a function again and again, for the first time after so many seconds."""
    clock.looping_call(function, _length(seconds, before=seconds * 1000))


async def pause(clock: Clock, *, seconds: float) -> None:
    """Wait, and let others work."""
    await clock.sleep(_length(seconds, before=seconds))


def _length(seconds: float, *, before: float) -> Any:
    """Return a length of time as this release takes it, or the number that it was before."""
    return before if Duration is None else Duration(seconds=seconds)
