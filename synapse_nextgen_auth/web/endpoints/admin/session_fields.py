"""What the lists of sessions have in common: filters, and what is told of each."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.homeserver.colleagues import Away
from synapse_nextgen_auth.oauth.resources import all_of
from synapse_nextgen_auth.oauth.session_filter import is_scope_token
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.store import ulids
from synapse_nextgen_auth.web.endpoints.admin.calls import Call
from synapse_nextgen_auth.web.endpoints.admin.operations import Field, Refused
from synapse_nextgen_auth.web.endpoints.admin.values import Choice, Text, Time, Ulid, time
from synapse_nextgen_auth.web.site import Site

CREATED_AT = Field("created_at", Time(), "When it began.", True)
FINISHED_AT = Field(
    "finished_at", Time(), "When it ended; `null` while it goes on.", True, is_nullable=True
)
USER_AGENT = Field(
    "user_agent", Text(), "What the application said of itself.", True, is_nullable=True
)
LAST_ACTIVE_AT = Field("last_active_at", Time(), "When it was used last.", True, is_nullable=True)
LAST_ACTIVE_IP = Field(
    "last_active_ip",
    Text(),
    "The last network address that is known.",
    True,
    is_nullable=True,
)
HUMAN_NAME = Field("human_name", Text(), "What its device is called.", True, is_nullable=True)

USER = Field("filter[user]", Ulid(), "Those of this account.")
USER_SESSION = Field("filter[user-session]", Ulid(), "Those that this browser let in.")
STATUS = Field(
    "filter[status]", Choice(("active", "finished")), "Those that go on, or that are over."
)
TIMES = (
    Field("filter[created-before]", Time(), "Those that began before."),
    Field("filter[created-after]", Time(), "Those that began after."),
    Field("filter[last-active-before]", Time(), "Those that were used last before."),
    Field("filter[last-active-after]", Time(), "Those that were used last after."),
)
SCOPE = Field(
    "filter[scope]",
    Text(500),
    "Those that were granted this, and each other scope that is named.",
    repeats=True,
)


def times(call: Call) -> dict[str, Any]:
    """Return the times that a call limits a list by, by the names that filters of ours have."""
    asked = call.filters.get
    return {
        "created_before": asked("filter[created-before]"),
        "created_after": asked("filter[created-after]"),
        "active_before": asked("filter[last-active-before]"),
        "active_after": asked("filter[last-active-after]"),
    }


def is_living(call: Call) -> bool | None:
    """Return whether only those that go on are wanted, or only the others."""
    status = call.filters.get("filter[status]")
    return None if status is None else status == "active"


def granted(call: Call) -> dict[str, Any]:
    """Return the scopes that sessions are to have, of this server and of services of others."""
    asked = tuple(call.filters.get("filter[scope]", ()))
    for token in asked:
        if not is_scope_token(token):
            raise Refused(
                400, f"{SCOPE.name} must be one scope without spaces; repeat it for more."
            )
    sought = call.site.resources.sought(asked)
    return {"scopes": sought.scopes, "kept": sought.kept}


async def key_of(call: Call, kind: Kind, ulid: str, what: str) -> str:
    """Return the key of what is called so; raise where nothing is."""
    key = await call.site.homeserver.read(ulids.find, kind, ulid)
    if key is None:
        raise Refused(404, f"There is no {what} {ulid}.")
    return key


async def user_of(call: Call, name: str = USER.name) -> str | None:
    """Return the Matrix id of the account that a filter names."""
    ulid = call.filters.get(name)
    return None if ulid is None else await key_of(call, Kind.USER, ulid, "account")


async def browser_of(call: Call) -> tuple[str, str] | None:
    """Return whose browser a filter names, and what it is called."""
    ulid = call.filters.get(USER_SESSION.name)
    if ulid is None:
        return None
    return of_browser(await key_of(call, Kind.USER_SESSION, ulid, "user session"))


def browser_key(sign_in: SignIn) -> str:
    """Return what tells a sign-in in a browser from all others; it stays when it is renewed."""
    return f"{sign_in.user_id} {sign_in.name}"


def of_browser(key: str) -> tuple[str, str]:
    """Return whose sign-in this is, and what it is called."""
    user_id, _, name = key.rpartition(" ")
    return user_id, name


def finished_at(session: Session, site: Site) -> int | None:
    """Return when a session ended, also where nobody wrote that down yet."""
    if session.ended_at is not None:
        return session.ended_at
    if session.over(site.now(), site.lifetimes.sessions) is None:
        return None
    return min(session.ends_at(site.lifetimes.sessions) or site.now(), site.now())


def used_at(session: Session) -> int | None:
    """Return when a session was used last, `None` if never."""
    return session.last_active_at if session.confirmed_generation else None


async def remove_device(site: Site, session: Session) -> None:
    """Delete what goes with a session that was ended just now."""
    await site.devices.logged_out(session)
    if session.device_id is not None:
        # What a process that went away meanwhile cannot do goes on by itself.
        with suppress(Away):
            await site.devices.remove(session.user_id, session.device_id, is_over=True)


def told(session: Session, site: Site, names: Mapping[str, str]) -> dict[str, Any]:
    """Return what is told of any session of ours."""
    device = (session.user_id, session.device_id or "")
    return {
        "created_at": time(session.created_at),
        "last_active_at": time(used_at(session)),
        "last_active_ip": session.address,
        "human_name": names.get(" ".join(device)) or None,
        "scope": all_of(session.scope, session.resource_scope),
        "finished_at": time(finished_at(session, site)),
        "user_agent": session.user_agent,
    }
