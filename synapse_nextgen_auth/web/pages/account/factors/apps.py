"""The pages on which whoever is signed in adds, renames and removes authenticator apps (C286, C294)."""

from synapse_nextgen_auth.accounts import codes
from synapse_nextgen_auth.accounts.factors import apps as rules
from synapse_nextgen_auth.accounts.factors.apps import App
from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.flows import authenticator_apps as flows
from synapse_nextgen_auth.flows import own_factors
from synapse_nextgen_auth.flows.authenticator_apps import Confirmed, Kept, Shown
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.store import factors as rows
from synapse_nextgen_auth.web import answers, factors, new_factors, own_ways
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.new_factors import NewCodes
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.factors.factors import line, refuse_if_off, refuse_new
from synapse_nextgen_auth.web.pages.account.factors.page import AddAppPage, AppPage, RemoveAppPage
from synapse_nextgen_auth.web.pages.factor.page import AppProblem
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit

_BACK = Place.FACTORS.value
_STATUS = {AppProblem.OVER: 410, AppProblem.TOO_MANY: 409}


async def show_new(visit: Visit, user_id: str) -> Outgoing:
    """Ask for a name; once there is a secret, show it."""
    await refuse_new(visit.site, user_id)
    app_id = visit.parameters.get("id")
    if app_id is None:
        return _add_page(visit, user_id, None, name=visit.typed.get("name", ""))
    app = await new_factors.find_unconfirmed(visit, app_id, user_id)
    return _add_page(visit, user_id, app, None if app else AppProblem.OVER)


async def add(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Draw a secret, or look at the code that it made."""
    await refuse_new(visit.site, user_id)
    decision = form.get("decision")
    if decision == "begin":
        return await _begin(visit, user_id, form.get("name", ""))
    if decision != "confirm":
        raise unknown_choice()
    return await _confirm(visit, user_id, form.get("code", ""))


async def _begin(visit: Visit, user_id: str, typed: str) -> Outgoing:
    site, name = visit.site, rules.name_of(typed)
    if name is None:
        return _add_page(visit, user_id, None, AppProblem.NAME, name=typed)
    app = new_factors.new_app(site, user_id, name)
    if await site.homeserver.run(visit.as_signed_in(flows.begin), app, now=site.now()) is not None:
        return _add_page(visit, user_id, None, AppProblem.TOO_MANY)
    return answers.redirect(Target(Place.ADD_FACTOR, app.app_id).url)


async def _confirm(visit: Visit, user_id: str, typed: str) -> Outgoing:
    site, app_id = visit.site, visit.parameters.get("id") or ""
    app = await new_factors.find_unconfirmed(visit, app_id, user_id)
    digits = codes.read(typed)
    if app is not None and digits is None:
        return _add_page(visit, user_id, app, AppProblem.WRONG if typed else AppProblem.MISSING)
    new = NewCodes.draw(site, user_id)
    done = await site.homeserver.run(
        visit.as_signed_in(flows.add),
        visit.sign_in.digest if visit.sign_in else "",
        Shown(app_id, digits or "", new.kept),
        own_ways.owner(visit, user_id),
        keys=site.issuer.keys,
    )
    if isinstance(done, Confirmed) and done.made_codes:
        return visit.answer(new.page(visit, user_id, with_app=True, action=_BACK))
    if isinstance(done, Confirmed):
        return answers.redirect(visit.saying(_BACK, Done.FACTOR_ADDED))
    if done is Kept.DONE:
        return answers.redirect(_BACK)
    if done is Kept.WRONG:
        return _add_page(visit, user_id, app, AppProblem.WRONG)
    problem = AppProblem.TOO_MANY if done is Kept.TOO_MANY else AppProblem.OVER
    return _add_page(visit, user_id, None, problem)


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show one app of this account (C301)."""
    app = await _find(visit, user_id)
    if app is None:
        return answers.redirect(_BACK)
    return _app_page(visit, user_id, app, visit.typed.get("name", app.name))


async def rename(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Call it otherwise."""
    if form.get("decision") != "rename":
        raise unknown_choice()
    app = await _find(visit, user_id)
    if app is None:
        return answers.redirect(_BACK)
    typed = form.get("name", "")
    name = rules.name_of(typed)
    if name is None:
        return _app_page(visit, user_id, app, typed, is_too_long=True)
    owner = own_ways.owner(visit, user_id)
    await visit.site.homeserver.run(visit.as_signed_in(flows.rename), app.app_id, name, owner)
    return answers.redirect(visit.saying(_BACK, Done.FACTOR_RENAMED))


async def ask_to_remove(visit: Visit, user_id: str) -> Outgoing:
    """Say what is lost with it, or that the account must have one."""
    app = await _find(visit, user_id)
    return answers.redirect(_BACK) if app is None else await _remove_page(visit, user_id, app)


async def remove(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Take it from the account, if that may do without at this moment."""
    if form.get("decision") != "remove":
        raise unknown_choice()
    app = await _find(visit, user_id)
    if app is None:
        return answers.redirect(_BACK)
    kept = await visit.site.homeserver.run(
        visit.as_signed_in(flows.remove),
        app.app_id,
        own_ways.owner(visit, user_id),
        await factors.demand_of(visit.site, user_id),
        own_ways.lets_in(visit.site),
    )
    if kept in {Kept.LAST, Kept.MAILBOX}:
        return await _remove_page(visit, user_id, app)
    has_page = await factors.held_by(visit.site, user_id) is not None
    back = Place.FACTORS if has_page else Place.SIGN_IN
    return answers.redirect(visit.saying(back.value, Done.FACTOR_REMOVED))


async def _find(visit: Visit, user_id: str) -> App | None:
    await refuse_if_off(visit.site, user_id)
    app_id = visit.parameters.get("id") or ""
    app = await visit.site.homeserver.read(rows.get_app, app_id, user_id)
    return app if app is not None and app.confirmed_at is not None else None


def _add_page(
    visit: Visit,
    user_id: str,
    app: App | None,
    problem: AppProblem | None = None,
    *,
    name: str = "",
) -> Outgoing:
    target = Target(Place.ADD_FACTOR, None if app is None else app.app_id)
    page = AddAppPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        back_url=_BACK,
        longest=rules.LONGEST_NAME,
        name=name if app is None else app.name,
        secret=None if app is None else new_factors.shown(visit.site, app),
        problem=problem,
    )
    return visit.answer(page, 200 if problem is None else _STATUS.get(problem, 400))


def _app_page(
    visit: Visit, user_id: str, app: App, typed: str, *, is_too_long: bool = False
) -> Outgoing:
    target = Target(Place.FACTOR, app.app_id)
    page = AppPage(
        **console.of(visit, user_id, target),
        app=line(visit.site, app),
        action=target.url,
        longest=rules.LONGEST_NAME,
        typed=typed,
        is_too_long=is_too_long,
    )
    return visit.answer(page, 400 if is_too_long else 200)


async def _remove_page(visit: Visit, user_id: str, app: App) -> Outgoing:
    site, lets_in = visit.site, own_ways.lets_in(visit.site)
    held = await site.homeserver.run(own_factors.useful, user_id, lets_in)
    demand = await factors.demand_of(site, user_id)
    kept = await site.homeserver.run(flows.why_it_stays, user_id, demand, lets_in)
    target = Target(Place.REMOVE_FACTOR, app.app_id)
    page = RemoveAppPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        back_url=_BACK,
        name=app.name,
        may_go=kept is None,
        is_last=held.number == 1,
        leaves_mail=kept is Kept.MAILBOX,
    )
    return visit.answer(page, 200 if kept is None else 409)
