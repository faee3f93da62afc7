"""`oauth2-clients`: the applications that this server knows, and shutting one out."""

from collections.abc import Callable
from typing import Any

import attrs

from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.flows import block_client
from synapse_nextgen_auth.flows.end_by_filter import Ended
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import client_lists, ulids
from synapse_nextgen_auth.store import clients as rows
from synapse_nextgen_auth.store.client_lists import Block, ClientFilter
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web.endpoints.admin import changes, ending, lists, session_fields
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, Count, one, thing
from synapse_nextgen_auth.web.endpoints.admin.oauth2_sessions import CLIENT_KIND
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    Answer,
    Field,
    Many,
    One,
    Operation,
    Refused,
    Shape,
)
from synapse_nextgen_auth.web.endpoints.admin.values import Flag, Names, Text, Time, time

OAUTH2_CLIENT = Shape(
    "oauth2-client",
    "OAuth2Client",
    (
        Field("client_id", Text(), "What it calls itself in the protocol.", True),
        Field("client_name", Text(), "Its name.", True, is_nullable=True),
        Field("client_uri", Text(), "Its page.", True, is_nullable=True),
        Field("logo_uri", Text(), "Its picture.", True, is_nullable=True),
        Field("redirect_uris", Names(), "Where it may have people sent back to.", True),
        Field("grant_types", Names(), "In which ways it may get tokens.", True),
        Field("is_static", Flag(), "Whether it is one of the configuration.", True),
        Field(
            "blocked_at",
            Time(),
            "Since when an administrator shut it out; not there in matrix-authentication-service.",
            True,
            is_nullable=True,
        ),
    ),
    "An application.",
)
Found = tuple[Client, str, Block | None]


@frozen
class _Wanted:
    """Which clients are wanted: of which kind, and by what they say of themselves."""

    configured: tuple[Client, ...]
    is_static: bool | None
    name: str | None
    uri: str | None
    grant_type: str | None
    is_used: bool | None
    client_id: str | None = None

    def fits(self, client: Client) -> bool:
        """Say whether a client says of itself what is looked for."""
        return (
            _has(client.client_name, self.name)
            and _has(client.client_uri, self.uri)
            and (self.grant_type is None or self.grant_type in client.grant_types)
            and self.client_id in {None, client.client_id}
        )

    @property
    def rows(self) -> ClientFilter:
        """What of it the database can look for."""
        part = next((each for each in (self.name, self.uri, self.grant_type) if each), None)
        if part is not None and (
            not part.isascii() or not part.isprintable() or set(part) & set('"\\')
        ):
            part = None
        needs = not (self.name is None and self.uri is None and self.grant_type is None)
        fits: Callable[[Client], bool] | None = self.fits if needs else None
        return ClientFilter(client_id=self.client_id, part=part, is_used=self.is_used, fits=fits)


def _has(text: str | None, part: str | None) -> bool:
    return part is None or part.casefold() in (text or "").casefold()


def _static(txn: Txn, wanted: _Wanted) -> list[Client]:
    """Return those of the configuration that are wanted; in lists they come first."""
    if wanted.is_static is False:
        return []
    fitting = [each for each in wanted.configured if wanted.fits(each)]
    if wanted.is_used is not None:
        fitting = [
            each for each in fitting if client_lists.is_used(txn, each.client_id) is wanted.is_used
        ]
    return sorted(fitting, key=lambda each: each.client_id)


def _count(txn: Txn, wanted: _Wanted) -> int:
    registered = 0 if wanted.is_static else client_lists.count(txn, wanted.rows)
    return len(_static(txn, wanted)) + registered


def _listed(txn: Txn, wanted: _Wanted, window: Window) -> tuple[list[Found], bool]:
    first = [
        each
        for each in _static(txn, wanted)
        if (window.after is None or (0, each.client_id) > window.after)
        and (window.before is None or (0, each.client_id) < window.before)
    ]
    if window.backwards:
        found = [] if wanted.is_static else client_lists.page(txn, wanted.rows, window)
        found += first[::-1]
    else:
        found = list(first)
        if len(found) <= window.count and not wanted.is_static:
            left = attrs.evolve(window, count=window.count - len(found))
            found += client_lists.page(txn, wanted.rows, left)
    shown, more = lists.in_order(window, found[: window.count + 1])
    return _look(txn, shown), more


def _look(txn: Txn, found: list[Client]) -> list[Found]:
    names = ulids.name(txn, Kind.CLIENT, {each.client_id: each.created_at * 1000 for each in found})
    blocks = client_lists.blocks(txn)
    return [(each, names[each.client_id], blocks.get(each.client_id)) for each in found]


def _told(found: Found) -> dict[str, Any]:
    client, ulid, block = found
    return thing(
        OAUTH2_CLIENT,
        ulid,
        {
            "client_id": client.client_id,
            "client_name": client.client_name,
            "client_uri": client.client_uri,
            "logo_uri": client.logo_uri,
            "redirect_uris": list(client.redirect_uris),
            "grant_types": list(client.grant_types),
            "is_static": client.is_configured,
            "blocked_at": time(block.blocked_at) if block else None,
        },
    )


def _configured(call: Call) -> tuple[Client, ...]:
    return tuple(
        attrs.evolve(each, is_configured=True, created_at=0)
        for each in call.site.clients.configured.values()
    )


async def _list(call: Call) -> Answer:
    homeserver, asked = call.site.homeserver, call.filters.get
    kind = asked(CLIENT_KIND.name)
    wanted = _Wanted(
        _configured(call),
        None if kind is None else kind == "static",
        asked("filter[client-name]"),
        asked("filter[client-uri]"),
        asked("filter[grant-type]"),
        asked("filter[has-active-sessions]"),
        asked("filter[client-id]"),
    )
    count = None
    if call.page.count is not Count.NO:
        count = await homeserver.run(_count, wanted)
    if call.page.count is Count.ONLY:
        return lists.count_only(call, count or 0)

    async def at(key: str, _ulid: str) -> tuple[int, str] | None:
        found = await _client(call, key)
        return None if found is None else (found.created_at, found.client_id)

    window = await lists.window(call, Kind.CLIENT, at, is_by_time=True)
    found, more = await homeserver.run(_listed, wanted, window)
    return lists.page(call, [_told(each) for each in found], more=more, count=count)


async def _client(call: Call, client_id: str) -> Client | None:
    """Return a client, though it be blocked."""
    static = next((each for each in _configured(call) if each.client_id == client_id), None)
    return static or await call.site.homeserver.read(rows.get, client_id)


async def _find(call: Call) -> Client:
    ulid = call.path["id"]
    key = await session_fields.key_of(call, Kind.CLIENT, ulid, "client")
    found = await _client(call, key)
    if found is None:
        raise Refused(404, f"There is no client {ulid} any more.")
    return found


def _about(ulid: str, client: Client) -> str:
    return f"{ulid}, {client.client_id}"


async def _answer(call: Call, client: Client) -> Answer:
    (found,) = await call.site.homeserver.run(_look, [client])
    return one(call, _told(found), about=_about(found[1], client))


async def _get(call: Call) -> Answer:
    return await _answer(call, await _find(call))


async def _registered(call: Call) -> Client:
    client = await _find(call)
    if client.is_configured:
        raise Refused(409, f"{client.client_id} is in the configuration: take it out there.")
    return client


async def _block(call: Call) -> Answer:
    site, client = call.site, await _registered(call)
    if client.client_id == call.admin.client_id:
        raise Refused(409, "This is the client that you are using at this moment.")
    await site.devices.expect_to_remove()
    about = _about(call.path["id"], client)
    blocked = await changes.run(
        call,
        changes.if_not(False, about),
        block_client.block,
        client.client_id,
        by=call.caller,
        why=call.reason,
        now=call.now,
    )
    done = await ending.end_some(
        site,
        SessionFilter(clients=(client.client_id,)),
        limit=ending.SOME,
        is_all_meant=True,
        keep=None,
    )
    # Whoever asks again goes on with what is left.
    if not blocked and not (isinstance(done, Ended) and done.sessions):
        raise Refused(409, f"{client.client_id} is blocked already.")
    return await _answer(call, client)


async def _unblock(call: Call) -> Answer:
    client = await _registered(call)
    about = changes.if_not(False, _about(call.path["id"], client))
    if not await changes.run(call, about, client_lists.unblock, client.client_id):
        raise Refused(409, f"{client.client_id} is not blocked.")
    return await _answer(call, client)


_TAG = "oauth2-client"
_NOT_FOUND = {404: "There is no such client."}
OPERATIONS = (
    Operation(
        method="GET",
        path="oauth2-clients",
        name="listOAuth2Clients",
        tag=_TAG,
        summary="List the applications that this server knows",
        about="Those of the configuration first, then the others as they registered.",
        do=_list,
        answers={200: Many(OAUTH2_CLIENT)},
        takes=(
            attrs.evolve(
                CLIENT_KIND, about="Those that registered, or those of the configuration."
            ),
            Field(
                "filter[client-id]",
                Text(500, 1),
                "The one that the protocol, the log and events call so.",
            ),
            Field("filter[client-name]", Text(200, 1), "Those with this in their name."),
            Field(
                "filter[client-uri]", Text(500, 1), "Those with this in the address of their page."
            ),
            Field("filter[grant-type]", Text(200, 1), "Those that may get tokens in this way."),
            Field(
                "filter[has-active-sessions]",
                Flag(),
                "Those that are signed in to some account, or to none.",
            ),
        ),
    ),
    Operation(
        method="GET",
        path="oauth2-clients/{id}",
        name="getOAuth2Client",
        tag=_TAG,
        summary="Get one",
        do=_get,
        answers={200: One(OAUTH2_CLIENT)},
        refuses=_NOT_FOUND,
    ),
    Operation(
        method="POST",
        path="oauth2-clients/{id}/block",
        name="blockOAuth2Client",
        tag=_TAG,
        summary="Shut one out that registered by itself",
        about="Nobody is signed in to it any more, and none of its tokens is renewed. A hundred of its"
        " sessions end at once; of more the others by `sessions/end`.",
        do=_block,
        answers={200: One(OAUTH2_CLIENT)},
        refuses={
            409: "It is blocked already, without sessions, in the configuration, or yours.",
            **_NOT_FOUND,
        },
    ),
    Operation(
        method="POST",
        path="oauth2-clients/{id}/unblock",
        name="unblockOAuth2Client",
        tag=_TAG,
        summary="Let one in again",
        do=_unblock,
        answers={200: One(OAUTH2_CLIENT)},
        refuses={409: "It is not blocked, or in the configuration.", **_NOT_FOUND},
    ),
)
