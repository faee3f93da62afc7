"""The pages on which whoever is signed in changes, sets or removes their password (C233)."""

from synapse_nextgen_auth.accounts import own_ways as rules
from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.flows import own_password as flows
from synapse_nextgen_auth.flows.own_password import Change
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.passwords import TryLater
from synapse_nextgen_auth.secret import Secret
from synapse_nextgen_auth.store import own_ways as rows
from synapse_nextgen_auth.web import answers, own_ways
from synapse_nextgen_auth.web.forms import Form, names_another
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.ways.page import OwnPasswordPage, RemovePasswordPage
from synapse_nextgen_auth.web.pages.message.error import refuse_if_gone, unknown_choice
from synapse_nextgen_auth.web.visits import Visit

_BACK = Place.SIGN_IN.value


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Ask for the new one; whoever it is proved a moment ago that it is their account."""
    return await _page(visit, user_id)


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Change it, and end what the former one let in, but for this browser."""
    site = visit.site
    if form.get("decision") != "set":
        raise unknown_choice()
    if not site.password_changes.are_possible:
        return await _page(visit, user_id, status=403)
    signs_out = form.get("sign_out") is not None
    # The page that was looked at may have named another account of this browser.
    if names_another(form, user_id):
        return await _page(visit, user_id, is_other_account=True, signs_out=signs_out, status=409)
    password = Secret(form.get("password", ""))
    try:
        judgement = await site.new_passwords.judge(password, await _words(visit, user_id))
    except TryLater as later:
        wait = later.retry_after
        return await _page(visit, user_id, signs_out=signs_out, retry_after=wait, status=503)
    if not judgement.is_fine:
        return await _page(visit, user_id, signs_out=signs_out, judgement=judgement, status=400)
    if signs_out:
        await site.devices.expect_to_remove()
    new = Change(
        hash=await site.password_changes.hash(password),
        sign_out=signs_out,
        keep=_kept(visit),
        address=visit.address,
    )
    done = await site.homeserver.run(visit.as_signed_in(flows.change), user_id, new, now=site.now())
    if done is None:
        await refuse_if_gone(site, user_id)
    elif done.sign_out is not None:
        await site.devices.sign_out(done.sign_out, done.entry_id)
    told = Done.PASSWORD_CHANGED_AND_SIGNED_OUT if signs_out else Done.PASSWORD_CHANGED
    return answers.redirect(visit.saying(_BACK, told))


async def ask_to_remove(visit: Visit, user_id: str) -> Outgoing:
    """Ask whether the account is to have none, or say that nothing else lets its person in."""
    had = await visit.site.homeserver.run(rows.list_for, user_id)
    if not had.has_password:
        return answers.redirect(_BACK)
    may_go = rules.may_go(had, had.without_password(), own_ways.lets_in(visit.site))
    return _ask_to_remove(visit, user_id, may_go=may_go)


async def remove(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Leave the account none, if something else lets its person in at this moment."""
    site = visit.site
    if form.get("decision") != "remove":
        raise unknown_choice()
    removed = await site.homeserver.run(
        visit.as_signed_in(flows.remove),
        user_id,
        own_ways.lets_in(site),
        keep=_kept(visit),
        now=site.now(),
        address=visit.address,
    )
    if not removed:
        return _ask_to_remove(visit, user_id, may_go=False)
    return answers.redirect(visit.saying(_BACK, Done.PASSWORD_REMOVED))


def _kept(visit: Visit) -> str:
    """Return the sign-in that stays: this one."""
    return visit.sign_in.digest if visit.sign_in else ""


def _ask_to_remove(visit: Visit, user_id: str, *, may_go: bool) -> Outgoing:
    target = Target(Place.REMOVE_PASSWORD)
    page = RemovePasswordPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        back_url=_BACK,
        may_go=may_go,
    )
    return visit.answer(page, 200 if may_go else 409)


async def _words(visit: Visit, user_id: str) -> tuple[str, ...]:
    """Return the words about the person, which no password of theirs should be made of."""
    name, _ = await visit.site.people.profile(user_id)
    emails = await visit.site.people.emails(user_id)
    return tuple(filter(None, (user_id, name, *emails)))


async def _page(visit: Visit, user_id: str, *, status: int = 200, **said: object) -> Outgoing:
    site, target = visit.site, Target(Place.PASSWORD)
    retry = said.get("retry_after")
    had = await site.homeserver.run(rows.list_for, user_id)
    page = OwnPasswordPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        back_url=_BACK,
        localpart=user_id[1:].partition(":")[0],
        policy=site.new_passwords.policy,
        has_password=had.has_password,
        is_possible=site.password_changes.are_possible,
        **said,  # type: ignore[arg-type]
    )
    headers = (("Retry-After", str(retry)),) if retry else ()
    return visit.answer(page, status, headers=headers)
