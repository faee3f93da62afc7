"""`users`: which accounts there are, and another one."""

from typing import Any

import attrs

from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.homeserver.administration import accounts
from synapse_nextgen_auth.homeserver.administration.accounts import Forbidden, NoName, Taken
from synapse_nextgen_auth.store import ulids
from synapse_nextgen_auth.store import user_lists as rows
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.user_lists import User, Wanted
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
from synapse_nextgen_auth.web.endpoints.admin.values import Choice, Flag, Text, Time, Ulid, time

USER = Shape(
    "user",
    "User",
    (
        Field("username", Text(255), "The part of the Matrix id before the colon.", True),
        Field("created_at", Time(), "When the account was made.", True),
        Field(
            "locked_at",
            Time(),
            "Since when it is locked; `null` of one that is not. Synapse keeps no such time: it is when"
            " this API locked it, or first saw it locked.",
            True,
            is_nullable=True,
        ),
        Field(
            "deactivated_at",
            Time(),
            "Since when it is closed, in the same way.",
            True,
            is_nullable=True,
        ),
        Field("admin", Flag(), "Whether it may administer the server.", True),
        Field("legacy_guest", Flag(), "Whether it is a guest of Synapse's.", True),
    ),
    "An account.",
)
NOT_FOUND = {404: "There is no such account."}


async def find(call: Call, ulid: str) -> str:
    """Return the Matrix id of the account that is called so; raise where there is none."""
    user_id = await call.site.homeserver.read(ulids.find, Kind.USER, ulid)
    if user_id is None:
        raise Refused(404, f"There is no account {ulid}.")
    return user_id


async def found_in(call: Call, name: str) -> str | None:
    """Return the Matrix id of the account that a filter, or a member of the body, names."""
    ulid = call.filters.get(name) or call.body.get(name)
    return None if ulid is None else await find(call, ulid)


def _told(user: User, ulid: str) -> dict[str, Any]:
    return thing(
        USER,
        ulid,
        {
            "username": user.user_id[1:].partition(":")[0],
            "created_at": time(user.created_at),
            "locked_at": time(user.locked_at),
            "deactivated_at": time(user.closed_at),
            "admin": user.is_admin,
            "legacy_guest": user.is_guest,
        },
    )


def _named(txn: Txn, users: list[User]) -> list[tuple[User, str]]:
    made = {user.user_id: user.created_at * 1000 for user in users}
    names = ulids.name(txn, Kind.USER, made)
    return [(user, names[user.user_id]) for user in users]


def _listed(
    txn: Txn, wanted: Wanted, window: Window, *, counts: bool, now: int
) -> tuple[list[tuple[User, str]], bool, int | None]:
    users, more = lists.in_order(window, rows.list_users(txn, wanted, window, now=now))
    return _named(txn, users), more, rows.count(txn, wanted, now=now) if counts else None


def _got(txn: Txn, user_id: str, *, now: int) -> tuple[User, str] | None:
    user = rows.get(txn, user_id, now=now)
    return None if user is None else _named(txn, [user])[0]


async def _list(call: Call) -> Answer:
    homeserver, filters = call.site.homeserver, call.filters
    wanted = Wanted(
        call.site.server_name,
        admin=filters.get("filter[admin]"),
        guest=filters.get("filter[legacy-guest]"),
        status=filters.get("filter[status]"),
        search=filters.get("filter[search]"),
        clients=await _clients(call, filters.get("filter[active-oauth2-client]")),
        has_session=filters.get("filter[has-active-oauth2-session]"),
        has_legacy_session=filters.get("filter[has-active-compat-session]"),
    )
    if call.page.count is Count.ONLY:
        return lists.count_only(call, await homeserver.run(rows.count, wanted, now=call.now))

    async def at(key: str, _ulid: str) -> tuple[str]:
        return (key,)

    window = await lists.window(call, Kind.USER, at)
    counts = call.page.count is Count.YES
    found, more, count = await homeserver.run(_listed, wanted, window, counts=counts, now=call.now)
    return lists.page(call, [_told(*each) for each in found], more=more, count=count)


async def _clients(call: Call, wanted: list[str] | None) -> tuple[str, ...] | None:
    """Return the ids of clients, by what this API calls them."""
    if wanted is None:
        return None
    found = []
    for ulid in wanted:
        client_id = await call.site.homeserver.read(ulids.find, Kind.CLIENT, ulid)
        if client_id is None:
            raise Refused(404, f"There is no client {ulid}.")
        found.append(client_id)
    return tuple(found)


async def _get(call: Call) -> Answer:
    return await answer(call, await find(call, call.path["id"]))


async def _get_by_name(call: Call) -> Answer:
    user_id = f"@{call.path['username']}:{call.site.server_name}"
    if "\0" in user_id:
        raise Refused(404, "There is no such account.")
    return await answer(call, user_id, is_canonical=True)


async def answer(
    call: Call, user_id: str, *, status: int = 200, about: str = "", is_canonical: bool = False
) -> Answer:
    """Answer with an account as it is now."""
    found = await call.site.homeserver.run(_got, user_id, now=call.now)
    if found is None:
        raise Refused(404, "There is no such account.")
    told = one(call, _told(*found), status=status, about=about or user_id)
    if is_canonical and told.body is not None:
        return attrs.evolve(told, body={**told.body, "links": told.body["data"]["links"]})
    return told


async def _add(call: Call) -> Answer:
    homeserver, body = call.site.homeserver, call.body
    picture = body["avatar_url"]
    if picture is not None and not _is_content(picture):
        raise Refused(400, "avatar_url must be an mxc:// URI.")
    trouble = await accounts.name_trouble(homeserver, body["username"])
    if trouble is NoName.INVALID:
        raise Refused(400, "Username is not valid")
    if trouble is NoName.TAKEN:
        raise Refused(409, "User already exists")
    if trouble is NoName.RESERVED:
        raise Refused(409, "Username is reserved by the homeserver")
    await changes.announce(call, f"@{body['username']}:{call.site.server_name}")
    try:
        user_id = await accounts.make(
            homeserver, body["username"], display_name=body["displayname"]
        )
    except Forbidden:
        raise Refused(403, "A module of this server does not let this account be made.") from None
    except Taken:
        raise Refused(409, "User already exists") from None
    if picture is not None:
        await accounts.set_picture(homeserver, user_id, picture)
    return await answer(call, user_id, status=201)


def _is_content(url: str) -> bool:
    """Say whether this is the address of a file in Matrix."""
    server, _, media = url.removeprefix("mxc://").partition("/")
    return url.startswith("mxc://") and bool(server and media) and url.isascii() and " " not in url


ONE = {200: One(USER)}
OPERATIONS = (
    Operation(
        method="GET",
        path="users",
        name="listUsers",
        tag="user",
        summary="List the accounts",
        about="They are sorted by their names. Those that an application service made are left out.",
        do=_list,
        answers={200: Many(USER)},
        takes=(
            Field("filter[admin]", Flag(), "Whether they may administer the server."),
            Field("filter[legacy-guest]", Flag(), "Whether they are guests of Synapse's."),
            Field("filter[search]", Text(255, 1), "What stands somewhere in the username."),
            Field(
                "filter[status]",
                Choice(("active", "locked", "deactivated")),
                "`active` ones are neither locked nor closed; `locked` ones may be closed, too.",
            ),
            Field(
                "filter[active-oauth2-client]",
                Ulid(),
                "Clients, of which one has a session of the account that is not over.",
                repeats=True,
            ),
            Field(
                "filter[has-active-oauth2-session]",
                Flag(),
                "Whether they have a session that is not over.",
            ),
            Field(
                "filter[has-active-compat-session]",
                Flag(),
                "Whether they have an access token of Synapse's own.",
            ),
        ),
        refuses={404: "There is no such client."},
    ),
    Operation(
        method="POST",
        path="users",
        name="createUser",
        tag="user",
        summary="Make an account",
        about="It has no password. Synapse's rules for names hold, and modules that look for spam are"
        " asked.",
        do=_add,
        answers={201: One(USER)},
        body_title="AddUserRequest",
        body=(
            Field("username", Text(255, 1), "The part of the Matrix id before the colon.", True),
            Field(
                "skip_homeserver_check",
                Flag(),
                "Nothing here: this is the homeserver, and a name that it reserves stays reserved.",
                default=False,
            ),
            Field("displayname", Text(256), "The display name.", is_nullable=True),
            Field("avatar_url", Text(1000), "The picture, an mxc:// URI.", is_nullable=True),
        ),
        refuses={409: "The name is taken, or reserved."},
        is_for_main=True,
    ),
    Operation(
        method="GET",
        path="users/by-username/{username}",
        name="getUserByUsername",
        tag="user",
        summary="Find an account by its name",
        do=_get_by_name,
        answers=ONE,
        refuses=NOT_FOUND,
    ),
    Operation(
        method="GET",
        path="users/{id}",
        name="getUser",
        tag="user",
        summary="Tell of an account",
        do=_get,
        answers=ONE,
        refuses=NOT_FOUND,
    ),
)
