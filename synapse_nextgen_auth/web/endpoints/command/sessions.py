"""`sessions` and `tokens`: those of all accounts, one of them, and ending some."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.flows.end_by_filter import Matching
from synapse_nextgen_auth.oauth.resources import all_of
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import End, Session, SessionLifetimes
from synapse_nextgen_auth.store import personal_tokens, session_lists, sessions
from synapse_nextgen_auth.store.personal_tokens import PersonalToken
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web.endpoints.admin import ending
from synapse_nextgen_auth.web.endpoints.admin.session_fields import used_at
from synapse_nextgen_auth.web.endpoints.command import done, lists, session_filters
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Command, Refused
from synapse_nextgen_auth.web.site import Site

# How many end in one request: each takes a device with it, and whoever asked waits.
BITE = 20


async def _list(site: Site, asked: Asked, *, is_personal: bool | None) -> dict[str, Any]:
    meant = await session_filters.read(site, asked, is_personal=is_personal)
    window = lists.window(asked)
    lifetimes, now = site.lifetimes.sessions, site.now()
    found, names = await site.homeserver.run(_page, meant, window, lifetimes=lifetimes, now=now)
    shown, after = lists.paged(found, window, lambda each: (each.created_at, each.session_id))
    return {"sessions": await _described(site, shown, names), "after": after}


def _page(
    txn: Txn, meant: SessionFilter, window: Window, *, lifetimes: SessionLifetimes, now: int
) -> tuple[list[Session], dict[str, PersonalToken]]:
    found = session_lists.page(txn, meant, window, lifetimes=lifetimes, now=now)
    ids = [each.session_id for each in found if each.is_personal]
    return found, personal_tokens.by_sessions(txn, ids)


async def _described(
    site: Site, found: Sequence[Session], names: dict[str, PersonalToken]
) -> list[dict[str, Any]]:
    of_clients = {each.client_id for each in found if not each.is_personal}
    clients = await site.clients.find_all(of_clients)
    return [
        {
            "session_id": each.session_id,
            "user_id": each.user_id,
            "kind": "personal token" if each.is_personal else "session",
            "client_id": None if each.is_personal else each.client_id,
            "name": _name(each, names)
            or (clients[each.client_id].name_for(()) if each.client_id in clients else None),
            "device_id": each.device_id,
            "scope": all_of(each.scope, each.resource_scope),
            "created_at": each.created_at,
            "last_active_at": used_at(each),
            "address": each.address if used_at(each) is not None else None,
            "user_agent": each.user_agent,
            "expires_at": each.ends_at(site.lifetimes.sessions),
            "ended_at": each.ended_at,
            "end_reason": each.end_reason,
        }
        for each in found
    ]


def _name(session: Session, names: dict[str, PersonalToken]) -> str | None:
    return names[session.session_id].name if session.session_id in names else None


async def _show(site: Site, asked: Asked, *, is_personal: bool | None) -> dict[str, Any]:
    session, names = await site.homeserver.run(_one, asked.needed("session"))
    if session is None or (is_personal and not session.is_personal):
        raise Refused("There is no such session")
    (described,) = await _described(site, [session], names)
    why = session.over(site.now(), site.lifetimes.sessions)
    return {**described, "state": "living" if why is None else "over"}


def _one(txn: Txn, session_id: str) -> tuple[Session | None, dict[str, PersonalToken]]:
    found = sessions.get(txn, session_id)
    return found, personal_tokens.by_sessions(txn, [session_id])


async def _end(site: Site, asked: Asked, *, is_personal: bool | None) -> dict[str, Any]:
    """End one, or at most a bite of a filter's; `dry_run` says how many that would be."""
    if asked.has("session"):
        session_id = asked.needed("session")
        if any(map(asked.has, session_filters.FILTERS)):
            raise Refused("Say which one by its id, or which ones by filters: not both")
        return await _end_one(site, asked, session_id, is_personal=is_personal)
    meant = await session_filters.read(site, asked, is_personal=is_personal)
    is_all_meant = asked.switch("all")
    if asked.switch("dry_run"):
        matching = await ending.look(site, meant, is_all_meant=is_all_meant)
        return {
            "count": matching.count,
            "living": matching.living,
            "needs_all": matching.is_too_much,
        }
    ended = await ending.end_some(site, meant, limit=BITE, is_all_meant=is_all_meant, keep=None)
    if isinstance(ended, Matching):
        raise Refused(f"That would end all there are ({ended.living}): say --all if that is meant")
    if ended.sessions:
        did = f"{'tokens' if is_personal else 'sessions'} end"
        await done.note(site, asked, did, ", ".join(each.session_id for each in ended.sessions))
    return {"ended": len(ended.sessions), "left": ended.left}


async def _end_one(
    site: Site, asked: Asked, session_id: str, *, is_personal: bool | None
) -> dict[str, Any]:
    found = await site.homeserver.read(sessions.get, session_id)
    if found is None or (is_personal and not found.is_personal):
        raise Refused("There is no such session")
    is_over = found.ended_at is not None
    if asked.switch("dry_run"):
        return {"count": 0 if is_over else 1, "living": 1, "needs_all": False}
    if is_over:
        raise Refused("This session is over already")
    await site.devices.expect_to_remove()
    # From where the operator did it is in their own event, and not for the account.
    await site.homeserver.run(end_session.end_by_id, session_id, why=End.REVOKED, now=site.now())
    await site.devices.logged_out(found)
    if found.device_id is not None:
        await site.devices.remove(found.user_id, found.device_id, is_over=True)
    await done.note(site, asked, "sessions end", session_id)
    return {"ended": 1, "left": 0}


def _of(
    do: Callable[..., Awaitable[dict[str, Any]]], *, is_personal: bool | None
) -> Callable[[Site, Asked], Awaitable[dict[str, Any]]]:
    return partial(do, is_personal=is_personal)


_ENDS = session_filters.TAKES | {"session", "dry_run", "all", "why"}
LIST = Command(session_filters.TAKES | lists.PAGE, _of(_list, is_personal=None))
SHOW = Command(frozenset({"session"}), _of(_show, is_personal=None))
END = Command(_ENDS, _of(_end, is_personal=None))
LIST_TOKENS = Command(session_filters.TAKES | lists.PAGE, _of(_list, is_personal=True))
SHOW_TOKEN = Command(frozenset({"session"}), _of(_show, is_personal=True))
END_TOKENS = Command(_ENDS, _of(_end, is_personal=True))
