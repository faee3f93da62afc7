"""The page on which somebody closes their account for good (C302)."""

from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.flows.as_signed_in import look
from synapse_nextgen_auth.homeserver.alone import UnderWay, alone
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.deactivation import Forbidden
from synapse_nextgen_auth.web.forms import Form, names_another
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.closing.page import DeactivatedPage, DeactivatePage
from synapse_nextgen_auth.web.pages.message.error import PageError, unknown_choice
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Say what it means."""
    return _page(visit, user_id)


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Close the account, and with it everything that is signed in to it."""
    site = visit.site
    if form.get("decision") != "deactivate":
        raise unknown_choice()
    erase = form.get("erase") is not None
    if names_another(form, user_id):
        return _page(visit, user_id, status=409, is_other_account=True)
    if form.get("confirm") is None:
        return _page(visit, user_id, status=400, needs_tick=True, erase=erase)
    try:
        async with alone(site.homeserver, "closing", user_id):
            await site.homeserver.run(visit.as_signed_in(look))
            is_unbound = await site.deactivation.close(user_id, erase=erase)
    except UnderWay:
        raise PageError(
            409,
            Message.UNDER_WAY,
            forward_url=Target(Place.DEACTIVATE).url,
            forward_label=ForwardLabel.TRY_AGAIN,
        ) from None
    except Forbidden:
        return _page(visit, user_id, status=403, is_forbidden=True)
    page = DeactivatedPage(
        server_name=site.server_name,
        user_id=user_id,
        is_erased=erase,
        is_unbound=is_unbound,
    )
    return visit.answer(page)


def _page(visit: Visit, user_id: str, *, status: int = 200, **said: bool) -> Outgoing:
    target = Target(Place.DEACTIVATE)
    page = DeactivatePage(
        **console.asks(visit, user_id, target),
        action=target.url,
        back_url=Place.PROFILE.value,
        **said,  # type: ignore[arg-type]
    )
    return visit.answer(page, status)
