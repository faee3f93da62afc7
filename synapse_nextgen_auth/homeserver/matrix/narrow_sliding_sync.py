"""Sliding sync for a token with a narrow scope (MSC4186).

A token for some rooms gets no lists, for their counts are about all rooms: it names the rooms that it
wants. Of the extensions there is what its scope opens, and none that is not known here.
"""

from typing import Any

import attrs
from synapse.types import Requester
from synapse.types.handlers.sliding_sync import SlidingSyncConfig, SlidingSyncResult

from synapse_nextgen_auth.homeserver.auth import narrow
from synapse_nextgen_auth.homeserver.auth.challenges import insufficient_scope
from synapse_nextgen_auth.homeserver.matrix.narrow_sync import mark_of
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.oauth.scopes.access import Access
from synapse_nextgen_auth.oauth.scopes.permissions import ACCOUNT_DATA, API, KEYS

NEEDS = (
    Needed("synapse.types.handlers.sliding_sync", "SlidingSyncConfig", is_class=True),
    Needed("synapse.types.handlers.sliding_sync", "SlidingSyncResult", is_class=True),
)

KNOWN = frozenset({"next_pos", "lists", "rooms", "extensions"})
# Filters of lists, by `m.direct` and tags.
_OF_ACCOUNT_DATA = ("is_dm", "tags", "not_tags")
_Result: Any = SlidingSyncResult


def narrowed(requester: Requester, sync_config: SlidingSyncConfig) -> SlidingSyncConfig:
    """Return what a narrow token asks for; what it was sent before is kept apart from others'."""
    opened, asked = narrow.of(requester), sync_config
    changes: dict[str, Any] = {
        "conn_id": f"{asked.conn_id or ''} {mark_of(requester.device_id, opened)}"
    }
    if opened.rooms is not None:
        changes["lists"] = None
        subscriptions = (asked.room_subscriptions or {}).items()
        changes["room_subscriptions"] = {
            room_id: wanted for room_id, wanted in subscriptions if opened.reaches(room_id)
        }
    elif asked.lists and not opened.has(ACCOUNT_DATA):
        changes["lists"] = {name: _unsorted(wanted) for name, wanted in asked.lists.items()}
    if asked.extensions is not None:
        extensions, known = asked.extensions, _extensions(opened)
        kept = {name: getattr(extensions, name) for name in known if hasattr(extensions, name)}
        # Made anew, so that what a later release has is not asked for.
        changes["extensions"] = type(extensions).model_construct(**kept)
    copied: SlidingSyncConfig = asked.model_copy(update=changes)
    return copied


def cut(result: SlidingSyncResult, requester: Requester) -> SlidingSyncResult:
    """Return what of an answer a narrow token may know."""
    if unknown():
        raise insufficient_scope("This release of Synapse syncs with the whole API alone", API)
    was: Any = result
    opened = narrow.of(requester)
    changes: dict[str, Any] = {
        "rooms": {
            its_id: _told(room, opened)
            for its_id, room in was.rooms.items()
            if opened.reaches(its_id)
        },
        "extensions": _cut_extensions(was.extensions, opened),
    }
    if opened.rooms is not None:
        changes["lists"] = {}
    left: SlidingSyncResult = attrs.evolve(was, **changes)
    return left


def _unsorted(wanted: Any) -> Any:
    """Return a list without what would tell which rooms account data puts together."""
    if wanted.filters is None:
        return wanted
    blank = dict.fromkeys(_OF_ACCOUNT_DATA)
    return wanted.model_copy(update={"filters": wanted.filters.model_copy(update=blank)})


def _told(room: Any, opened: Access) -> Any:
    return room if opened.has(ACCOUNT_DATA) else attrs.evolve(room, is_dm=False)


def unknown() -> frozenset[str]:
    """Return what of an answer of this release is not known here."""
    return frozenset(each.name for each in attrs.fields(_Result)) - KNOWN


def _extensions(opened: Access) -> tuple[str, ...]:
    """Return the extensions that a narrow token has."""
    keys = ("to_device", "e2ee") if opened.has_everywhere(KEYS) else ()
    data = ("account_data",) if opened.has(ACCOUNT_DATA) else ()
    return ("receipts", "typing", *data, *keys)


def _cut_extensions(was: Any, opened: Access) -> Any:
    known = _extensions(opened)
    kept = {name: getattr(was, name) for name in known if getattr(was, name, None) is not None}
    for name, of_rooms in (
        ("receipts", "room_id_to_receipt_map"),
        ("typing", "room_id_to_typing_map"),
        ("account_data", "account_data_by_room_map"),
    ):
        if name in kept:
            reached = {
                its_id: told
                for its_id, told in getattr(kept[name], of_rooms).items()
                if opened.reaches(its_id)
            }
            kept[name] = attrs.evolve(kept[name], **{of_rooms: reached})
    if "account_data" in kept and not opened.has_everywhere(ACCOUNT_DATA):
        kept["account_data"] = attrs.evolve(kept["account_data"], global_account_data_map={})
    return type(was)(**kept)
