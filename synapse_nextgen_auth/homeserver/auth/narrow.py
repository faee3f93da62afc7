"""What a token with a narrow scope may ask Synapse for: checked where every request is checked.

It lives where the requester is made, as media workers and modules know no other place. What an answer
may tell is cut elsewhere (`homeserver/matrix/narrow_sync.py`).
"""

import logging
from functools import lru_cache
from typing import Any

from synapse.api.auth.internal import InternalAuth
from synapse.api.errors import Codes, SynapseError
from synapse.http.servlet import parse_json_object_from_request
from synapse.http.site import SynapseRequest
from synapse.storage.databases.main.events_worker import EventRedactBehaviour
from synapse.types import Requester, create_requester

from synapse_nextgen_auth.homeserver.auth.challenges import insufficient_scope
from synapse_nextgen_auth.homeserver.auth.mark import ADMINISTERS_HERE
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.scopes import access, matrix_endpoints
from synapse_nextgen_auth.oauth.scopes.access import Access
from synapse_nextgen_auth.oauth.scopes.matrix_endpoints import Asked, Need
from synapse_nextgen_auth.oauth.scopes.permissions import API, READ, ROOMS_MANAGE, SERVER_ADMIN
from synapse_nextgen_auth.oauth.sessions import stand_in_of
from synapse_nextgen_auth.records import frozen

NEEDS = (
    Needed(
        "synapse.storage.databases.main",
        "DataStore.get_event",
        ("event_id", "redact_behaviour", "allow_rejected", "allow_none"),
    ),
    *members("synapse.storage.databases.main.events_worker", "EventRedactBehaviour", "as_is"),
    Needed(
        "synapse.types",
        "create_requester",
        ("is_guest", "scope", "shadow_banned", "device_id", "authenticated_entity"),
    ),
    Needed("synapse.http.servlet", "parse_json_object_from_request", ("request",)),
    Needed("synapse.api.auth.internal", "InternalAuth.is_server_admin", ("requester",)),
)

logger = logging.getLogger(__name__)

# Whoever appears online says so; a sync says it by itself.
_SYNC = ("/sync",)
_PUSHERS = "/pushers/set"
# A path of so many letters names no room.
_SHORT = 64


def of(requester: Requester) -> Access:
    """Return what the token of ours behind a request opens."""
    return access.of(frozenset(requester.scope))


async def check(
    auth: InternalAuth, store: Any, request: SynapseRequest, requester: Requester
) -> Requester:
    """Return who sends a request with a token of ours, if its scope opens that.

    For a token with the whole API as well, where it may administer the server by this address alone.
    """
    opened, way = of(requester), _way_of(request.method, request.path)
    if way.is_for_admins:
        return await _administering(auth, requester, opened)
    if opened.is_whole:
        return requester
    asked = way.asked
    lacks = opened.refuse_asked(asked)
    if lacks is not None or asked is None:
        raise _lacking(lacks or API)
    if asked.sends and any(b"delay" in name for name in request.args or {}):
        raise _lacking(API)  # it would be sent when nobody has the token any more
    if way.is_pushers and not opened.has(READ) and _shows_events(request):
        raise _lacking(READ)
    if opened.must_look_at(asked):
        await _look_at_event(store, request, requester, opened, asked)
    if way.is_sync and not opened.is_seen and request.args is not None:
        request.args[b"set_presence"] = [b"offline"]
    if asked.need is Need.ANY and _is_stand_in(requester):
        return _evolved(requester, device_id=None)
    return requester


@frozen
class _Way:
    """What is asked for by a method and a path, whoever asks."""

    asked: Asked | None
    is_for_admins: bool
    is_pushers: bool
    is_sync: bool


def _way_of(method: bytes, path: bytes) -> _Way:
    """Return it; of paths that are short and come again and again it is remembered."""
    return _known_way(method, path) if len(path) <= _SHORT else _way(method, path)


def _way(method: bytes, path: bytes) -> _Way:
    text = path.decode("latin-1")
    return _Way(
        matrix_endpoints.find(method.decode("ascii"), text),
        matrix_endpoints.is_for_admins(text),
        text.endswith(_PUSHERS),
        text.endswith(_SYNC),
    )


_known_way = lru_cache(maxsize=200)(_way)


async def _administering(auth: InternalAuth, requester: Requester, opened: Access) -> Requester:
    """Let who was granted it administer the server by this request, and by no other (MSC4484)."""
    if opened.is_whole and not opened.administers:
        return requester  # Synapse asks `is_server_admin`; about oneself it takes no power
    if not opened.administers:
        raise _lacking(SERVER_ADMIN)
    if not opened.is_whole and not await InternalAuth.is_server_admin(auth, requester):
        raise _lacking(SERVER_ADMIN)
    return _evolved(requester, scope={*requester.scope, ADMINISTERS_HERE})


async def _look_at_event(
    store: Any, request: SynapseRequest, requester: Requester, opened: Access, asked: Asked
) -> None:
    """Refuse an event of another room than the one in the address, what others said, and state.

    Of another room's event nobody learns that there is one.
    """
    event: Any = await store.get_event(
        asked.event or "",
        redact_behaviour=EventRedactBehaviour.as_is,
        allow_rejected=True,
        allow_none=True,
    )
    if event is not None and event.room_id != asked.room:
        raise SynapseError(404, "Event not found.", Codes.NOT_FOUND)
    if not asked.redacts or opened.has(ROOMS_MANAGE):
        return
    is_own = event is not None and event.sender == requester.user.to_string()
    if not is_own or event.is_state() or _redacts_more(request):
        raise _lacking(ROOMS_MANAGE)


def _redacts_more(request: SynapseRequest) -> bool:
    """Say whether a redaction asks for what belongs to the event, too (MSC3912)."""
    body = _body(request)
    return body is None or any("with_rel" in name for name in body)


def _shows_events(request: SynapseRequest) -> bool:
    """Say whether a pusher is to be sent what is said, and not only where (Push Gateway API)."""
    body = _body(request) or {}
    data = body.get("data")
    is_short = isinstance(data, dict) and data.get("format") == "event_id_only"
    return body.get("kind") is not None and not is_short


def _body(request: SynapseRequest) -> dict[str, Any] | None:
    """Return what a request carries, `None` if that is no JSON: Synapse says what is wrong with it."""
    try:
        body: dict[str, Any] = parse_json_object_from_request(request, allow_empty_body=True)
    except SynapseError:
        return None
    assert request.content is not None  # noqa: S101 (read just now)
    request.content.seek(0)
    return body


def _evolved(requester: Requester, **changes: Any) -> Requester:
    """Return the same requester but for that; in some releases it is no class of Python's."""
    same = {
        "is_guest": requester.is_guest,
        "scope": requester.scope,
        "shadow_banned": requester.shadow_banned,
        "device_id": requester.device_id,
        "authenticated_entity": requester.authenticated_entity,
    }
    return create_requester(requester.user, **{**same, **changes})


def _is_stand_in(requester: Requester) -> bool:
    return (requester.device_id or "").startswith(stand_in_of(""))


def _lacking(scope: str) -> SynapseError:
    return insufficient_scope(f"This token was not granted {scope}", scope)
