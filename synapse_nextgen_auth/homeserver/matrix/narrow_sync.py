"""`/sync` for a token with a narrow scope: what it may not know is taken out of what is answered.

The client's filter is narrowed as well, but only so that nothing else wakes it: what counts is the look
at each answer.
"""

from copy import deepcopy
from typing import Any

import attrs
from synapse.api.filtering import FilterCollection
from synapse.handlers.sync import SyncConfig, SyncResult
from synapse.server import HomeServer
from synapse.types import DeviceListUpdates, Requester

from synapse_nextgen_auth.homeserver.auth import narrow
from synapse_nextgen_auth.homeserver.auth.challenges import insufficient_scope
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.oauth.scopes.access import Access
from synapse_nextgen_auth.oauth.scopes.permissions import ACCOUNT_DATA, API, KEYS
from synapse_nextgen_auth.secret import digest

NEEDS = (
    Needed("synapse.handlers.sync", "SyncConfig", is_class=True),
    Needed("synapse.handlers.sync", "SyncResult", is_class=True),
    Needed("synapse.api.filtering", "FilterCollection.__init__", ("hs", "filter_json")),
    Needed("synapse.api.filtering", "FilterCollection.get_filter_json"),
    Needed("synapse.types", "DeviceListUpdates", is_class=True),
)

_NOTHING = {"not_types": ["*"]}
# What is known of an answer. One with more, of a release to come, is none for a narrow token.
KNOWN = frozenset(
    {
        *("next_batch", "presence", "account_data", "profile_updates"),
        *("joined", "invited", "knocked", "archived"),
        *("to_device", "device_lists"),
        *("device_one_time_keys_count", "device_unused_fallback_key_types"),
    }
)
_Config: Any = SyncConfig
_Result: Any = SyncResult


@attrs.frozen(eq=False)
class NarrowSyncConfig(_Config):  # type: ignore[misc]
    """What a sync is to tell, and how much of that."""

    opened: Access


def narrowed(hs: HomeServer, requester: Requester, sync_config: Any) -> NarrowSyncConfig:
    """Return what a narrow token syncs."""
    opened = narrow.of(requester)
    asked = {each.name: getattr(sync_config, each.name) for each in attrs.fields(_Config)}
    wanted = sync_config.filter_collection.get_filter_json()
    asked["filter_collection"] = FilterCollection(hs, _narrowed_filter(wanted, opened))
    if not opened.has_everywhere(KEYS):
        # Messages to a device are gone once somebody got them, and this one will not.
        asked["device_id"] = f"nextgen_narrow_{mark_of(sync_config.device_id, opened)}"
    return NarrowSyncConfig(**asked, opened=opened)


def mark_of(device_id: str | None, opened: Access) -> str:
    """Return what tells a token apart from others of its device that open more, or less."""
    said = [device_id or "", *sorted(opened.parts), *sorted(opened.rooms or ())]
    return digest("\n".join(said))[:32]


def _narrowed_filter(asked: Any, opened: Access) -> dict[str, Any]:
    wanted: dict[str, Any] = deepcopy(dict(asked))
    room: dict[str, Any] = dict(wanted.get("room") or {})
    if opened.rooms is not None:
        named = room.get("rooms")
        room["rooms"] = sorted(opened.rooms if named is None else opened.rooms & set(named))
        wanted["presence"] = _NOTHING
    if not opened.has(ACCOUNT_DATA):
        room["account_data"] = _NOTHING
    if not opened.has_everywhere(ACCOUNT_DATA):
        wanted["account_data"] = _NOTHING
    return {**wanted, "room": room}


def cut(result: SyncResult, sync_config: NarrowSyncConfig) -> SyncResult:
    """Return what of an answer a narrow token may know."""
    if unknown():
        raise insufficient_scope("This release of Synapse syncs with the whole API alone", API)
    was: Any = result
    opened = sync_config.opened
    changes: dict[str, Any] = {
        name: [
            _of_room(each, opened) for each in getattr(was, name) if opened.reaches(each.room_id)
        ]
        for name in ("joined", "invited", "knocked", "archived")
    }
    if opened.rooms is not None:
        changes["presence"] = []
        if hasattr(was, "profile_updates"):
            changes["profile_updates"] = {}
    if not opened.has_everywhere(ACCOUNT_DATA):
        changes["account_data"] = []
    if not opened.has_everywhere(KEYS):
        changes |= {
            "to_device": [],
            "device_lists": DeviceListUpdates(),
            "device_one_time_keys_count": {},
            "device_unused_fallback_key_types": [],
        }
    left: SyncResult = attrs.evolve(was, **changes)
    return left


def unknown() -> frozenset[str]:
    """Return what of an answer of this release is not known here."""
    return frozenset(each.name for each in attrs.fields(_Result)) - KNOWN


def _of_room(entry: Any, opened: Access) -> Any:
    if opened.has(ACCOUNT_DATA) or not hasattr(entry, "account_data"):
        return entry
    return attrs.evolve(entry, account_data=[])
