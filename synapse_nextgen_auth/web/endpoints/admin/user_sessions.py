"""`user-sessions`: the browsers in which people are signed in on our pages."""

from typing import Any

import attrs

from synapse_nextgen_auth.accounts.sign_ins import BrowserLifetimes, SignIn
from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.flows import sign_in as signing_in
from synapse_nextgen_auth.store import sign_in_lists, sign_ins, ulids
from synapse_nextgen_auth.store.sign_in_lists import SignInFilter
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
from synapse_nextgen_auth.web.endpoints.admin.values import Ulid, time

USER_SESSION = Shape(
    "user-session",
    "UserSession",
    (
        session_fields.CREATED_AT,
        session_fields.FINISHED_AT,
        Field("user_id", Ulid(), "Who is signed in.", True),
        session_fields.USER_AGENT,
        session_fields.LAST_ACTIVE_AT,
        session_fields.LAST_ACTIVE_IP,
    ),
    "A browser in which somebody is signed in on the pages of this server.",
)
Named = tuple[SignIn, str, str]


def _names(txn: Txn, found: list[SignIn]) -> list[Named]:
    made = {session_fields.browser_key(each): each.signed_in_at * 1000 for each in found}
    own = ulids.name(txn, Kind.USER_SESSION, made)
    users = ulids.name_users(txn, [each.user_id for each in found])
    return [
        (each, own[session_fields.browser_key(each)], users[each.user_id])
        for each in found
        if each.user_id in users
    ]


def _listed(
    txn: Txn, wanted: SignInFilter, window: Window, *, lifetimes: BrowserLifetimes, now: int
) -> tuple[list[Named], bool]:
    rows = sign_in_lists.page(txn, wanted, window, lifetimes=lifetimes, now=now)
    found, more = lists.in_order(window, rows)
    return _names(txn, found), more


def _finished_at(call: Call, sign_in: SignIn) -> int | None:
    lifetimes = call.site.lifetimes.browsers
    if sign_in.ended_at is not None or sign_in.holds(call.now, lifetimes):
        return sign_in.ended_at
    return min(
        sign_in.signed_in_at + lifetimes.absolute, sign_in.last_active_at + lifetimes.idle, call.now
    )


def _told(call: Call, named: Named) -> dict[str, Any]:
    sign_in, ulid, user = named
    return thing(
        USER_SESSION,
        ulid,
        {
            "created_at": time(sign_in.signed_in_at),
            "finished_at": time(_finished_at(call, sign_in)),
            "user_id": user,
            "user_agent": sign_in.user_agent,
            "last_active_at": time(sign_in.last_active_at),
            "last_active_ip": sign_in.address,
        },
    )


async def _list(call: Call) -> Answer:
    homeserver = call.site.homeserver
    wanted = SignInFilter(
        user_id=await session_fields.user_of(call),
        is_living=session_fields.is_living(call),
        **session_fields.times(call),
    )
    limits: dict[str, Any] = {"lifetimes": call.site.lifetimes.browsers, "now": call.now}
    count = await COUNTS.of(
        call, wanted, lambda: homeserver.read(sign_in_lists.count, wanted, **limits)
    )
    if call.page.count is Count.ONLY:
        return lists.count_only(call, count or 0)

    async def at(key: str, _ulid: str) -> tuple[int, str] | None:
        found = await homeserver.read(sign_ins.find, *session_fields.of_browser(key))
        return None if found is None else (found.signed_in_at, found.digest)

    window = await lists.window(call, Kind.USER_SESSION, at, is_by_time=True)
    found, more = await homeserver.run(_listed, wanted, window, **limits)
    return lists.page(call, [_told(call, each) for each in found], more=more, count=count)


async def _find(call: Call) -> SignIn:
    ulid = call.path["id"]
    key = await session_fields.key_of(call, Kind.USER_SESSION, ulid, "user session")
    found = await call.site.homeserver.read(sign_ins.find, *session_fields.of_browser(key))
    if found is None:
        raise Refused(404, f"There is no user session {ulid} any more.")
    return found


async def _answer(call: Call, sign_in: SignIn, about: str = "") -> Answer:
    (named,) = await call.site.homeserver.run(_names, [sign_in])
    return one(call, _told(call, named), about=about)


async def _get(call: Call) -> Answer:
    return await _answer(call, await _find(call))


async def _finish(call: Call) -> Answer:
    sign_in = await _find(call)
    over = Refused(400, f"The user session {call.path['id']} is over already.")
    if _finished_at(call, sign_in) is not None:
        raise over
    about = f"{call.path['id']} of {sign_in.user_id}"
    is_ended = await changes.run(
        call, changes.if_not(False, about), signing_in.end, sign_in, now=call.now, address=None
    )
    if not is_ended:
        raise over
    return await _answer(call, attrs.evolve(sign_in, ended_at=call.now), about)


_TAG = "user-session"
_NOT_FOUND = {404: "There is no such user session."}
OPERATIONS = (
    Operation(
        method="GET",
        path="user-sessions",
        name="listUserSessions",
        tag=_TAG,
        summary="List the browsers in which people are signed in",
        about="In the order in which their people proved last who they are.",
        do=_list,
        answers={200: Many(USER_SESSION)},
        takes=(session_fields.USER, session_fields.STATUS, *session_fields.TIMES),
        refuses={404: "There is no such account."},
    ),
    Operation(
        method="GET",
        path="user-sessions/{id}",
        name="getUserSession",
        tag=_TAG,
        summary="Get one",
        do=_get,
        answers={200: One(USER_SESSION)},
        refuses=_NOT_FOUND,
    ),
    Operation(
        method="POST",
        path="user-sessions/{id}/finish",
        name="finishUserSession",
        tag=_TAG,
        summary="Sign a browser out",
        about="The applications that it let in go on.",
        do=_finish,
        answers={200: One(USER_SESSION)},
        refuses={400: "It is over already.", **_NOT_FOUND},
    ),
)
