"""`events`: what happened, across accounts, the newest first."""

from typing import Any

from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import event_windows
from synapse_nextgen_auth.store.event_windows import EventsWanted
from synapse_nextgen_auth.store.windows import Window
from synapse_nextgen_auth.web.endpoints.command import lists
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Command, Refused
from synapse_nextgen_auth.web.site import Site

_KINDS = frozenset(each.value for each in EventKind)


async def _list(site: Site, asked: Asked) -> dict[str, Any]:
    window, now = lists.window(asked), site.now()
    kinds = asked.texts("kinds")
    for kind in kinds:
        if kind not in _KINDS:
            raise Refused(f"There are no events {kind}; there are {', '.join(sorted(_KINDS))}")
    newer, older = asked.number("younger"), asked.number("older")
    wanted = EventsWanted(
        user_id=lists.account(site, asked),
        client_id=asked.text("client"),
        session_id=asked.text("session"),
        kinds=tuple(dict.fromkeys(kinds)),
        after=None if newer is None else now - newer,
        before=None if older is None else now - older,
    )
    # From the end: what a page before said is what this one comes before.
    backwards = Window(window.count, before=window.after, backwards=True)
    found = await site.homeserver.run(event_windows.page, wanted, backwards)
    shown, more = lists.paged(found, window, lambda each: (each.happened_at, each.event_id or ""))
    return {"events": [_said(each) for each in shown], "after": more}


def _said(event: Event) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "kind": event.kind.value,
        "happened_at": event.happened_at,
        "user_id": event.user_id,
        "client_id": event.client_id,
        "session_id": event.session_id,
        "address": event.address,
        "detail": event.detail,
    }


LIST = Command(lists.PAGE | {"user", "client", "session", "kinds", "younger", "older"}, _list)
