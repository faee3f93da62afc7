"""What is kept about an account, to look at and to take away."""

import json
from datetime import datetime, timezone

from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import download as rows
from synapse_nextgen_auth.store import events
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.data.page import DataPage
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Offer it."""
    target = Target(Place.DATA)
    page = DataPage(
        **console.of(visit, user_id, target),
        action=target.url,
        deactivate_url=Place.DEACTIVATE.value,
    )
    return visit.answer(page)


async def download(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Answer with all of it as JSON; a table at a time, each with an end."""
    if form.get("decision") != "download":
        raise unknown_choice()
    homeserver, now = visit.site.homeserver, visit.site.now()
    found = {name: await homeserver.read(rows.part, user_id, name) for name in rows.PARTS}
    event = Event(EventKind.DATA_DOWNLOADED, now, user_id, address=visit.address)
    await homeserver.run(visit.as_signed_in(events.add), event)
    document = {
        "account": user_id,
        "server": visit.site.server_name,
        "made_at": datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "times": "seconds since 1970-01-01T00:00:00Z",
        "at_most": rows.MOST,
        **found,
    }
    written = json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8", "replace")
    return answers.attachment(written, "account.json", "application/json")
