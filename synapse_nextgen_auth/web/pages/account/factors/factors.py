"""The second factors of whoever is signed in, in a list."""

from synapse_nextgen_auth.accounts.attempts.attempt import ProofKind
from synapse_nextgen_auth.accounts.factors import apps, recovery_codes
from synapse_nextgen_auth.accounts.factors.apps import App
from synapse_nextgen_auth.accounts.factors.demands import Rule
from synapse_nextgen_auth.accounts.factors.mail import FactorMail
from synapse_nextgen_auth.accounts.factors.policy import LegacyLogins
from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.accounts.user_agents import describe
from synapse_nextgen_auth.flows import own_factors as flows
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.store import factor_mail, remembered
from synapse_nextgen_auth.web import answers, factors, passkeys
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.factors.page import (
    AppLine,
    BrowserLine,
    FactorsPage,
    MailLine,
)
from synapse_nextgen_auth.web.pages.message.error import PageError, unknown_choice
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show all of them, and what may be done."""
    await refuse_if_off(visit.site, user_id)
    had = await visit.site.homeserver.run(flows.look, user_id)
    demand = await factors.demand_of(visit.site, user_id)
    is_full = len(had.apps) >= apps.MOST
    mail = await visit.site.homeserver.read(factor_mail.get, user_id)
    may_mail = demand.may_add and ProofKind.FACTOR_MAIL in factors.kinds(visit.site)
    page = FactorsPage(
        **console.of(visit, user_id, Target(Place.FACTORS)),
        apps=tuple(line(visit.site, app) for app in had.apps),
        has_any=had.held.is_any,
        has_passkeys=had.held.passkeys > 0
        or (demand.may_add and passkeys.party_of(visit.site) is not None),
        codes=had.held.codes,
        of_codes=had.codes,
        few=recovery_codes.FEW,
        closes_old=not had.held.is_any and _refuses_old(visit.site),
        is_demanded=demand.rule is Rule.REQUIRED,
        may_add=demand.may_add,
        browsers=await _browsers(visit, user_id),
        mail=None if mail is None else _mail_line(mail),
        mail_url=Place.FACTOR_MAIL.value if mail or may_mail else None,
        add_url=Place.ADD_FACTOR.value if demand.may_add and not is_full else None,
        codes_url=Place.RECOVERY_CODES.value,
        back_url=Place.SIGN_IN.value,
    )
    return visit.answer(page)


def _refuses_old(site: Site) -> bool:
    said = site.config.factors.legacy_logins
    return (said.while_draining() if site.config.drain else said) is LegacyLogins.REFUSE


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Ask a browser again, or go back to the list from the page that showed recovery codes."""
    await refuse_if_off(visit.site, user_id)
    decision = form.get("decision")
    if decision == "kept":
        return answers.redirect(Place.FACTORS.value)
    if decision != "forget":
        raise unknown_choice()
    # Of this account alone (C301); one that is not there is forgotten already.
    await visit.site.homeserver.run(
        visit.as_signed_in(remembered.forget), user_id, form.get("browser", "")
    )
    return answers.redirect(visit.saying(Place.FACTORS.value, Done.BROWSER_FORGOTTEN))


async def _browsers(visit: Visit, user_id: str) -> tuple[BrowserLine, ...]:
    site = visit.site
    found = await site.homeserver.read(remembered.list_for, user_id, now=site.now())
    return tuple(
        BrowserLine(
            id=each.remembered_id,
            made_at=each.made_at,
            expires_at=each.expires_at,
            agent=describe(each.user_agent),
        )
        for each in found
    )


def _mail_line(mail: FactorMail) -> MailLine:
    return MailLine(address=mail.address, made_at=mail.made_at, used_at=mail.last_used_at)


def line(site: Site, app: App) -> AppLine:
    """Return an app as the pages show it."""
    return AppLine(
        name=app.name,
        made_at=app.made_at,
        used_at=app.last_used_at,
        is_readable=app.opened(site.issuer.keys) is not None,
        url=Target(Place.FACTOR, app.app_id).url,
        remove_url=Target(Place.REMOVE_FACTOR, app.app_id).url,
    )


async def refuse_if_off(site: Site, user_id: str) -> None:
    """Stop where an account has no second factor and may have none."""
    if await factors.held_by(site, user_id) is None:
        raise PageError(404, Message.NOT_FOUND)


async def refuse_new(site: Site, user_id: str) -> None:
    """Stop where an account may not set one up."""
    if not factors.are_on(site) or not (await factors.demand_of(site, user_id)).may_add:
        raise PageError(404, Message.NOT_FOUND)
