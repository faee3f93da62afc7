"""`pending-grants`: what waits for somebody, or for a client that collects its tokens."""

from typing import Any

from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.oauth.resources import all_of
from synapse_nextgen_auth.store import pending_lists, ulids
from synapse_nextgen_auth.store.pending_lists import Pending
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web.endpoints.admin import changes, lists, session_fields
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, Count, nothing, one, thing
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    Answer,
    Field,
    Many,
    Nothing,
    One,
    Operation,
    Refused,
    Shape,
)
from synapse_nextgen_auth.web.endpoints.admin.values import Choice, Text, Time, time

PENDING_GRANT = Shape(
    "pending-grant",
    "PendingGrant",
    (
        Field(
            "kind", Choice(("code", "device")), "Of a browser, or of a device with a code.", True
        ),
        Field("client_id", Text(), "The client, as the protocol calls it.", True),
        Field(
            "matrix_id", Text(), "The account, as far as it is known yet.", True, is_nullable=True
        ),
        Field("scope", Text(), "What is asked for.", True),
        Field("created_at", Time(), "When it was asked for.", True),
        Field("approved_at", Time(), "When somebody agreed.", True, is_nullable=True),
        Field("expires_at", Time(), "Until when it waits.", True),
    ),
    "A grant that waits.",
)


def _listed(
    txn: Txn, window: Window, of: dict[str, str | None], *, now: int
) -> tuple[list[Pending], bool, dict[str, str]]:
    rows = pending_lists.page(
        txn, window, user_id=of["user_id"], client_id=of["client_id"], now=now
    )
    found, more = lists.in_order(window, rows)
    made = {each.grant_id: each.created_at * 1000 for each in found}
    return found, more, ulids.name(txn, Kind.PENDING_GRANT, made)


async def _list(call: Call) -> Answer:
    homeserver, client = call.site.homeserver, call.filters.get("filter[client]")
    of = {
        "user_id": await session_fields.user_of(call),
        "client_id": None
        if client is None
        else await session_fields.key_of(call, Kind.CLIENT, client, "client"),
    }
    count = None
    if call.page.count is not Count.NO:
        count = await homeserver.read(pending_lists.count, **of, now=call.now)
    if call.page.count is Count.ONLY:
        return lists.count_only(call, count or 0)

    async def at(key: str, _ulid: str) -> tuple[int, str] | None:
        found = await homeserver.read(pending_lists.find, key, now=call.now)
        return None if found is None else (found.created_at, found.grant_id)

    window = await lists.window(call, Kind.PENDING_GRANT, at, is_by_time=True)
    found, more, known = await homeserver.run(_listed, window, of, now=call.now)
    told = [_told(each, known[each.grant_id]) for each in found]
    return lists.page(call, told, more=more, count=count)


def _told(pending: Pending, ulid: str) -> dict[str, Any]:
    return thing(
        PENDING_GRANT,
        ulid,
        {
            "kind": pending.kind,
            "client_id": pending.client_id,
            "matrix_id": pending.user_id,
            "scope": all_of(pending.scope, pending.resource_scope),
            "created_at": time(pending.created_at),
            "approved_at": time(pending.approved_at),
            "expires_at": time(pending.expires_at),
        },
    )


async def _get(call: Call) -> Answer:
    ulid = call.path["id"]
    key = await session_fields.key_of(call, Kind.PENDING_GRANT, ulid, "pending grant")
    found = await call.site.homeserver.read(pending_lists.find, key, now=call.now)
    if found is None:
        raise Refused(404, f"The grant {ulid} does not wait any more.")
    return one(call, _told(found, ulid))


async def _cancel(call: Call) -> Answer:
    ulid = call.path["id"]
    key = await session_fields.key_of(call, Kind.PENDING_GRANT, ulid, "pending grant")
    about = changes.if_not(False, ulid)
    if not await changes.run(call, about, pending_lists.withdraw, key, now=call.now):
        raise Refused(409, f"The grant {ulid} does not wait any more.")
    return nothing(about=ulid)


_TAG = "pending-grant"
OPERATIONS = (
    Operation(
        method="GET",
        path="pending-grants",
        name="listPendingGrants",
        tag=_TAG,
        summary="List what waits for somebody to agree, or for a client to collect it",
        do=_list,
        answers={200: Many(PENDING_GRANT)},
        takes=(
            session_fields.USER,
            Field("filter[client]", session_fields.USER.value, "Those of this client."),
        ),
        refuses={404: "There is no such account or client."},
    ),
    Operation(
        method="GET",
        path="pending-grants/{id}",
        name="getPendingGrant",
        tag=_TAG,
        summary="Get one",
        do=_get,
        answers={200: One(PENDING_GRANT)},
        refuses={404: "There is no such grant (any more)."},
    ),
    Operation(
        method="POST",
        path="pending-grants/{id}/cancel",
        name="cancelPendingGrant",
        tag=_TAG,
        summary="Let nobody agree to it, or collect it, any more",
        do=_cancel,
        answers={204: Nothing()},
        refuses={404: "There is no such grant.", 409: "It does not wait any more."},
    ),
)
