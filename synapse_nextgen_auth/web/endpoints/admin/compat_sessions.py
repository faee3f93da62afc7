"""`compat-sessions`: what is signed in by Synapse's own tokens, beside us."""

from typing import Any

import attrs

from synapse_nextgen_auth.accounts import ulids as names
from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.store import legacy_lists, ulids
from synapse_nextgen_auth.store.legacy_lists import LegacyFilter, LegacySession
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web.endpoints.admin import changes, lists, session_fields
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, Count, one, thing
from synapse_nextgen_auth.web.endpoints.admin.counts import COUNTS
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    Answer,
    Field,
    Many,
    One,
    Operation,
    Refused,
    Shape,
)
from synapse_nextgen_auth.web.endpoints.admin.values import Text, Ulid, time

COMPAT_SESSION = Shape(
    "compat-session",
    "CompatSession",
    (
        Field("user_id", Ulid(), "Whose it is.", True),
        Field("device_id", Text(), "Its device.", True, is_nullable=True),
        Field(
            "user_session_id",
            Ulid(),
            "Always `null`: Synapse does not keep how it began.",
            True,
            is_nullable=True,
        ),
        Field(
            "redirect_uri",
            Text(),
            "Always `null`: Synapse does not keep it.",
            True,
            is_nullable=True,
        ),
        attrs.evolve(
            session_fields.CREATED_AT,
            about="When it was first told of: Synapse does not keep when it began.",
        ),
        session_fields.USER_AGENT,
        session_fields.LAST_ACTIVE_AT,
        session_fields.LAST_ACTIVE_IP,
        attrs.evolve(
            session_fields.FINISHED_AT,
            about="When its token ran out; one that was signed out is not there any more.",
        ),
        session_fields.HUMAN_NAME,
    ),
    "A sign-in by Synapse's own `/login`.",
)
Named = tuple[LegacySession, str, str]


def _names(txn: Txn, found: list[LegacySession], *, now: int) -> list[Named]:
    # Seconds, as everywhere: what is found in one second is not told as of another.
    own = ulids.name(txn, Kind.COMPAT_SESSION, {each.key: now * 1000 for each in found})
    users = ulids.name_users(txn, [each.user_id for each in found])
    return [(each, own[each.key], users[each.user_id]) for each in found if each.user_id in users]


def _listed(
    txn: Txn, wanted: LegacyFilter, window: Window, *, now: int
) -> tuple[list[Named], bool]:
    found, more = lists.in_order(window, legacy_lists.page(txn, wanted, window, now=now))
    return _names(txn, found, now=now), more


def _told(call: Call, named: Named) -> dict[str, Any]:
    session, ulid, user = named
    seen = session.last_seen
    return thing(
        COMPAT_SESSION,
        ulid,
        {
            "user_id": user,
            "device_id": session.device_id,
            "user_session_id": None,
            "redirect_uri": None,
            "created_at": time(names.made_at(ulid) // 1000),
            "user_agent": session.user_agent,
            "last_active_at": time(None if seen is None else seen // 1000),
            "last_active_ip": session.address,
            "finished_at": time(session.finished_at(call.now)),
            "human_name": session.name,
        },
    )


async def _list(call: Call) -> Answer:
    homeserver, given = call.site.homeserver, session_fields.times(call)
    user_id = await session_fields.user_of(call)
    if await session_fields.browser_of(call):
        user_id = ""  # nobody is called so: what let it in is not known of any
    before, after = given["created_before"], given["created_after"]
    wanted = LegacyFilter(
        user_id=user_id,
        is_living=session_fields.is_living(call),
        active_before=given["active_before"],
        active_after=given["active_after"],
        until=None if before is None else names.first(before * 1000),
        since=None if after is None else names.first((after + 1) * 1000),
    )
    count = await COUNTS.of(
        call, wanted, lambda: homeserver.read(legacy_lists.count, wanted, now=call.now)
    )
    if call.page.count is Count.ONLY:
        return lists.count_only(call, count or 0)

    async def at(key: str, _ulid: str) -> tuple[int] | None:
        found = await homeserver.read(legacy_lists.find, key)
        return None if found is None else (found.token_id,)

    window = await lists.window(call, Kind.COMPAT_SESSION, at)
    found, more = await homeserver.run(_listed, wanted, window, now=call.now)
    return lists.page(call, [_told(call, each) for each in found], more=more, count=count)


async def _find(call: Call) -> LegacySession:
    ulid = call.path["id"]
    key = await session_fields.key_of(call, Kind.COMPAT_SESSION, ulid, "compat session")
    found = await call.site.homeserver.read(legacy_lists.find, key)
    if found is None:
        raise Refused(404, f"There is no compat session {ulid} any more.")
    return found


async def _get(call: Call) -> Answer:
    return await _answer(call, await _find(call))


async def _answer(call: Call, session: LegacySession, about: str = "") -> Answer:
    named = await call.site.homeserver.run(_names, [session], now=call.now)
    if not named:
        raise Refused(404, "Its account is not there any more.")
    return one(call, _told(call, named[0]), about=about)


async def _finish(call: Call) -> Answer:
    site, session = call.site, await _find(call)
    if session.finished_at(call.now) is not None:
        raise Refused(400, f"The compat session {call.path['id']} is over already.")
    await site.devices.expect_to_remove()
    over = attrs.evolve(session, valid_until=call.now * 1000, can_refresh=False)
    answer = await _answer(call, over, f"{call.path['id']} of {session.user_id}")
    await changes.announce(call, answer.about)
    if session.device_id is not None:
        await site.devices.remove(session.user_id, session.device_id)
    else:
        token = await site.homeserver.read(legacy_lists.token_of, session.token_id)
        if token is not None:
            await site.devices.remove_token(token)
    return answer


_TAG = "compat-session"
_NOT_FOUND = {404: "There is no such session (any more)."}
OPERATIONS = (
    Operation(
        method="GET",
        path="compat-sessions",
        name="listCompatSessions",
        tag=_TAG,
        summary="List what is signed in by Synapse's own tokens",
        about="In the order in which Synapse made their tokens. When one was created is when this API"
        " told of it first, and what it did not tell of yet was created now.",
        do=_list,
        answers={200: Many(COMPAT_SESSION)},
        takes=(
            session_fields.USER,
            session_fields.USER_SESSION,
            session_fields.STATUS,
            *session_fields.TIMES,
        ),
        refuses={404: "There is no such account or browser."},
    ),
    Operation(
        method="GET",
        path="compat-sessions/{id}",
        name="getCompatSession",
        tag=_TAG,
        summary="Get one",
        do=_get,
        answers={200: One(COMPAT_SESSION)},
        refuses=_NOT_FOUND,
    ),
    Operation(
        method="POST",
        path="compat-sessions/{id}/finish",
        name="finishCompatSession",
        tag=_TAG,
        summary="End one, with its device",
        about="Synapse keeps nothing of it: it is not found from then on.",
        do=_finish,
        answers={200: One(COMPAT_SESSION)},
        refuses={400: "It is over already.", **_NOT_FOUND},
    ),
)
