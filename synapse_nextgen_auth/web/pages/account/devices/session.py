"""A session of an account that has no device, and ending it."""

from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.devices import devices, seen
from synapse_nextgen_auth.web.pages.account.devices.page import EndSessionPage
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit


async def ask_to_end(visit: Visit, user_id: str) -> Outgoing:
    """Show the session, and ask whether to end it."""
    site, target = visit.site, Target.read(Place.END_SESSION.value, visit.parameters.get("id"))
    session = await seen.session(site, user_id, target.id, visit.languages)
    if session is None:
        found = await seen.look(site, user_id, visit.languages)
        return devices.missing(visit, user_id, found, target)
    page = EndSessionPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        session=session,
        devices_url=Place.DEVICES.value,
    )
    return visit.answer(page)


async def end(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """End it, if it is one of this account (C301)."""
    site, name = visit.site, visit.parameters.get("id")
    if form.get("decision") != "end" or name is None:
        raise unknown_choice()
    session = await seen.named(site, user_id, name)
    if session is not None:
        ended = await site.homeserver.run(
            end_session.end_own,
            session.session_id,
            user_id=user_id,
            now=site.now(),
            address=visit.address,
        )
        if ended is not None:
            await site.devices.logged_out(ended)
    return answers.redirect(visit.saying(Place.DEVICES.value, Done.SIGNED_OUT))
