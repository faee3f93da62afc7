"""`user-registration-tokens`: Synapse's registration tokens."""

import string
from typing import Any

from synapse_nextgen_auth.accounts.ulids import Kind, made_at
from synapse_nextgen_auth.flows import administration as flows
from synapse_nextgen_auth.flows.administration import Not
from synapse_nextgen_auth.homeserver.administration import tokens
from synapse_nextgen_auth.secret import random_letters
from synapse_nextgen_auth.store import registration_token_lists as rows
from synapse_nextgen_auth.store import ulids
from synapse_nextgen_auth.store.registration_token_lists import RegistrationToken, Wanted
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web.endpoints.admin import changes, lists
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, Count, one, thing
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    Answer,
    Field,
    Many,
    One,
    Operation,
    Refused,
    Shape,
)
from synapse_nextgen_auth.web.endpoints.admin.values import Flag, Number, Text, Time, time

_LETTERS = string.ascii_letters + string.digits
_ALLOWED = frozenset(_LETTERS + "._~-")
_LONGEST, _USUAL = 64, 12
_LIMIT = Number(1)
_SHAPE = Shape(
    "user-registration-token",
    "UserRegistrationToken",
    (
        Field("token", Text(), "The token.", True),
        Field("valid", Flag(), "Whether somebody can sign up with it.", True),
        Field("usage_limit", Number(), "How many may; `null` is any number.", True, True),
        Field("times_used", Number(), "How many did.", True),
        Field(
            "created_at",
            Time(),
            "When it was made by this API, or when this API first told of it.",
            True,
        ),
        Field("last_used_at", Time(), "Always `null`: Synapse keeps no such time.", True, True),
        Field("expires_at", Time(), "Until when it is good; `null` is for ever.", True, True),
        Field("revoked_at", Time(), "When it was revoked; `null` of one that is not.", True, True),
    ),
    "A token with which people sign up, an invitation among them.",
)
_NOT_FOUND = {404: "There is no such token."}
_ONE = {200: One(_SHAPE)}


def _named(txn: Txn, found: list[RegistrationToken], *, now: int) -> list[tuple[Any, str]]:
    made = {each.token: now * 1000 for each in found}
    names = ulids.name(txn, Kind.REGISTRATION_TOKEN, made)
    return [(each, names[each.token]) for each in found]


def _listed(
    txn: Txn, wanted: Wanted, window: Window, *, counts: bool, now: int
) -> tuple[list[tuple[Any, str]], bool, int | None]:
    found, more = lists.in_order(window, rows.list_tokens(txn, wanted, window, now=now))
    return _named(txn, found, now=now), more, rows.count(txn, wanted, now=now) if counts else None


def _got(txn: Txn, token: str, *, now: int) -> tuple[RegistrationToken, str] | None:
    found = rows.get(txn, token)
    return None if found is None else _named(txn, [found], now=now)[0]


def _told(call: Call, token: RegistrationToken, ulid: str) -> dict[str, Any]:
    return thing(
        _SHAPE,
        ulid,
        {
            "token": token.token,
            "valid": token.is_valid(call.now),
            "usage_limit": token.uses_allowed,
            "times_used": token.completed,
            "created_at": time(made_at(ulid) // 1000),
            "last_used_at": None,
            "expires_at": None if token.expires_at is None else time(token.expires_at // 1000),
            "revoked_at": time(token.revoked_at),
        },
    )


async def _list(call: Call) -> Answer:
    homeserver, filters = call.site.homeserver, call.filters
    names = ("used", "revoked", "expired", "valid")
    wanted = Wanted(**{name: filters.get(f"filter[{name}]") for name in names})
    if call.page.count is Count.ONLY:
        return lists.count_only(call, await homeserver.run(rows.count, wanted, now=call.now))

    async def at(key: str, _ulid: str) -> tuple[str]:
        return (key,)

    window = await lists.window(call, Kind.REGISTRATION_TOKEN, at)
    counts = call.page.count is Count.YES
    found, more, count = await homeserver.run(_listed, wanted, window, counts=counts, now=call.now)
    return lists.page(call, [_told(call, *each) for each in found], more=more, count=count)


async def _find(call: Call) -> tuple[RegistrationToken, str]:
    homeserver, ulid = call.site.homeserver, call.path["id"]
    token = await homeserver.read(ulids.find, Kind.REGISTRATION_TOKEN, ulid)
    found = None if token is None else await homeserver.run(_got, token, now=call.now)
    if found is None:
        raise Refused(404, f"There is no registration token {ulid}.")
    return found


async def _get(call: Call) -> Answer:
    return one(call, _told(call, *await _find(call)))


async def _add(call: Call) -> Answer:
    homeserver, body = call.site.homeserver, call.body
    token = body["token"] or random_letters(_LETTERS, _USUAL)
    if not _ALLOWED.issuperset(token):
        raise Refused(400, "token may have letters of English, digits, and . _ ~ - alone.")
    _check_end(call)
    ends = body["expires_at"]
    in_ms = None if ends is None else ends * 1000
    if not await tokens.make(homeserver, token, uses=body["usage_limit"], expires_at=in_ms):
        raise Refused(409, "A registration token with the same token already exists")
    found = await homeserver.run(_got, token, now=call.now)
    if found is None:
        raise Refused(404, "The token was deleted again meanwhile.")
    return one(call, _told(call, *found), status=201, about=found[1])


def _check_end(call: Call) -> None:
    ends = call.body["expires_at"]
    if ends is not None and ends <= call.now:
        raise Refused(400, "expires_at must be in the future; to end a token, revoke it.")


def _if_done(ulid: str) -> changes.About[RegistrationToken | Not]:
    return lambda _txn, done: None if isinstance(done, Not) else ulid


async def _edit(call: Call) -> Answer:
    token, ulid = await _find(call)
    _check_end(call)
    ends = call.body["expires_at"]
    end = (None if ends is None else ends * 1000,) if "expires_at" in call.sent else None
    limit = (call.body["usage_limit"],) if "usage_limit" in call.sent else None
    return _changed(
        call,
        await changes.run(call, _if_done(ulid), flows.edit, token.token, end=end, limit=limit),
        ulid,
    )


async def _revoke(call: Call) -> Answer:
    token, ulid = await _find(call)
    done = await changes.run(call, _if_done(ulid), flows.revoke, token.token, now=call.now)
    return _changed(call, done, ulid, there=f"Registration token {ulid} is revoked already")


async def _unrevoke(call: Call) -> Answer:
    token, ulid = await _find(call)
    done = await changes.run(call, _if_done(ulid), flows.restore, token.token)
    return _changed(call, done, ulid, there=f"Registration token {ulid} is not revoked")


def _changed(call: Call, done: RegistrationToken | Not, ulid: str, *, there: str = "") -> Answer:
    if done is Not.THERE:
        raise Refused(400, there)
    if isinstance(done, Not):
        raise Refused(404, f"There is no registration token {ulid}.")
    return one(call, _told(call, done, ulid), about=ulid)


_END = Field("expires_at", Time(), "Until when it is good.", is_nullable=True)
_MOST = Field(
    "usage_limit", _LIMIT, "How many may sign up with it: one at least.", is_nullable=True
)
OPERATIONS = (
    Operation(
        method="GET",
        path="user-registration-tokens",
        name="listUserRegistrationTokens",
        tag="user-registration-token",
        summary="List the registration tokens",
        about="They are sorted by the token.",
        do=_list,
        answers={200: Many(_SHAPE)},
        takes=(
            Field("filter[used]", Flag(), "Whether somebody signed up with them."),
            Field("filter[revoked]", Flag(), "Whether they are revoked."),
            Field("filter[expired]", Flag(), "Whether their time is over."),
            Field("filter[valid]", Flag(), "Whether somebody can sign up with them."),
        ),
    ),
    Operation(
        method="POST",
        path="user-registration-tokens",
        name="addUserRegistrationToken",
        tag="user-registration-token",
        summary="Make a registration token",
        do=_add,
        answers={201: One(_SHAPE)},
        body_title="AddUserRegistrationTokenRequest",
        body=(
            Field(
                "token",
                Text(_LONGEST, 1),
                f"The token; by default {_USUAL} letters and digits that are drawn.",
                is_nullable=True,
            ),
            _MOST,
            _END,
        ),
        is_body_needed=False,
        refuses={**_NOT_FOUND, 409: "There is such a token."},
    ),
    Operation(
        method="GET",
        path="user-registration-tokens/{id}",
        name="getUserRegistrationToken",
        tag="user-registration-token",
        summary="Tell of a registration token",
        do=_get,
        answers=_ONE,
        refuses=_NOT_FOUND,
    ),
    Operation(
        method="PUT",
        path="user-registration-tokens/{id}",
        name="updateUserRegistrationToken",
        tag="user-registration-token",
        summary="Change until when, or by how many, a registration token can be used",
        about="What is not sent stays as it is; `null` takes a limit away.",
        do=_edit,
        answers=_ONE,
        body_title="EditUserRegistrationTokenRequest",
        body=(_END, _MOST),
        refuses=_NOT_FOUND,
    ),
    Operation(
        method="POST",
        path="user-registration-tokens/{id}/revoke",
        name="revokeUserRegistrationToken",
        tag="user-registration-token",
        summary="Let nobody sign up with a registration token any more",
        about="Synapse has no such state: its own API tells of a token whose time was over in 1970.",
        do=_revoke,
        answers=_ONE,
        refuses=_NOT_FOUND,
    ),
    Operation(
        method="POST",
        path="user-registration-tokens/{id}/unrevoke",
        name="unrevokeUserRegistrationToken",
        tag="user-registration-token",
        summary="Let people sign up with a registration token again",
        do=_unrevoke,
        answers=_ONE,
        refuses=_NOT_FOUND,
    ),
)
