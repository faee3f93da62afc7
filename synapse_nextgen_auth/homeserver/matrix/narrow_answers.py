"""Where Synapse puts its answers together that a narrow token gets less of: both kinds of sync.

Who has the whole API, or no token of ours, gets Synapse's answer; what is taken from the others is in
`narrow_sync.py` and `narrow_sliding_sync.py`.
"""

from typing import TYPE_CHECKING, Any

from synapse.handlers.sliding_sync import SlidingSyncHandler
from synapse.handlers.sync import SyncConfig, SyncHandler
from synapse.server import HomeServer
from synapse.types import Requester

from synapse_nextgen_auth import late
from synapse_nextgen_auth.homeserver.auth.mark import is_narrow
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver.matrix import narrow_sliding_sync, narrow_sync
else:
    narrow_sliding_sync, narrow_sync = late.files(
        "homeserver.matrix.narrow_sliding_sync", "homeserver.matrix.narrow_sync"
    )

NEEDS = (
    Needed(
        "synapse.handlers.sync",
        "SyncHandler.wait_for_sync_for_user",
        ("requester", "sync_config", "request_key"),
    ),
    Needed("synapse.handlers.sync", "SyncHandler.current_sync_for_user", ("sync_config",)),
    Needed(
        "synapse.handlers.sliding_sync",
        "SlidingSyncHandler.wait_for_sync_for_user",
        ("requester", "sync_config"),
    ),
    Needed(
        "synapse.handlers.sliding_sync",
        "SlidingSyncHandler.current_sync_for_user",
        ("sync_config",),
    ),
)

_sync = SyncHandler.wait_for_sync_for_user
_synced = SyncHandler.current_sync_for_user
_slide = SlidingSyncHandler.wait_for_sync_for_user
_slid = SlidingSyncHandler.current_sync_for_user


def install(hs: HomeServer) -> None:
    """Put these in the place of Synapse's, for every handler there is and will be."""

    async def sync(
        self: Any,
        requester: Requester,
        sync_config: Any,
        request_key: Any,
        *more: Any,
        **named: Any,
    ) -> Any:
        """Sync, with a narrow token as somebody whose answers nobody else gets."""
        if is_narrow(requester):
            sync_config = narrow_sync.narrowed(hs, requester, sync_config)
            request_key = (*request_key, "nextgen", sync_config.opened)
        return await _sync(self, requester, sync_config, request_key, *more, **named)

    patches.instead(SyncHandler, "wait_for_sync_for_user", sync)
    patches.instead(SyncHandler, "current_sync_for_user", synced)
    patches.instead(SlidingSyncHandler, "wait_for_sync_for_user", slide)
    patches.instead(SlidingSyncHandler, "current_sync_for_user", slid)


async def synced(self: Any, sync_config: Any, *more: Any, **named: Any) -> Any:
    """Return what is new, of that what a narrow token may know."""
    result = await _synced(self, sync_config, *more, **named)
    if type(sync_config) is SyncConfig:
        return result
    return narrow_sync.cut(result, sync_config)


async def slide(self: Any, requester: Requester, sync_config: Any, *more: Any, **named: Any) -> Any:
    """Sync in windows, with a narrow token through some of them."""
    if is_narrow(requester):
        sync_config = narrow_sliding_sync.narrowed(requester, sync_config)
    return await _slide(self, requester, sync_config, *more, **named)


async def slid(self: Any, sync_config: Any, *more: Any, **named: Any) -> Any:
    """Return what is new, of that what a narrow token may know."""
    result = await _slid(self, sync_config, *more, **named)
    if not is_narrow(sync_config.requester):
        return result
    return narrow_sliding_sync.cut(result, sync_config.requester)
