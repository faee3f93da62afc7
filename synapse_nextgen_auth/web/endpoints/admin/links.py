"""`upstream-oauth-links`: who accounts are at identity providers."""

from typing import Any

from synapse_nextgen_auth.accounts.own_ways import Identity
from synapse_nextgen_auth.accounts.ulids import Kind, made_at
from synapse_nextgen_auth.flows import administration as flows
from synapse_nextgen_auth.flows.administration import Not
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import link_lists as rows
from synapse_nextgen_auth.store import ulids
from synapse_nextgen_auth.store.link_lists import Link
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web.endpoints.admin import changes, lists, providers, users
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
from synapse_nextgen_auth.web.endpoints.admin.values import Text, Time, Ulid, time

_SHAPE = Shape(
    "upstream-oauth-link",
    "UpstreamOAuthLink",
    (
        Field("created_at", Time(), "When this API first told of it: Synapse keeps no time.", True),
        Field("provider_id", Ulid(), "The provider.", True),
        Field("subject", Text(), "Who somebody is there.", True),
        Field("user_id", Ulid(), "Which account they are here.", True, True),
        Field(
            "human_account_name", Text(), "Always `null`: Synapse keeps no such name.", True, True
        ),
    ),
    "That an account is somebody at an identity provider.",
)
_NOT_FOUND = {404: "There is no such link, account or provider."}


@frozen
class _Told:
    link: Link
    ulid: str
    provider: str
    owner: str | None


def _named(txn: Txn, found: list[Link], *, now: int) -> list[_Told]:
    owners = ulids.name_users(txn, [each.user_id for each in found])
    names = ulids.name(txn, Kind.LINK, {each.key: now * 1000 for each in found})
    # Of a provider that is configured no more, too.
    at = ulids.name(txn, Kind.PROVIDER, {each.provider: now * 1000 for each in found})
    return [
        _Told(each, names[each.key], at[each.provider], owners.get(each.user_id)) for each in found
    ]


def _listed(
    txn: Txn, wanted: dict[str, str | None], window: Window, *, counts: bool, now: int
) -> tuple[list[_Told], bool, int | None]:
    found, more = lists.in_order(window, rows.list_links(txn, window, **wanted))
    return _named(txn, found, now=now), more, rows.count(txn, **wanted) if counts else None


def _got(txn: Txn, key: str, *, now: int) -> _Told | None:
    found = rows.find(txn, key)
    return None if found is None else _named(txn, [found], now=now)[0]


def _thing(told: _Told) -> dict[str, Any]:
    return thing(
        _SHAPE,
        told.ulid,
        {
            "created_at": time(made_at(told.ulid) // 1000),
            "provider_id": told.provider,
            "subject": told.link.subject,
            "user_id": told.owner,
            "human_account_name": None,
        },
    )


async def _list(call: Call) -> Answer:
    homeserver, filters = call.site.homeserver, call.filters
    provider = filters.get("filter[provider]")
    wanted = {
        "user_id": await users.found_in(call, "filter[user]"),
        "provider": (await providers.find(call, provider)).provider_id if provider else None,
        "subject": filters.get("filter[subject]"),
    }
    if "filter[human-account-name]" in filters:
        wanted["subject"] = wanted["provider"] = ""  # nobody has such a name
    if call.page.count is Count.ONLY:
        return lists.count_only(call, await homeserver.run(rows.count, **wanted))

    async def at(key: str, _ulid: str) -> tuple[str, str] | None:
        found = await homeserver.read(rows.find, key)
        return None if found is None else (found.provider, found.subject)

    window = await lists.window(call, Kind.LINK, at)
    counts = call.page.count is Count.YES
    told, more, count = await homeserver.run(_listed, wanted, window, counts=counts, now=call.now)
    return lists.page(call, [_thing(each) for each in told], more=more, count=count)


async def _find(call: Call) -> _Told:
    homeserver, ulid = call.site.homeserver, call.path["id"]
    key = await homeserver.read(ulids.find, Kind.LINK, ulid)
    found = None if key is None else await homeserver.run(_got, key, now=call.now)
    if found is None:
        raise Refused(404, f"There is no link {ulid}.")
    return found


async def _get(call: Call) -> Answer:
    return one(call, _thing(await _find(call)))


async def _add(call: Call) -> Answer:
    site, body = call.site, call.body
    user_id = await users.find(call, body["user_id"])
    provider = await providers.find(call, body["provider_id"])
    identity = Identity(provider.provider_id, body["subject"])
    about = changes.only_if(None, user_id)
    why = await changes.run(call, about, flows.connect, user_id, identity, now=call.now)
    if why is Not.CLOSED:
        raise Refused(400, "The account is closed, and is nobody anywhere.")
    if why is Not.TAKEN:
        raise Refused(409, "This subject is another account already.")
    if why is None:
        await site.providers.known.changed(identity)
    key = Link(identity.provider, identity.external_id, user_id).key
    told = await site.homeserver.run(_got, key, now=call.now)
    if told is None:
        raise Refused(404, "The link was taken away again meanwhile.")
    return one(call, _thing(told), status=201 if why is None else 200, about=user_id)


async def _remove(call: Call) -> Answer:
    told = await _find(call)
    identity = Identity(told.link.provider, told.link.subject)
    user_id = told.link.user_id
    about = changes.only_if(None, user_id)
    why = await changes.run(call, about, flows.disconnect, user_id, identity, now=call.now)
    if why is not None:
        raise Refused(404, "The link is not there any more.")
    await call.site.providers.known.changed(identity)
    return nothing(about=told.link.user_id)


OPERATIONS = (
    Operation(
        method="GET",
        path="upstream-oauth-links",
        name="listUpstreamOAuthLinks",
        tag="upstream-oauth-link",
        summary="List who accounts are at identity providers",
        about="They are sorted by provider and subject.",
        do=_list,
        answers={200: Many(_SHAPE)},
        takes=(
            Field("filter[user]", Ulid(), "Whose they are."),
            Field("filter[provider]", Ulid(), "Where."),
            Field("filter[subject]", Text(), "Who somebody is there, exactly."),
            Field("filter[human-account-name]", Text(), "Nothing has such a name here."),
        ),
        refuses={404: "There is no such account, or provider."},
    ),
    Operation(
        method="POST",
        path="upstream-oauth-links",
        name="addUpstreamOAuthLink",
        tag="upstream-oauth-link",
        summary="Let somebody at a provider be an account",
        about="200 says that it was so before.",
        do=_add,
        answers={200: One(_SHAPE), 201: One(_SHAPE)},
        body_title="AddUpstreamOauthLinkRequest",
        body=(
            Field("user_id", Ulid(), "The account.", True),
            Field("provider_id", Ulid(), "The provider.", True),
            Field("subject", Text(1000, 1), "Who they are there, as the provider says it.", True),
            Field(
                "human_account_name",
                Text(1000),
                "Nothing: Synapse keeps no such name.",
                is_nullable=True,
            ),
        ),
        refuses={**_NOT_FOUND, 409: "The subject is another account."},
    ),
    Operation(
        method="GET",
        path="upstream-oauth-links/{id}",
        name="getUpstreamOAuthLink",
        tag="upstream-oauth-link",
        summary="Tell of a link",
        do=_get,
        answers={200: One(_SHAPE)},
        refuses=_NOT_FOUND,
    ),
    Operation(
        method="DELETE",
        path="upstream-oauth-links/{id}",
        name="deleteUpstreamOAuthLink",
        tag="upstream-oauth-link",
        summary="Let somebody at a provider be nobody here",
        about="Whoever comes from there the next time is treated as somebody new.",
        do=_remove,
        answers={204: Nothing()},
        refuses=_NOT_FOUND,
    ),
)
