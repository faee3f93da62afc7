"""`oauth2-sessions`: what applications are signed in to accounts."""

from collections.abc import Sequence
from typing import Any

import attrs

from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.flows import administration as flows
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import (
    clients,
    devices,
    sign_in_lists,
    ulids,
)
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.web.endpoints.admin import changes, session_fields, session_pages
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, one, thing
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    Answer,
    Field,
    Many,
    One,
    Operation,
    Refused,
    Shape,
)
from synapse_nextgen_auth.web.endpoints.admin.values import Choice, Text, Ulid

CLIENTS = Field(
    "filter[client]", Ulid(), "Those of this client, or of one of several.", repeats=True
)
CLIENT_KIND = Field(
    "filter[client-kind]",
    Choice(("dynamic", "static")),
    "Those of clients that registered, or of clients of the configuration.",
)
OAUTH2_SESSION = Shape(
    "oauth2-session",
    "OAuth2Session",
    (
        session_fields.CREATED_AT,
        session_fields.FINISHED_AT,
        Field("user_id", Ulid(), "Whose it is.", True, is_nullable=True),
        Field("user_session_id", Ulid(), "The browser that let it in.", True, is_nullable=True),
        Field("client_id", Ulid(), "The client that it is of.", True),
        Field("scope", Text(), "What was granted.", True),
        session_fields.USER_AGENT,
        session_fields.LAST_ACTIVE_AT,
        session_fields.LAST_ACTIVE_IP,
        session_fields.HUMAN_NAME,
    ),
    "An application that is signed in to an account.",
)


@frozen
class Around:
    """What is told of sessions beside themselves: by which names, and what devices are called."""

    own: dict[str, str]
    users: dict[str, str]
    clients: dict[str, str]
    browsers: dict[str, str]
    devices: dict[str, str]


def around(txn: Txn, found: Sequence[Session], kind: Kind) -> Around:
    """Look at what is around these sessions, with one query for each."""
    user_ids = {each.user_id for each in found} | {each.owner_id for each in found} - {None}
    client_ids = sorted({each.client_id for each in found if not each.is_personal})
    registered = {each.client_id: 0 for each in found if not each.is_personal}
    if client_ids:
        listed = clients.list_by_ids(txn, client_ids)
        registered |= {each.client_id: each.created_at * 1000 for each in listed}
    pairs = [(each.user_id, each.device_id) for each in found if each.device_id is not None]
    named = devices.list_by_ids(txn, pairs) if pairs else []
    approved = sorted({each.user_id for each in found if each.sign_in_id is not None})
    browsers = {
        session_fields.browser_key(each): each.signed_in_at * 1000
        for each in (sign_in_lists.list_of(txn, approved) if approved else ())
    }
    wanted = {f"{each.user_id} {each.sign_in_id}" for each in found}
    return Around(
        ulids.name(txn, kind, {each.session_id: each.created_at * 1000 for each in found}),
        ulids.name_users(txn, [each for each in user_ids if each is not None]),
        ulids.name(txn, Kind.CLIENT, registered),
        ulids.name(
            txn, Kind.USER_SESSION, {key: at for key, at in browsers.items() if key in wanted}
        ),
        {f"{each.user_id} {each.device_id}": each.display_name or "" for each in named},
    )


def _told(call: Call, session: Session, known: Around) -> dict[str, Any]:
    said = session_fields.told(session, call.site, known.devices)
    approved = f"{session.user_id} {session.sign_in_id}"
    return thing(
        OAUTH2_SESSION,
        known.own[session.session_id],
        said
        | {
            "user_id": known.users.get(session.user_id),
            "user_session_id": known.browsers.get(approved),
            "client_id": known.clients[session.client_id],
        },
    )


async def client_filter(call: Call) -> dict[str, Any]:
    """Return of which clients sessions are to be, by the names that filters of ours have."""
    asked = call.filters.get(CLIENTS.name)
    found: tuple[str, ...] | None = None
    if asked is not None:
        keys = [await session_fields.key_of(call, Kind.CLIENT, each, "client") for each in asked]
        found = tuple(dict.fromkeys(keys))
    configured = tuple(sorted(call.site.clients.configured))
    kind = call.filters.get(CLIENT_KIND.name)
    if kind == "static":
        found = tuple(
            each for each in (configured if found is None else found) if each in configured
        )
    return {
        "clients": found,
        "but_clients": configured if kind == "dynamic" else (),
        "are_clients_named": asked is not None or kind != "static",
    }


async def _meant(call: Call) -> SessionFilter:
    user_id = await session_fields.user_of(call)
    meant = SessionFilter(
        user_id=user_id,
        **session_fields.granted(call),
        is_living=session_fields.is_living(call),
        is_personal=False,
        **await client_filter(call),
        **session_fields.times(call),
    )
    return await session_pages.of_browser(call, meant)


async def _list(call: Call) -> Answer:
    return await session_pages.page(call, await _meant(call), Kind.OAUTH2_SESSION, around, _told)


async def _answer(call: Call, session: Session, about: str = "") -> Answer:
    known = await call.site.homeserver.run(around, [session], Kind.OAUTH2_SESSION)
    return one(call, _told(call, session, known), about=about)


async def _get(call: Call) -> Answer:
    return await _answer(call, await session_pages.find(call, Kind.OAUTH2_SESSION))


async def _finish(call: Call) -> Answer:
    site, session = call.site, await session_pages.find(call, Kind.OAUTH2_SESSION)
    over = Refused(400, f"The session {call.path['id']} is over already.")
    if session_fields.finished_at(session, site) is not None:
        raise over
    if session.device_id is not None:
        await site.devices.expect_to_remove()
    about = f"{call.path['id']} of {session.user_id}"
    answer = await _answer(call, attrs.evolve(session, ended_at=call.now), about)
    is_ended = await changes.run(
        call,
        changes.if_not(False, about),
        flows.end_session_of,
        session.session_id,
        now=call.now,
    )
    if not is_ended:
        raise over
    await session_fields.remove_device(site, session)
    return answer


_TAG = "oauth2-session"
_NOT_FOUND = {404: "There is no such session."}
OPERATIONS = (
    Operation(
        method="GET",
        path="oauth2-sessions",
        name="listOAuth2Sessions",
        tag=_TAG,
        summary="List what applications are signed in to accounts",
        about="In the order in which they began; those that are over are kept for 30 days.",
        do=_list,
        answers={200: Many(OAUTH2_SESSION)},
        takes=(
            session_fields.USER,
            CLIENTS,
            CLIENT_KIND,
            session_fields.USER_SESSION,
            session_fields.SCOPE,
            session_fields.STATUS,
            *session_fields.TIMES,
        ),
        refuses={404: "There is no such account, client or browser."},
    ),
    Operation(
        method="GET",
        path="oauth2-sessions/{id}",
        name="getOAuth2Session",
        tag=_TAG,
        summary="Get one",
        do=_get,
        answers={200: One(OAUTH2_SESSION)},
        refuses=_NOT_FOUND,
    ),
    Operation(
        method="POST",
        path="oauth2-sessions/{id}/finish",
        name="finishOAuth2Session",
        tag=_TAG,
        summary="End one, with its device",
        do=_finish,
        answers={200: One(OAUTH2_SESSION)},
        refuses={400: "It is over already.", **_NOT_FOUND},
    ),
)
