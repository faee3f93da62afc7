"""`users`: the accounts of this server, and one of them with what it has here."""

from collections.abc import Mapping
from typing import Any

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import SessionLifetimes
from synapse_nextgen_auth.store import factors, legacy_lists, session_lists, user_lists
from synapse_nextgen_auth.store.legacy_lists import LegacyFilter
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.user_lists import User, Wanted
from synapse_nextgen_auth.web.endpoints.command import lists
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Command, Refused
from synapse_nextgen_auth.web.site import Site

_STATES = frozenset({"active", "locked", "deactivated", "all"})


async def _list(site: Site, asked: Asked) -> dict[str, Any]:
    state = asked.text("state") or "active"
    if state not in _STATES:
        raise Refused("--state must be active, locked, deactivated or all")
    window = lists.window(asked, by_time=False)
    wanted = Wanted(
        site.server_name,
        admin=True if asked.switch("admin") else None,
        guest=False,
        status=None if state == "all" else state,
        search=asked.text("search"),
    )
    found = await site.homeserver.run(user_lists.list_users, wanted, window, now=site.now())
    shown, after = lists.paged(found, window, lambda each: (each.user_id,))
    return {"users": [_said(each) for each in shown], "after": after}


def _said(user: User) -> dict[str, Any]:
    return {
        "user_id": user.user_id,
        "created_at": user.created_at,
        "admin": user.is_admin,
        "state": _state(user),
    }


def _state(user: User) -> str:
    if user.closed_at is not None:
        return "deactivated"
    return "active" if user.locked_at is None else "locked"


async def _show(site: Site, asked: Asked) -> dict[str, Any]:
    meant = lists.account(site, asked)
    if meant is None:
        raise Refused("USER is missing")
    user_id = await site.people.passwords.spelled(meant)
    if user_id is None:
        raise Refused(f"There is no account {meant}")
    user = await site.homeserver.run(user_lists.get, user_id, now=site.now())
    if user is None:
        raise Refused(f"There is no account {meant}")
    name, _ = await site.people.profile(user_id)
    counted = await site.homeserver.run(
        _counts, user_id, lifetimes=site.lifetimes.sessions, now=site.now()
    )
    return {
        **_said(user),
        "display_name": name,
        "emails": list(await site.people.emails(user_id)),
        "sign_in": await _may_sign_in(site, user_id),
        **counted,
    }


async def _may_sign_in(site: Site, user_id: str) -> str:
    """Say whether its owner may sign in on our pages, in the words of what stops them."""
    try:
        await site.people.admit(user_id, Intent.SIGN_IN)
    except NotAdmitted as refused:
        return str(refused.why.value)
    return "ok"


def _counts(txn: Txn, user_id: str, *, lifetimes: SessionLifetimes, now: int) -> Mapping[str, Any]:
    """Count what an account has that lives."""
    sessions, tokens = (
        session_lists.count(
            txn,
            SessionFilter(user_id=user_id, is_living=True, is_personal=is_personal),
            lifetimes=lifetimes,
            now=now,
        )
        for is_personal in (False, True)
    )
    legacy = legacy_lists.count(txn, LegacyFilter(user_id=user_id, is_living=True), now=now)
    held = factors.held(txn, user_id)
    return {
        "sessions": sessions,
        "personal_tokens": tokens,
        "legacy_sessions": legacy,
        "apps": held.apps,
        "passkeys": held.passkeys,
        "mail": held.mail,
        "recovery_codes": held.codes,
    }


LIST = Command(lists.PAGE | {"state", "admin", "search"}, _list)
SHOW = Command(frozenset({"user"}), _show)
