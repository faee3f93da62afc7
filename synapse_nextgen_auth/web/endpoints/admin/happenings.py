"""`events`: what happened to accounts, for reading and for taking away."""

from typing import Any
from urllib.parse import quote, urlencode

import attrs

from synapse_nextgen_auth.accounts import ulids as names
from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import event_windows, ulids
from synapse_nextgen_auth.store.event_windows import EventsWanted
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web.endpoints.admin import lists, session_fields
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, Count, one, thing
from synapse_nextgen_auth.web.endpoints.admin.counts import COUNTS
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    Answer,
    Field,
    Lines,
    Many,
    One,
    Operation,
    Refused,
    Shape,
)
from synapse_nextgen_auth.web.endpoints.admin.values import Choice, Number, Text, Time, Ulid, time

MOST_LINES = 10_000
# For so many seconds events are not taken away yet: another of the same second may be written behind the
# last one that was, and whoever goes on from there would never see it.
SETTLED = 10
_WHAT = (
    Field("happened_at", Time(), "When.", True),
    Field(
        "kind",
        Choice(tuple(each.value for each in EventKind)),
        "What: `docs/reference/events-and-logs.md` has them all.",
        True,
    ),
    Field("matrix_id", Text(), "The account that it is about.", True, is_nullable=True),
    Field("client_id", Text(), "The client, as the protocol calls it.", True, is_nullable=True),
    Field("session_id", Text(), "The session, as the log calls it.", True, is_nullable=True),
    Field("address", Text(), "From which network address.", True, is_nullable=True),
    Field("detail", Text(), "What else there is to say.", True, is_nullable=True),
)
EVENT = Shape(
    "event",
    "Event",
    (*_WHAT, Field("user_id", Ulid(), "The account, by its ULID.", True, is_nullable=True)),
    "Something that happened.",
)
_FILTERS = (
    Field("filter[user]", Ulid(), "What is about this account."),
    Field("filter[client]", Ulid(), "What is about this client."),
    Field(
        "filter[kind]",
        Choice(tuple(each.value for each in EventKind)),
        "What is of this kind, or of one of several.",
        repeats=True,
    ),
    Field("filter[created-before]", Time(), "What happened before."),
    Field("filter[created-after]", Time(), "What happened after."),
)
_AFTER = Field("after", Ulid(), "What came behind this event.")
_LIMIT = Field("limit", Number(1, MOST_LINES), "So many at most.", default=MOST_LINES)


def _ulid(event: Event) -> str:
    """Return what an event is called: it follows from what it is, so nothing is written down."""
    return names.make(Kind.EVENT, event.event_id or "", event.happened_at * 1000)


def _what(event: Event) -> dict[str, Any]:
    return {
        "happened_at": time(event.happened_at),
        "kind": event.kind.value,
        "matrix_id": event.user_id,
        "client_id": event.client_id,
        "session_id": event.session_id,
        "address": event.address,
        "detail": event.detail,
    }


async def _wanted(call: Call) -> EventsWanted:
    asked, client = call.filters.get, call.filters.get("filter[client]")
    return EventsWanted(
        kinds=tuple(dict.fromkeys(asked("filter[kind]", ()))),
        user_id=await session_fields.user_of(call),
        client_id=None
        if client is None
        else await session_fields.key_of(call, Kind.CLIENT, client, "client"),
        before=asked("filter[created-before]"),
        after=asked("filter[created-after]"),
    )


async def _find(call: Call, ulid: str) -> Event | None:
    """Return an event; its id begins with the second in which it happened."""
    second = names.made_at(ulid) // 1000
    found = await call.site.homeserver.read(event_windows.at, second)
    return next((each for each in found if _ulid(each) == ulid), None)


async def _place(call: Call, name: str, cursor: str | None) -> tuple[int, str] | None:
    """Return where an event stands, or what came next where it is gone."""
    if cursor is None:
        return None
    event = await _find(call, cursor)
    if event is not None:
        return event.happened_at, event.event_id or ""
    await lists.insist_on_kind(call, Kind.EVENT, name, cursor)
    return lists.by_time(cursor)


def _listed(
    txn: Txn, wanted: EventsWanted, window: Window
) -> tuple[list[Event], bool, dict[str, str]]:
    found, more = lists.in_order(window, event_windows.page(txn, wanted, window))
    people = ulids.name_users(txn, {each.user_id for each in found if each.user_id is not None})
    return found, more, people


async def _list(call: Call) -> Answer:
    homeserver, wanted = call.site.homeserver, await _wanted(call)
    count = await COUNTS.of(call, wanted, lambda: homeserver.read(event_windows.count, wanted))
    if call.page.count is Count.ONLY:
        return lists.count_only(call, count or 0)
    window = Window(
        call.page.size,
        after=await _place(call, "page[after]", call.page.after),
        before=await _place(call, "page[before]", call.page.before),
        backwards=call.page.backwards,
    )
    found, more, people = await homeserver.run(_listed, wanted, window)
    told = [_told(each, people) for each in found]
    return lists.page(call, told, more=more, count=count)


def _told(event: Event, people: dict[str, str]) -> dict[str, Any]:
    user = {"user_id": people.get(event.user_id or "")}
    return thing(EVENT, _ulid(event), _what(event) | user)


async def _get(call: Call) -> Answer:
    event = await _find(call, call.path["id"])
    if event is None:
        raise Refused(404, f"There is no event {call.path['id']} (any more).")
    who = [] if event.user_id is None else [event.user_id]
    return one(call, _told(event, await call.site.homeserver.run(ulids.name_users, who)))


async def _export(call: Call) -> Answer:
    wanted, limit = await _wanted(call), call.filters.get(_LIMIT.name, MOST_LINES)
    settled = call.now - SETTLED
    wanted = attrs.evolve(
        wanted, before=settled if wanted.before is None else min(wanted.before, settled)
    )
    after = await _place(call, _AFTER.name, call.filters.get(_AFTER.name))
    rows = await call.site.homeserver.run(event_windows.page, wanted, Window(limit, after=after))
    found = rows[:limit]
    further = None
    if len(rows) > limit:
        said = [(name, value) for name, value in call.asked if name != _AFTER.name]
        said.append((_AFTER.name, _ulid(found[-1])))
        further = f"{call.incoming.path}?{urlencode(said, quote_via=quote, safe='[]')}"
    lines = [{"id": _ulid(each), **_what(each)} for each in found]
    return Answer(200, lines=lines, next_url=further)


_TAG = "event"
OPERATIONS = (
    Operation(
        method="GET",
        path="events",
        name="listEvents",
        tag=_TAG,
        summary="List what happened",
        about="In the order in which it happened, and as long as events are kept.",
        do=_list,
        answers={200: Many(EVENT)},
        takes=_FILTERS,
        refuses={404: "There is no such account or client."},
    ),
    Operation(
        method="GET",
        path="events/{id}",
        name="getEvent",
        tag=_TAG,
        summary="Get one",
        do=_get,
        answers={200: One(EVENT)},
        refuses={404: "There is no such event (any more)."},
    ),
    Operation(
        method="GET",
        path="events/export",
        name="exportEvents",
        tag=_TAG,
        summary="Take away what happened, a JSON object in each line",
        about="The oldest first. While there is a `Link` to a next part, there is more; the `id` of the"
        " last line, as `after`, gets what happened since. An event is there ten seconds later.",
        do=_export,
        answers={200: Lines("EventLine", (Field("id", Ulid(), "Its id.", True), *_WHAT))},
        takes=(*_FILTERS, _AFTER, _LIMIT),
        refuses={404: "There is no such account or client."},
    ),
)
