"""`personal-sessions`: personal tokens of all accounts, also made by administrators for others."""

from functools import partial
from typing import Any

import attrs

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.flows import personal_tokens as flows
from synapse_nextgen_auth.flows.personal_tokens import NotRenewed, Ordered
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.oauth.scopes.permissions import DEVICE
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import End, Session, SessionLifetimes
from synapse_nextgen_auth.oauth.tokens import personal_tokens as rules
from synapse_nextgen_auth.oauth.tokens.personal_tokens import Refusal
from synapse_nextgen_auth.oauth.tokens.session_tokens import surrogate
from synapse_nextgen_auth.secret import Secret, random_id
from synapse_nextgen_auth.store import personal_tokens as rows
from synapse_nextgen_auth.store import session_lists, sessions, ulids
from synapse_nextgen_auth.store.personal_tokens import Seen
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web import personal_tokens
from synapse_nextgen_auth.web.endpoints.admin import lists, session_fields
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, Count, one, thing
from synapse_nextgen_auth.web.endpoints.admin.counts import COUNTS
from synapse_nextgen_auth.web.endpoints.admin.oauth2_sessions import place
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    Answer,
    Field,
    Many,
    One,
    Operation,
    Refused,
    Shape,
)
from synapse_nextgen_auth.web.endpoints.admin.values import (
    Choice,
    Flag,
    Number,
    Text,
    Time,
    Ulid,
    time,
)
from synapse_nextgen_auth.web.personal_tokens import About

PERSONAL_SESSION = Shape(
    "personal-session",
    "PersonalSession",
    (
        session_fields.CREATED_AT,
        attrs.evolve(session_fields.FINISHED_AT, name="revoked_at"),
        Field(
            "owner_user_id",
            Ulid(),
            "Who made it, and may let it have another value.",
            True,
            is_nullable=True,
        ),
        Field(
            "owner_client_id", Ulid(), "Always `null`: no client owns one.", True, is_nullable=True
        ),
        Field("actor_user_id", Ulid(), "The account that it speaks for.", True),
        Field("human_name", Text(), "What it is called.", True),
        Field("scope", Text(), "What it opens.", True),
        session_fields.LAST_ACTIVE_AT,
        session_fields.LAST_ACTIVE_IP,
        Field(
            "expires_at",
            Time(),
            "Until when it is good; `null` without an end, and of one that is over.",
            True,
            is_nullable=True,
        ),
        Field(
            "access_token",
            Text(),
            "The token itself, in the answer to whoever makes it and never again.",
            True,
            is_nullable=True,
        ),
    ),
    "A personal token.",
)
_EXPIRES_IN = Field(
    "expires_in",
    Number(1),
    "For how many seconds it is good. Without it, it has no end where the operator allows that, and else"
    " the longest time that they allow.",
    is_nullable=True,
)
_LONGEST_NAME = rules.LONGEST_NAME


def _look(txn: Txn, found: list[Session]) -> dict[str, dict[str, Any]]:
    """Return what is told of these beside what their sessions say, by their ids."""
    tokens = rows.by_sessions(txn, [each.session_id for each in found])
    own = ulids.name(
        txn, Kind.PERSONAL_SESSION, {each.session_id: each.created_at * 1000 for each in found}
    )
    people = {each.user_id for each in found} | {each.owner_id or each.user_id for each in found}
    users = ulids.name_users(txn, people)
    seen: dict[str, Seen] = {}
    for user_id in sorted({each.user_id for each in found}):
        marks = [surrogate(each.session_id) for each in found if each.user_id == user_id]
        seen |= rows.last_seen(txn, user_id, marks)
    known: dict[str, dict[str, Any]] = {}
    for each in found:
        last, token = seen.get(surrogate(each.session_id)), tokens.get(each.session_id)
        known[each.session_id] = {
            "id": own[each.session_id],
            "owner_user_id": users.get(each.owner_id or each.user_id),
            "actor_user_id": users.get(each.user_id, own[each.session_id]),
            "human_name": token.name if token else "",
            "last_active_ip": last.address if last else None,
        }
    return known


def _listed(
    txn: Txn, meant: SessionFilter, window: Window, *, lifetimes: SessionLifetimes, now: int
) -> tuple[list[Session], bool, dict[str, dict[str, Any]]]:
    page = session_lists.page(txn, meant, window, lifetimes=lifetimes, now=now)
    found, more = lists.in_order(window, page)
    return found, more, _look(txn, found)


def _told(
    call: Call, session: Session, known: dict[str, dict[str, Any]], token: Secret | None = None
) -> dict[str, Any]:
    said = dict(known[session.session_id])
    ulid = said.pop("id")
    over_at = session_fields.finished_at(session, call.site)
    return thing(
        PERSONAL_SESSION,
        ulid,
        said
        | {
            "created_at": time(session.created_at),
            "revoked_at": time(over_at),
            "owner_client_id": None,
            "scope": session.scope,
            "last_active_at": time(session_fields.used_at(session)),
            "expires_at": time(session.expires_at) if over_at is None else None,
            "access_token": token.reveal() if token else None,
        },
    )


async def _list(call: Call) -> Answer:
    homeserver, asked = call.site.homeserver, call.filters.get
    status = asked("filter[status]")
    owner_client = asked("filter[owner_client]")
    if owner_client is not None:
        await session_fields.key_of(call, Kind.CLIENT, owner_client, "client")
    meant = SessionFilter(
        user_id=await session_fields.user_of(call, "filter[actor_user]"),
        owner_id=await session_fields.user_of(call, "filter[owner_user]"),
        clients=None if owner_client is None else (),
        scopes=session_fields.scopes(call),
        is_living=None if status is None else status == "active",
        is_personal=True,
        expires=asked("filter[expires]"),
        expires_before=asked("filter[expires_before]"),
        expires_after=asked("filter[expires_after]"),
    )
    limits: dict[str, Any] = {"lifetimes": call.site.lifetimes.sessions, "now": call.now}
    count = await COUNTS.of(
        call, meant, lambda: homeserver.run(session_lists.count, meant, **limits)
    )
    if call.page.count is Count.ONLY:
        return lists.count_only(call, count or 0)
    window = await lists.window(call, Kind.PERSONAL_SESSION, partial(place, call), is_by_time=True)
    found, more, known = await homeserver.run(_listed, meant, window, **limits)
    return lists.page(call, [_told(call, each, known) for each in found], more=more, count=count)


async def _find(call: Call) -> Session:
    ulid = call.path["id"]
    key = await session_fields.key_of(call, Kind.PERSONAL_SESSION, ulid, "personal session")
    session = await call.site.homeserver.read(sessions.get, key)
    if session is None:
        raise Refused(404, f"There is no personal session {ulid} any more.")
    return session


async def _answer(
    call: Call, session: Session, *, status: int = 200, token: Secret | None = None
) -> Answer:
    known = await call.site.homeserver.run(_look, [session])
    told = _told(call, session, known, token)
    return one(call, told, status=status, about=f"{told['id']} of {session.user_id}")


async def _get(call: Call) -> Answer:
    return await _answer(call, await _find(call))


def _lifetime(call: Call) -> int | None:
    """Return for how long a token is to be good, as far as the operator allows that."""
    limits, wanted = personal_tokens.limits(call.site), call.body["expires_in"]
    if wanted is None:
        return None if limits.is_endless else limits.longest
    if wanted > limits.longest:
        raise Refused(
            400,
            f"expires_in must be at most {limits.longest}, as personal_tokens.longest_lifetime says.",
        )
    return int(wanted)


def _scope(text: str) -> Scope:
    """Return what a token is to open; where that takes a device and none is named, it gets a new one."""
    try:
        return grammar.parse(text)
    except OAuthError as refused:
        first = refused
    try:
        return grammar.parse(f"{text} {DEVICE}{random_id()[:10].upper()}")
    except OAuthError:
        raise Refused(400, f"The scope cannot be: {first.description}.") from None


async def _add(call: Call) -> Answer:
    site, body = call.site, call.body
    if site.config.drain:
        raise Refused(403, "The module is being switched off, and makes no personal tokens.")
    if not site.config.personal_tokens.who.may(is_admin=True):
        raise Refused(403, "personal_tokens.who says that nobody makes personal tokens.")
    user_id = await session_fields.key_of(call, Kind.USER, body["actor_user_id"], "account")
    scope, lifetime = _scope(body["scope"]), _lifetime(call)
    try:
        account = await site.people.admit(user_id, Intent.KEEP)
    except NotAdmitted:
        raise Refused(410, f"The account {user_id} is closed.") from None
    if rules.POWERS & scope.effective and not account.is_admin:
        raise Refused(
            400, f"{user_id} is no administrator, so a token of it has no power over the server."
        )
    if scope.device_id is not None and await site.devices.is_reserved(user_id, scope.device_id):
        raise Refused(400, "The device is none that one can sign in to.")
    name = body["human_name"]
    order = Ordered(name, scope, call.caller)
    # The account reads the event of it: from where somebody else administers is not theirs to know.
    address = call.incoming.address if user_id == call.caller else None
    opening = personal_tokens.opening_of(site, lifetime, address=address)

    async def begin() -> Session | Refusal:
        return await site.homeserver.run(flows.make_for, user_id, order, opening, now=call.now)

    try:
        made = await personal_tokens.made(
            site, About(user_id, scope.device_id, name), opening, begin
        )
    except NotAdmitted:
        raise Refused(410, f"The account {user_id} is closed.") from None
    if isinstance(made, Refusal):
        raise Refused(400, "The account has as many devices as sessions.max_devices allows.")
    return await _answer(call, made.session, status=201, token=made.token)


async def _regenerate(call: Call) -> Answer:
    site, session = call.site, await _find(call)
    lifetime, ulid = _lifetime(call), call.path["id"]
    renewed = await site.homeserver.run(
        flows.renew,
        session.session_id,
        by=call.caller,
        expires_at=None if lifetime is None else call.now + lifetime,
        generation=session.generation,
        now=call.now,
    )
    if isinstance(renewed, NotRenewed):
        raise _REFUSALS[renewed](ulid)
    token = site.token_check.mint(rules.token_of(renewed))
    return await _answer(call, renewed, status=201, token=token)


_REFUSALS = {
    NotRenewed.UNKNOWN: lambda ulid: Refused(404, f"There is no personal session {ulid}."),
    NotRenewed.OVER: lambda ulid: Refused(
        422, f"The personal session {ulid} is over. Make another."
    ),
    NotRenewed.ANOTHERS: lambda ulid: Refused(403, f"The personal session {ulid} is not yours."),
}


async def _revoke(call: Call) -> Answer:
    site, session = call.site, await _find(call)
    if session_fields.finished_at(session, site) is not None:
        raise Refused(409, f"The personal session {call.path['id']} is over already.")
    if session.device_id is not None:
        await site.devices.expect_to_remove()
    answer = await _answer(call, attrs.evolve(session, ended_at=call.now))
    await site.homeserver.run(
        end_session.end_by_id, session.session_id, why=End.REVOKED, now=call.now
    )
    await session_fields.remove_device(site, session)
    return answer


_TAG = "personal-session"
_NOT_FOUND = {404: "There is no such personal session."}
OPERATIONS = (
    Operation(
        method="GET",
        path="personal-sessions",
        name="listPersonalSessions",
        tag=_TAG,
        summary="List the personal tokens of all accounts",
        about="In the order in which they were made; those that are over are kept for 30 days.",
        do=_list,
        answers={200: Many(PERSONAL_SESSION)},
        takes=(
            Field("filter[owner_user]", Ulid(), "Those that this account made."),
            Field("filter[owner_client]", Ulid(), "None: no client owns one."),
            Field("filter[actor_user]", Ulid(), "Those that speak for this account."),
            session_fields.SCOPE,
            Field("filter[status]", Choice(("active", "revoked")), "Those that are good, or over."),
            Field("filter[expires_before]", Time(), "Those whose end comes before."),
            Field("filter[expires_after]", Time(), "Those whose end comes after."),
            Field("filter[expires]", Flag(), "Those that have an end, or have none."),
        ),
        refuses={404: "There is no such account or client."},
    ),
    Operation(
        method="POST",
        path="personal-sessions",
        name="createPersonalSession",
        tag=_TAG,
        summary="Make a personal token for an account",
        about="Whatever was signed in on its device is signed out. Where the scope takes a device and"
        " names none, it gets a new one, which the answer names.",
        do=_add,
        answers={201: One(PERSONAL_SESSION)},
        body_title="CreatePersonalSessionRequest",
        body=(
            Field("actor_user_id", Ulid(), "The account that it speaks for.", True),
            Field("human_name", Text(_LONGEST_NAME, 1), "What it is called.", True),
            Field("scope", Text(), "What it opens, with spaces between scopes.", True),
            _EXPIRES_IN,
        ),
        refuses={
            400: "The scope or the time cannot be.",
            403: "Nobody may make any.",
            404: "There is no such account.",
            410: "The account is closed.",
        },
    ),
    Operation(
        method="GET",
        path="personal-sessions/{id}",
        name="getPersonalSession",
        tag=_TAG,
        summary="Get one",
        do=_get,
        answers={200: One(PERSONAL_SESSION)},
        refuses=_NOT_FOUND,
    ),
    Operation(
        method="POST",
        path="personal-sessions/{id}/revoke",
        name="revokePersonalSession",
        tag=_TAG,
        summary="End one, with its device",
        do=_revoke,
        answers={200: One(PERSONAL_SESSION)},
        refuses={409: "It is over already.", **_NOT_FOUND},
    ),
    Operation(
        method="POST",
        path="personal-sessions/{id}/regenerate",
        name="regeneratePersonalSession",
        tag=_TAG,
        summary="Let one have another value",
        about="The former one is worth nothing from then on; its device stays. Only its owner may.",
        do=_regenerate,
        answers={201: One(PERSONAL_SESSION)},
        body_title="RegeneratePersonalSessionRequest",
        body=(_EXPIRES_IN,),
        is_body_needed=False,
        refuses={403: "It is somebody else's.", 422: "It is over.", **_NOT_FOUND},
    ),
)
