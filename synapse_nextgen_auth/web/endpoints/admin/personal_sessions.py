"""`personal-sessions`: personal tokens of all accounts, also made by administrators for others."""

from functools import partial
from typing import Any

import attrs

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.invitations import in_words
from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.flows import administration
from synapse_nextgen_auth.flows import personal_tokens as flows
from synapse_nextgen_auth.flows.personal_tokens import NotRenewed, Ordered
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.oauth.scopes.permissions import DEVICE
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import Session, SessionLifetimes
from synapse_nextgen_auth.oauth.tokens import personal_tokens as rules
from synapse_nextgen_auth.oauth.tokens.personal_tokens import Refusal
from synapse_nextgen_auth.secret import Secret, random_id
from synapse_nextgen_auth.store import session_lists, sessions, ulids
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web import personal_tokens
from synapse_nextgen_auth.web.endpoints.admin import changes, lists, session_fields
from synapse_nextgen_auth.web.endpoints.admin import personal_session_fields as fields
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, Count, one
from synapse_nextgen_auth.web.endpoints.admin.counts import COUNTS
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    Answer,
    Field,
    Many,
    One,
    Operation,
    Refused,
)
from synapse_nextgen_auth.web.endpoints.admin.session_pages import place
from synapse_nextgen_auth.web.endpoints.admin.values import (
    Choice,
    Flag,
    Number,
    Text,
    Time,
    Ulid,
)
from synapse_nextgen_auth.web.personal_tokens import About

_EXPIRES_IN = Field(
    "expires_in",
    Number(1),
    "For how many seconds it is good. Without it, it has no end where the operator allows that, and else"
    " the longest time that they allow.",
    is_nullable=True,
)
_PARTS = frozenset(rules.PARTS)
_LONGEST_NAME = rules.LONGEST_NAME


def _listed(
    txn: Txn, meant: SessionFilter, window: Window, *, lifetimes: SessionLifetimes, now: int
) -> tuple[list[Session], bool, dict[str, dict[str, Any]]]:
    page = session_lists.page(txn, meant, window, lifetimes=lifetimes, now=now)
    found, more = lists.in_order(window, page)
    return found, more, fields.look(txn, found)


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
        **session_fields.granted(call),
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
    return lists.page(
        call, [fields.told(call, each, known) for each in found], more=more, count=count
    )


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
    known = await call.site.homeserver.run(fields.look, [session])
    told = fields.told(call, session, known, token)
    return one(call, told, status=status, about=f"{told['id']} of {session.user_id}")


async def _get(call: Call) -> Answer:
    return await _answer(call, await _find(call))


def _lifetime(call: Call) -> int | None:
    """Return for how long a token is to be good, as far as the operator allows that."""
    limits, wanted = personal_tokens.limits(call.site, is_admin=True), call.body["expires_in"]
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


async def _insist(call: Call, user_id: str, scope: Scope) -> None:
    """Stop unless a token of this account may have a value that opens this, from whoever asks."""
    site, power = call.site, rules.POWERS & scope.effective
    if site.config.drain:
        raise Refused(403, "The module is being switched off, and makes no personal tokens.")
    if not site.config.personal_tokens.who.may(is_admin=True):
        raise Refused(403, "personal_tokens.who says that nobody makes personal tokens.")
    # It is an administrator who makes it, whoever it speaks for.
    withheld = _PARTS & scope.effective - personal_tokens.limits(site, is_admin=True).parts
    if withheld:
        lacking = " ".join(sorted(withheld))
        raise Refused(
            403, f"personal_tokens.scopes_of_admins has no {lacking}, so nobody makes one with it."
        )
    try:
        account = await site.people.admit(user_id, Intent.KEEP)
    except NotAdmitted:
        raise Refused(410, f"The account {user_id} is closed.") from None
    if power and not account.is_admin:
        raise Refused(
            400, f"{user_id} is no administrator, so a token of it has no power over the server."
        )
    if not power <= call.admin.granted.effective:  # no wider token from a scoped one (C117)
        lacking = " ".join(sorted(power - call.admin.granted.effective))
        raise Refused(403, f"Your own token has no {lacking}, so it makes none that has.")


async def _add(call: Call) -> Answer:
    site, body = call.site, call.body
    user_id = await session_fields.key_of(call, Kind.USER, body["actor_user_id"], "account")
    scope, lifetime = _scope(body["scope"]), _lifetime(call)
    name = in_words(body["human_name"])
    if not name:
        raise Refused(400, "human_name has no letter that anybody sees.")
    await _insist(call, user_id, scope)
    most = site.config.personal_tokens.most_per_account
    order = Ordered(name, scope, call.caller, most)
    # The account reads the event of it: from where somebody else administers is not theirs to know.
    address = call.incoming.address if user_id == call.caller else None
    opening = personal_tokens.opening_of(site, lifetime, address=address)

    async def begin() -> Session | Refusal:
        return await changes.run(call, _made, flows.make_for, user_id, order, opening, now=call.now)

    try:
        made = await personal_tokens.made(
            site, About(user_id, scope.device_id, name), opening, begin
        )
    except NotAdmitted:
        raise Refused(410, f"The account {user_id} is closed.") from None
    if isinstance(made, Refusal):
        raise Refused(400, _WHY_NOT[made])
    return await _answer(call, made.session, status=201, token=made.token)


_WHY_NOT = {
    Refusal.NO_ROOM: "The account has as many devices as sessions.max_devices allows.",
    Refusal.NO_SUCH_DEVICE: "The device is none that one can sign in to.",
    Refusal.TOO_MANY: "The account has as many personal tokens of its own as"
    " personal_tokens.most_per_account allows.",
}


def _made(txn: Txn, made: Session | Refusal) -> str | None:
    """Return what is said of a token that was made."""
    if isinstance(made, Refusal):
        return None
    key = made.session_id
    ulid = ulids.name(txn, Kind.PERSONAL_SESSION, {key: made.created_at * 1000})[key]
    return f"{ulid} of {made.user_id}"


async def _regenerate(call: Call) -> Answer:
    site, session = call.site, await _find(call)
    lifetime, ulid = _lifetime(call), call.path["id"]
    if session.over(call.now, site.lifetimes.sessions) is None:
        await _insist(call, session.user_id, session.granted)
    renewed = await changes.run(
        call,
        lambda _txn, done: None if isinstance(done, NotRenewed) else f"{ulid} of {session.user_id}",
        flows.renew,
        session.session_id,
        by=call.caller,
        expires_at=None if lifetime is None else call.now + lifetime,
        generation=session.generation,
        lifetimes=site.lifetimes.sessions,
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
    over = Refused(409, f"The personal session {call.path['id']} is over already.")
    if session_fields.finished_at(session, site) is not None:
        raise over
    if session.device_id is not None:
        await site.devices.expect_to_remove()
    answer = await _answer(call, attrs.evolve(session, ended_at=call.now))
    is_ended = await changes.run(
        call,
        changes.if_not(False, answer.about),
        administration.end_session_of,
        session.session_id,
        now=call.now,
    )
    if not is_ended:
        raise over
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
        answers={200: Many(fields.PERSONAL_SESSION)},
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
        answers={201: One(fields.PERSONAL_SESSION)},
        body_title="CreatePersonalSessionRequest",
        body=(
            Field("actor_user_id", Ulid(), "The account that it speaks for.", True),
            Field("human_name", Text(_LONGEST_NAME, 1), "What it is called.", True),
            Field("scope", Text(), "What it opens, with spaces between scopes.", True),
            _EXPIRES_IN,
        ),
        refuses={
            400: "The scope or the time cannot be.",
            403: "Nobody may make one that opens this, or the caller has not that power.",
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
        answers={200: One(fields.PERSONAL_SESSION)},
        refuses=_NOT_FOUND,
    ),
    Operation(
        method="POST",
        path="personal-sessions/{id}/revoke",
        name="revokePersonalSession",
        tag=_TAG,
        summary="End one, with its device",
        do=_revoke,
        answers={200: One(fields.PERSONAL_SESSION)},
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
        answers={201: One(fields.PERSONAL_SESSION)},
        body_title="RegeneratePersonalSessionRequest",
        body=(_EXPIRES_IN,),
        is_body_needed=False,
        refuses={
            400: "The time cannot be, or the account has not the power that it opens.",
            403: "It is somebody else's, nobody may make one that opens this, or the caller has not that"
            " power.",
            410: "The account is closed.",
            422: "It is over.",
            **_NOT_FOUND,
        },
    ),
)
