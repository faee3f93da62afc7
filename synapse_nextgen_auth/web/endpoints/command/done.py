"""What a command of the operator's changed, and why, as an event."""

import json

from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import events
from synapse_nextgen_auth.web.endpoints.command.asked import Asked
from synapse_nextgen_auth.web.site import Site


async def note(site: Site, asked: Asked, did: str, to: str) -> None:
    """Write down what was done to what; no account did it."""
    detail = {"did": f"command {did}", "to": to, "why": asked.text("why")}
    said = json.dumps({name: value for name, value in detail.items() if value is not None})
    await site.homeserver.run(
        events.add,
        Event(EventKind.ADMIN_CHANGED, site.now(), None, address=asked.address, detail=said),
    )
