"""`upstream-oauth-providers`: the identity providers of Synapse's configuration."""

from collections.abc import Sequence
from typing import Any

from synapse_nextgen_auth.accounts.ulids import Kind, made_at
from synapse_nextgen_auth.homeserver.people.providers.listing import Provider
from synapse_nextgen_auth.store import ulids
from synapse_nextgen_auth.web.endpoints.admin import lists
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
from synapse_nextgen_auth.web.endpoints.admin.values import Flag, Text, Time, time

_SHAPE = Shape(
    "upstream-oauth-provider",
    "UpstreamOAuthProvider",
    (
        Field("issuer", Text(), "The issuer, of one that speaks OpenID Connect.", True, True),
        Field("human_name", Text(), "How it is called on the sign-in page.", True, True),
        Field("brand_name", Text(), "Its brand, such as `google`.", True, True),
        Field("created_at", Time(), "When this API first told of it.", True),
        Field(
            "disabled_at", Time(), "Always `null`: what is not configured is not there.", True, True
        ),
        Field(
            "registration_token_required",
            Flag(),
            "Always false: who comes by a provider is asked for none.",
            True,
        ),
    ),
    "An identity provider. OpenID Connect, OAuth 2.0, SAML and CAS are all here.",
)


async def named(call: Call) -> dict[str, str]:
    """Return what this API calls each provider, by its id."""
    made = {each.provider_id: call.now * 1000 for each in call.site.providers.known.all()}
    return await call.site.homeserver.run(ulids.name, Kind.PROVIDER, made)


async def find(call: Call, ulid: str) -> Provider:
    """Return the provider that is called so; raise where there is none."""
    provider_id = await call.site.homeserver.read(ulids.find, Kind.PROVIDER, ulid)
    found = None if provider_id is None else call.site.providers.known.get(provider_id)
    if found is None:
        raise Refused(404, f"There is no provider {ulid}.")
    return found


def _told(call: Call, provider: Provider, ulid: str) -> dict[str, Any]:
    return thing(
        _SHAPE,
        ulid,
        {
            "issuer": call.site.providers.known.issuer(provider.provider_id),
            "human_name": provider.name or None,
            "brand_name": provider.brand,
            "created_at": time(made_at(ulid) // 1000),
            "disabled_at": None,
            "registration_token_required": False,
        },
    )


async def _list(call: Call) -> Answer:
    known, names = call.site.providers.known.all(), await named(call)
    shown = () if call.filters.get("filter[enabled]") is False else known
    if call.page.count is Count.ONLY:
        return lists.count_only(call, len(shown))
    ordered = [each.provider_id for each in shown]

    async def at(key: str, _ulid: str) -> tuple[str] | None:
        return (key,) if key in ordered else None

    window = await lists.window(call, Kind.PROVIDER, at)
    within = _between(ordered, window.after, window.before)
    first = within[::-1] if window.backwards else within
    ids, more = lists.in_order(window, first[: window.count + 1])
    found = [each for wanted in ids for each in shown if each.provider_id == wanted]
    things = [_told(call, each, names[each.provider_id]) for each in found]
    return lists.page(call, things, more=more, count=len(shown))


def _between(
    ordered: Sequence[str], after: tuple[Any, ...] | None, before: tuple[Any, ...] | None
) -> list[str]:
    begin = 0 if after is None else ordered.index(after[0]) + 1
    end = len(ordered) if before is None else ordered.index(before[0])
    return list(ordered[begin:end])


async def _get(call: Call) -> Answer:
    return one(call, _told(call, await find(call, call.path["id"]), call.path["id"]))


OPERATIONS = (
    Operation(
        method="GET",
        path="upstream-oauth-providers",
        name="listUpstreamOAuthProviders",
        tag="upstream-oauth-provider",
        summary="List the identity providers",
        about="They are in the order of the configuration.",
        do=_list,
        answers={200: Many(_SHAPE)},
        takes=(Field("filter[enabled]", Flag(), "Whether they are enabled: all of them are."),),
    ),
    Operation(
        method="GET",
        path="upstream-oauth-providers/{id}",
        name="getUpstreamOAuthProvider",
        tag="upstream-oauth-provider",
        summary="Tell of an identity provider",
        do=_get,
        answers={200: One(_SHAPE)},
        refuses={404: "There is no such provider."},
    ),
)
