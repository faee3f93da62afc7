"""Rooms as their members know them: for who is asked about one by its id."""

import logging
from collections.abc import Sequence
from typing import Any

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

NEEDS = (
    Needed(
        "synapse.storage.databases.main",
        "DataStore.check_local_user_in_room",
        ("user_id", "room_id"),
    ),
    Needed(
        "synapse.storage.controllers.state",
        "StateStorageController.get_current_state_event",
        ("room_id", "event_type", "state_key"),
    ),
    *members("synapse.server", "HomeServer", "get_storage_controllers"),
)

logger = logging.getLogger(__name__)

_LONGEST = 100


async def names_of(
    homeserver: Homeserver, user_id: str, room_ids: Sequence[str]
) -> tuple[tuple[str, str | None], ...]:
    """Return each room with the name that it has, `None` for one without, or not for this account.

    What a room is called is for its members: who makes up an id must not learn it.
    """
    return tuple([(room_id, await _name_of(homeserver, user_id, room_id)) for room_id in room_ids])


async def _name_of(homeserver: Homeserver, user_id: str, room_id: str) -> str | None:
    if not await homeserver.store.check_local_user_in_room(user_id=user_id, room_id=room_id):
        return None
    state = homeserver.hs.get_storage_controllers().state
    event: Any = await state.get_current_state_event(room_id, "m.room.name", "")
    name = event.content.get("name") if event is not None else None
    if not isinstance(name, str):
        return None
    return " ".join(name.split())[:_LONGEST] or None
