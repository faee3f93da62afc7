"""The page on which a person chooses which of their accounts goes on (`prompt=select_account`)."""

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.people import meant, meant_elsewhere
from synapse_nextgen_auth.accounts.sign_ins import SignIn, of_account
from synapse_nextgen_auth.flows import sign_in as flows
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.web import answers, device_grants, grants
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.accounts.page import AccountLine, AccountsPage
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit) -> Outgoing:
    """List the accounts of this browser, and whom the application asks for."""
    onward = await grants.onward(visit, Onward.of(visit.parameters))
    if not visit.sign_ins:
        return answers.redirect(onward.other_account_url)
    asked_for = await _asked_for(visit, onward)
    is_only = onward.asked_for is not None
    lines = [
        await _line(visit, each, asked_for)
        for each in visit.sign_ins
        if not is_only or each.user_id == asked_for
    ]
    present = visit.user_id if visit.user_id != asked_for else None
    grant, client = onward.grant, onward.client
    page = AccountsPage(
        csrf=visit.csrf,
        action=onward.accounts_url,
        server_name=visit.site.server_name,
        accounts=tuple(lines),
        client=ClientCard.of(
            client, visit.languages, redirect_uri=grant.redirect_uri if grant else None
        )
        if client
        else None,
        present=present if asked_for else None,
        asked_for=asked_for,
        is_only=is_only,
        can_cancel=onward.can_be_declined,
    )
    return visit.answer(
        page,
        goes_to=onward.goes_to,
        goes_further=onward.goes_further,
    )


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Go on as the account that was chosen, or to sign in as another one.

    Only who is signed in here can be chosen; whatever else a form says is no choice.
    """
    onward = await grants.onward(visit, Onward.of(visit.parameters))
    decision = form.get("decision", "")
    if decision == "cancel" and onward.grant and onward.client:
        return await grants.refuse(visit, onward.grant, onward.client, grants.declined(onward))
    if decision == "cancel" and onward.device_grant_id:
        return await device_grants.decline(visit, onward.device_grant_id)
    if decision == "another":
        return answers.redirect(onward.other_account_url)
    if not decision.startswith("@"):
        raise unknown_choice()
    chosen = of_account(visit.sign_ins, decision)
    if chosen is None:
        return answers.redirect(onward.other_account_url)
    return await _go_on_as(visit, onward, chosen)


async def _go_on_as(visit: Visit, onward: Onward, chosen: SignIn) -> Outgoing:
    site = visit.site
    await site.homeserver.run(
        flows.choose,
        chosen,
        flows.Place(
            binding=visit.visitor.digest,
            grant_id=onward.grant_id,
            device_grant_id=onward.device_grant_id,
        ),
        now=site.now(),
    )
    cookie = site.cookies.write(
        visit.visitor.with_first(chosen), max_age=site.lifetimes.browsers.absolute
    )
    return answers.redirect(onward.chosen().next_url, cookie)


async def _asked_for(visit: Visit, onward: Onward) -> str | None:
    """Return whom the application asks for: a Matrix ID, or an address of nobody who is here."""
    if onward.asked_for is not None:
        return onward.asked_for
    named = meant(onward.login_hint, server_name=visit.site.server_name)
    if named is None:
        return _elsewhere(visit, onward)
    here = await grants.named_here(visit, named)
    return here.user_id if here else named.user_id or named.email


def _elsewhere(visit: Visit, onward: Onward) -> str | None:
    """Return the account of another server that a link to the account pages means."""
    if onward.hint is None:
        return None
    return meant_elsewhere(onward.hint, server_name=visit.site.server_name)


async def _line(visit: Visit, sign_in: SignIn, asked_for: str | None) -> AccountLine:
    people, user_id = visit.site.people, sign_in.user_id
    try:
        await people.admit(user_id, Intent.SIGN_IN)
        is_barred = False
    except NotAdmitted:
        is_barred = True
    display_name, _picture = await people.profile(user_id)
    return AccountLine(
        user_id=user_id,
        display_name=display_name,
        is_present=user_id == visit.user_id,
        is_asked_for=user_id == asked_for,
        is_barred=is_barred,
    )
