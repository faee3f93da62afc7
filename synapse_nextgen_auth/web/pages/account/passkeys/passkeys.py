"""The pages on which whoever is signed in adds a passkey, names it, and removes it (C286)."""

from synapse_nextgen_auth.accounts.factors.passkeys.ceremonies import Wrong
from synapse_nextgen_auth.accounts.factors.passkeys.passkey import MAX_NAME, Passkey, RelyingParty
from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.flows import passkeys as flows
from synapse_nextgen_auth.flows.passkeys import Kept, New
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import passkeys as rows
from synapse_nextgen_auth.web import answers, factors, own_ways, passkeys
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.new_factors import NewCodes
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.passkeys.page import (
    AddPasskeyPage,
    PasskeyCard,
    PasskeyError,
    PasskeyPage,
    RemovePasskeyPage,
    Stays,
)
from synapse_nextgen_auth.web.pages.message.error import PageError, unknown_choice
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.visits import Visit

_BACK = Place.SIGN_IN.value
_ERRORS = {Kept.TAKEN: PasskeyError.TAKEN, Kept.TOO_MANY: PasskeyError.TOO_MANY}
_STAYS = {
    Kept.LAST_WAY_IN: Stays.LAST_WAY_IN,
    Kept.MAILBOX: Stays.MAILBOX,
    Kept.DEMANDED: Stays.DEMANDED,
}


def name_of(passkey: Passkey) -> str:
    """Return what a link calls a passkey: its own id is long."""
    return digest(passkey.credential_id)[:32]


def card(passkey: Passkey, site_of_keys: RelyingParty | None) -> PasskeyCard:
    """Return a passkey as the pages show it."""
    return PasskeyCard(
        name=passkey.name,
        url=Target(Place.PASSKEY, name_of(passkey)).url,
        made_at=passkey.made_at,
        last_used_at=passkey.last_used_at,
        may_sync=bool(passkey.may_sync),
        is_synced=bool(passkey.is_synced),
        opens=bool(passkey.is_verified),
        is_lost=site_of_keys is None or passkey.rp_id != site_of_keys.rp_id,
    )


async def ask_to_add(visit: Visit, user_id: str) -> Outgoing:
    """Ask the browser to make one."""
    return await _ask_to_add(visit, user_id)


async def add(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Take what it made."""
    site, party = visit.site, await _party(visit, user_id)
    if form.get("decision") != passkeys.DECISION:
        raise unknown_choice()
    name = _name(form) or passkeys.suggested_name(visit)
    if len(name) > MAX_NAME:
        return await _ask_to_add(visit, user_id, error=PasskeyError.TOO_LONG, name=name)
    try:
        made, handle, challenge = await passkeys.made(visit, form, party, user_id)
    except passkeys.Unproven as unproven:
        return await _ask_to_add(visit, user_id, error=_error(unproven), name=name)
    owner = own_ways.owner(visit, user_id)
    passkey = passkeys.row(made, user_id, handle, party, name=name, now=owner.now)
    codes = NewCodes.draw(site, user_id)
    new = New(
        passkey=passkey,
        challenge=challenge,
        codes=codes.kept,
        sign_in=visit.sign_in.digest if visit.sign_in else "",
    )
    done = await site.homeserver.run(visit.as_signed_in(flows.add), new, owner)
    if isinstance(done, Kept):
        error = _ERRORS.get(done, PasskeyError.WRONG)
        return await _ask_to_add(visit, user_id, error=error, name=name)
    if done.made_codes:
        return visit.answer(
            codes.page(visit, user_id, with_factor=True, action=Place.FACTORS.value)
        )
    return answers.redirect(visit.saying(_BACK, Done.PASSKEY_ADDED))


def _error(unproven: passkeys.Unproven) -> PasskeyError:
    if unproven.is_late:
        return PasskeyError.LATE
    return PasskeyError.KEY if unproven.why is Wrong.KEY else PasskeyError.WRONG


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show one."""
    return _page(visit, user_id, await _found(visit, user_id))


async def rename(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Call it something else."""
    if form.get("decision") != "rename":
        raise unknown_choice()
    passkey, name = await _found(visit, user_id), _name(form)
    if not name or len(name) > MAX_NAME:
        return _page(visit, user_id, passkey, typed=name)
    kept = await visit.site.homeserver.run(
        visit.as_signed_in(flows.rename),
        passkey.credential_id,
        name,
        own_ways.owner(visit, user_id),
    )
    if kept is not None:
        raise PageError(404, Message.NOT_FOUND)
    target = Target(Place.PASSKEY, name_of(passkey))
    return answers.redirect(visit.saying(target.url, Done.RENAMED))


async def ask_to_remove(visit: Visit, user_id: str) -> Outgoing:
    """Ask whether it is to go."""
    return _ask_to_remove(visit, user_id, await _found(visit, user_id))


async def remove(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Take it from the account, if its person gets in without."""
    if form.get("decision") != "remove":
        raise unknown_choice()
    passkey = await _found(visit, user_id)
    kept = await visit.site.homeserver.run(
        visit.as_signed_in(flows.remove),
        passkey.credential_id,
        own_ways.owner(visit, user_id),
        own_ways.lets_in(visit.site),
        await factors.demand_of(visit.site, user_id),
    )
    if kept in _STAYS:
        return _ask_to_remove(visit, user_id, passkey, why_not=_STAYS[kept])
    return answers.redirect(visit.saying(_BACK, Done.PASSKEY_REMOVED))


async def _found(visit: Visit, user_id: str) -> Passkey:
    """Return which of the account's own the address names (C301)."""
    asked = visit.parameters.get("id")
    known = await visit.site.homeserver.read(rows.list_for, user_id)
    found = next((each for each in known if name_of(each) == asked), None)
    if found is None:
        raise PageError(404, Message.NOT_FOUND)
    return found


async def _party(visit: Visit, user_id: str) -> RelyingParty:
    party = passkeys.party_of(visit.site)
    if party is None or not (await factors.demand_of(visit.site, user_id)).may_add:
        raise PageError(404, Message.NOT_FOUND)
    return party


def _name(form: Form) -> str:
    """Return the name that was typed, on one line (C287)."""
    typed = "".join(each if each.isprintable() else " " for each in form.get("name", ""))
    return " ".join(typed.split())


async def _ask_to_add(
    visit: Visit, user_id: str, *, error: PasskeyError | None = None, name: str = ""
) -> Outgoing:
    site, party, target = visit.site, await _party(visit, user_id), Target(Place.ADD_PASSKEY)
    has = await site.homeserver.read(rows.list_for, user_id)
    display_name, _ = await site.people.profile(user_id)
    asked = passkeys.to_make(visit, party, user_id, name=display_name or user_id, has=has)
    page = AddPasskeyPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        back_url=_BACK,
        question=asked.question,
        handle=asked.handle,
        name=name[:255],
        longest=MAX_NAME,
        error=error,
    )
    return visit.answer(page, 400 if error else 200)


def _page(visit: Visit, user_id: str, passkey: Passkey, *, typed: str | None = None) -> Outgoing:
    target = Target(Place.PASSKEY, name_of(passkey))
    page = PasskeyPage(
        **console.of(visit, user_id, target),
        action=target.url,
        passkey=card(passkey, passkeys.party_of(visit.site)),
        remove_url=Target(Place.REMOVE_PASSKEY, name_of(passkey)).url,
        back_url=_BACK,
        typed_name=(passkey.name if typed is None else typed)[:255],
        longest=MAX_NAME,
        is_too_long=typed is not None and len(typed) > MAX_NAME,
    )
    return visit.answer(page, 200 if typed is None else 400)


def _ask_to_remove(
    visit: Visit, user_id: str, passkey: Passkey, *, why_not: Stays | None = None
) -> Outgoing:
    target = Target(Place.REMOVE_PASSKEY, name_of(passkey))
    page = RemovePasskeyPage(
        **console.asks(visit, user_id, target),
        action=target.url,
        back_url=_BACK,
        passkey=card(passkey, passkeys.party_of(visit.site)),
        why_not=why_not,
    )
    return visit.answer(page, 409 if why_not else 200)
