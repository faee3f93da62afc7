"""`statistics`, and taking second factors away: what the commands do, for programs."""

from typing import Any

from synapse_nextgen_auth.accounts.sign_ins import BrowserLifetimes
from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.flows import reset_factors
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import SessionLifetimes
from synapse_nextgen_auth.store import (
    client_lists,
    event_windows,
    legacy_lists,
    pending_lists,
    session_lists,
    sign_in_lists,
)
from synapse_nextgen_auth.store.client_lists import ClientFilter
from synapse_nextgen_auth.store.legacy_lists import LegacyFilter
from synapse_nextgen_auth.store.sign_in_lists import SignInFilter
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.web.endpoints.admin import changes, session_fields
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, nothing
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    Answer,
    Field,
    Nothing,
    Operation,
    Plain,
    Refused,
)
from synapse_nextgen_auth.web.endpoints.admin.values import Anything, Number

_DAY = 24 * 3600
_FIELDS = (
    Field("oauth2_sessions", Number(), "Living sessions of applications.", True),
    Field("personal_sessions", Number(), "Personal tokens that are good.", True),
    Field("compat_sessions", Number(), "What goes on by Synapse's own tokens.", True),
    Field("user_sessions", Number(), "Browsers in which somebody is signed in.", True),
    Field("active_last_day", Number(), "Living sessions used within a day.", True),
    Field("active_last_week", Number(), "The same within a week.", True),
    Field("active_last_month", Number(), "The same within 30 days.", True),
    Field("static_clients", Number(), "Clients of the configuration.", True),
    Field("dynamic_clients", Number(), "Clients that registered.", True),
    Field("blocked_clients", Number(), "Clients that were shut out.", True),
    Field("pending_grants", Number(), "Grants that wait.", True),
    Field(
        "events_last_day", Anything(), "How many events of each kind there were within a day.", True
    ),
)


def _count(
    txn: Txn, *, sessions: SessionLifetimes, browsers: BrowserLifetimes, now: int
) -> dict[str, Any]:
    def living(**fields: Any) -> int:
        meant = SessionFilter(is_living=True, **fields)
        return session_lists.count(txn, meant, lifetimes=sessions, now=now)

    return {
        "oauth2_sessions": living(is_personal=False),
        "personal_sessions": living(is_personal=True),
        "compat_sessions": legacy_lists.count(txn, LegacyFilter(is_living=True), now=now),
        "user_sessions": sign_in_lists.count(
            txn, SignInFilter(is_living=True), lifetimes=browsers, now=now
        ),
        "active_last_day": living(active_after=now - _DAY),
        "active_last_week": living(active_after=now - 7 * _DAY),
        "active_last_month": living(active_after=now - 30 * _DAY),
        "dynamic_clients": client_lists.count(txn, ClientFilter()),
        "blocked_clients": len(client_lists.blocks(txn)),
        "pending_grants": pending_lists.count(txn, user_id=None, client_id=None, now=now),
        "events_last_day": event_windows.kinds_since(txn, now - _DAY),
    }


async def _statistics(call: Call) -> Answer:
    site = call.site
    counted = await site.homeserver.run(
        _count,
        sessions=site.lifetimes.sessions,
        browsers=site.lifetimes.browsers,
        now=call.now,
    )
    return Answer(200, {**counted, "static_clients": len(site.clients.configured)})


async def _reset_factors(call: Call) -> Answer:
    user_id = await session_fields.key_of(call, Kind.USER, call.path["id"], "account")
    by = f"{call.caller}: {call.reason}" if call.reason else call.caller
    about = changes.if_not(None, f"{call.path['id']}, {user_id}")
    done = await changes.run(call, about, reset_factors.reset, user_id, by=by, now=call.now)
    if done is None:
        raise Refused(409, f"{user_id} has no second factor.")
    return nothing(about=f"{call.path['id']}, {user_id}")


OPERATIONS = (
    Operation(
        method="GET",
        path="statistics",
        name="getStatistics",
        tag="server",
        summary="Count what there is",
        about="On a large server this takes a second or two.",
        do=_statistics,
        answers={200: Plain("Statistics", _FIELDS)},
    ),
    Operation(
        method="POST",
        path="users/{id}/reset-factors",
        name="resetUserFactors",
        tag="user",
        summary="Take the second factors of an account away",
        about="For somebody who lost them: a password or a provider is enough then, and they are told.",
        do=_reset_factors,
        answers={204: Nothing()},
        refuses={404: "There is no such account.", 409: "It has no second factor."},
    ),
)
