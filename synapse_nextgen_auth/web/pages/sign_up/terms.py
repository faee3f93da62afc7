"""The page of a sign-up that asks for agreement to the terms of this server."""

from synapse_nextgen_auth.accounts.attempts.sign_ups import TERMS
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web import sign_ups
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.pages.sign_up.page import SignUpTermsPage
from synapse_nextgen_auth.web.sign_up import SignUp
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit) -> Outgoing:
    """Show where the terms are, and ask."""
    sign_up = await sign_ups.find(visit, Stage.TERMS)
    return sign_up if isinstance(sign_up, Outgoing) else _page(visit, sign_up)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Take the agreement to the version that was shown, and go on."""
    sign_up = await sign_ups.find(visit, Stage.TERMS)
    if isinstance(sign_up, Outgoing):
        return sign_up
    decision = form.get("decision")
    if decision == "cancel":
        return await sign_ups.cancel(visit, sign_up.onward, sign_up)
    if decision != "continue":
        raise unknown_choice()
    version = visit.site.providers.new_accounts.terms_version
    # Which ones: those that they were shown may have been replaced since.
    if version is None or form.get("accept_terms") != version:
        return _page(visit, sign_up, is_missing=True)
    await visit.site.sign_ups.sessions.check(sign_up.session, TERMS, {}, address=visit.address)
    return await sign_ups.completed(visit, sign_up, Stage.TERMS, {"version": version})


def _page(visit: Visit, sign_up: SignUp, *, is_missing: bool = False) -> Outgoing:
    terms, onward = visit.site.providers.new_accounts, sign_up.onward
    page = SignUpTermsPage(
        csrf=visit.csrf,
        action=sign_up.url(Stage.TERMS),
        server_name=visit.site.server_name,
        step=sign_up.step(Stage.TERMS),
        terms_url=terms.terms_url or "",
        version=terms.terms_version or "",
        terms_name=terms.terms_name,
        user_id=f"@{sign_up.person.localpart}:{visit.site.server_name}",
        is_missing=is_missing,
        client=sign_ups.client_card(visit, onward),
    )
    return visit.answer(
        page,
        400 if is_missing else 200,
        goes_to=onward.goes_to,
        goes_further=onward.goes_further,
    )
