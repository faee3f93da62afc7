"""Pages of sessions, and finding one: the same for every list of them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import attrs

from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import Session, SessionLifetimes
from synapse_nextgen_auth.store import session_lists, sessions
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web.endpoints.admin import lists, session_fields
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, Count
from synapse_nextgen_auth.web.endpoints.admin.counts import COUNTS
from synapse_nextgen_auth.web.endpoints.admin.operations import Answer, Refused

A = TypeVar("A")  # what is known around the sessions of a page
Around = Callable[[Txn, Sequence[Session], Kind], A]
Tell = Callable[[Call, Session, A], dict[str, Any]]


async def of_browser(call: Call, meant: SessionFilter) -> SessionFilter:
    """Return the filter with the browser that is asked for, where one is; it is of one account."""
    browser = await session_fields.browser_of(call)
    if browser is None:
        return meant
    owner, name = browser
    if meant.user_id not in {None, owner}:
        return attrs.evolve(meant, clients=())
    return attrs.evolve(meant, user_id=owner, sign_in_id=name)


async def page(
    call: Call, meant: SessionFilter, kind: Kind, around: Around[A], tell: Tell[A]
) -> Answer:
    """Answer with a page of those that are meant."""
    homeserver = call.site.homeserver
    limits: dict[str, Any] = {"lifetimes": call.site.lifetimes.sessions, "now": call.now}
    count = await COUNTS.of(
        call, meant, lambda: homeserver.run(session_lists.count, meant, **limits)
    )
    if call.page.count is Count.ONLY:
        return lists.count_only(call, count or 0)
    window = await lists.window(call, kind, partial(place, call), is_by_time=True)

    def listed(
        txn: Txn, meant: SessionFilter, window: Window, *, lifetimes: SessionLifetimes, now: int
    ) -> tuple[list[Session], bool, A]:
        rows = session_lists.page(txn, meant, window, lifetimes=lifetimes, now=now)
        found, more = lists.in_order(window, rows)
        return found, more, around(txn, found, kind)

    found, more, known = await homeserver.run(listed, meant, window, **limits)
    return lists.page(call, [tell(call, each, known) for each in found], more=more, count=count)


async def place(call: Call, key: str, _ulid: str) -> tuple[int, str] | None:
    """Return where a session stands in lists."""
    session = await call.site.homeserver.read(sessions.get, key)
    return None if session is None else (session.created_at, session.session_id)


async def find(call: Call, kind: Kind) -> Session:
    """Return the session that the path names."""
    ulid = call.path["id"]
    key = await session_fields.key_of(call, kind, ulid, "session")
    session = await call.site.homeserver.read(sessions.get, key)
    if session is None:
        raise Refused(404, f"There is no session {ulid} any more.")
    return session
