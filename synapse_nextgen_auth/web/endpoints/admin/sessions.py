"""`sessions`: every session of ours across accounts, of applications and programs, and ending many."""

from functools import partial
from typing import Any

from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.flows.end_by_filter import Ended, Matching
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.web.endpoints.admin import (
    changes,
    ending,
    session_fields,
    session_pages,
)
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, one, thing
from synapse_nextgen_auth.web.endpoints.admin.oauth2_sessions import (
    CLIENT_KIND,
    CLIENTS,
    Around,
    around,
    client_filter,
)
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    Answer,
    Field,
    Many,
    One,
    Operation,
    Plain,
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

SESSION = Shape(
    "session",
    "Session",
    (
        session_fields.CREATED_AT,
        session_fields.FINISHED_AT,
        Field("end_reason", Text(), "Why it ended.", True, is_nullable=True),
        Field("user_id", Ulid(), "Whose it is.", True, is_nullable=True),
        Field("matrix_id", Text(), "The same, as Matrix calls it.", True),
        Field(
            "kind", Choice(("oauth2", "personal")), "Of an application, or a personal token.", True
        ),
        Field("client_id", Ulid(), "The client that it is of.", True, is_nullable=True),
        Field("device_id", Text(), "Its Matrix device.", True, is_nullable=True),
        Field("scope", Text(), "What was granted.", True),
        Field("owner", Text(), "The administrator who made it.", True, is_nullable=True),
        Field("began_by", Text(), "How it began.", True, is_nullable=True),
        Field(
            "expires_at",
            Time(),
            "An end of its own.",
            True,
            is_nullable=True,
        ),
        session_fields.USER_AGENT,
        session_fields.LAST_ACTIVE_AT,
        session_fields.LAST_ACTIVE_IP,
        session_fields.HUMAN_NAME,
    ),
    "An application or a program that is signed in to an account.",
)
_FILTERS = (
    session_fields.USER,
    CLIENTS,
    CLIENT_KIND,
    session_fields.USER_SESSION,
    session_fields.SCOPE,
    *session_fields.TIMES,
    Field(
        "filter[kind]", Choice(("oauth2", "personal")), "Those of applications, or personal tokens."
    ),
    Field("filter[address]", Text(64, 1), "Those that refreshed last from this network address."),
    Field("filter[has-device]", Flag(), "Those with a Matrix device, or without."),
)


def _told(call: Call, session: Session, known: Around) -> dict[str, Any]:
    return thing(
        SESSION,
        known.own[session.session_id],
        session_fields.told(session, call.site, known.devices)
        | {
            "end_reason": session.end_reason,
            "user_id": known.users.get(session.user_id),
            "matrix_id": session.user_id,
            "kind": "personal" if session.is_personal else "oauth2",
            "client_id": known.clients.get(session.client_id),
            "device_id": session.device_id,
            "owner": session.owner_id,
            "began_by": session.began_by.value if session.began_by else None,
            "expires_at": time(session.expires_at),
        },
    )


async def _meant(call: Call) -> SessionFilter:
    user_id, kind = await session_fields.user_of(call), call.filters.get("filter[kind]")
    meant = SessionFilter(
        user_id=user_id,
        **session_fields.granted(call),
        is_living=session_fields.is_living(call),
        is_personal=None if kind is None else kind == "personal",
        address=call.filters.get("filter[address]"),
        has_device=call.filters.get("filter[has-device]"),
        **await client_filter(call),
        **session_fields.times(call),
    )
    return await session_pages.of_browser(call, meant)


async def _list(call: Call) -> Answer:
    return await session_pages.page(call, await _meant(call), Kind.SESSION, around, _told)


async def _get(call: Call) -> Answer:
    session = await session_pages.find(call, Kind.SESSION)
    known = await call.site.homeserver.run(around, [session], Kind.SESSION)
    return one(call, _told(call, session, known))


async def _end(call: Call) -> Answer:
    meant, body = await _meant(call), call.body
    if body["dry_run"]:
        looked = await ending.look(
            call.site, meant, is_all_meant=body["all"], keep=call.admin.session_id
        )
        if looked.is_too_much:
            raise _too_much(looked)
        return _said(looked.count, ended=0, left=looked.count)
    by = ", ".join(f"{name}={value}" for name, value in call.asked) or "all"
    done = await ending.end_some(
        call.site,
        meant,
        limit=body["limit"],
        is_all_meant=body["all"],
        keep=call.admin.session_id,
        run=partial(changes.run, call, partial(_about, by)),
    )
    if isinstance(done, Matching):
        raise _too_much(done)
    ended = len(done.sessions)
    return _said(ended + done.left, ended=ended, left=done.left)


def _too_much(looked: Matching) -> Refused:
    return Refused(
        400,
        f"These filters mean {looked.count} of the {looked.living} sessions of their kind that go"
        " on, beside yours."
        ' If everything is to end, say "all": true.',
    )


def _about(by: str, _txn: Txn, done: Ended | Matching) -> str | None:
    return f"{len(done.sessions)} sessions: {by}" if isinstance(done, Ended) else None


def _said(matching: int, *, ended: int, left: int) -> Answer:
    about = "nothing, a dry run"
    return Answer(200, {"matching": matching, "ended": ended, "left": left}, about)


_TAG = "session"
OPERATIONS = (
    Operation(
        method="GET",
        path="sessions",
        name="listSessions",
        tag=_TAG,
        summary="List whatever is signed in to accounts by tokens of ours",
        about="In the order in which they began. Not there in matrix-authentication-service.",
        do=_list,
        answers={200: Many(SESSION)},
        takes=(*_FILTERS, session_fields.STATUS),
        refuses={404: "There is no such account, client or browser."},
    ),
    Operation(
        method="GET",
        path="sessions/{id}",
        name="getSession",
        tag=_TAG,
        summary="Get one",
        do=_get,
        answers={200: One(SESSION)},
        refuses={404: "There is no such session."},
    ),
    Operation(
        method="POST",
        path="sessions/end",
        name="endSessions",
        tag=_TAG,
        summary="End all that filters mean, some at a time",
        about="The oldest first, with their devices; ask again while any is left. Your own session"
        " stays. What would end everything is refused, unless `all` says so.",
        do=_end,
        answers={
            200: Plain(
                "EndedSessions",
                (
                    Field("matching", Number(), "How many sessions were meant.", True),
                    Field("ended", Number(), "How many ended now.", True),
                    Field("left", Number(), "How many go on.", True),
                ),
            )
        },
        takes=_FILTERS,
        body_title="EndSessionsRequest",
        body=(
            Field("dry_run", Flag(), "Whether only to say how many would end.", default=False),
            Field("all", Flag(), "Whether it is meant if everything ends.", default=False),
            Field(
                "limit",
                Number(1, ending.MOST),
                "How many end in this request at most.",
                default=ending.SOME,
            ),
        ),
        is_body_needed=False,
        refuses={
            400: "Everything would end, and nobody said that this is meant.",
            404: "There is no such account, client or browser.",
        },
    ),
)
