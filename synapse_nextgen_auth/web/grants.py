"""A grant on its way through the browser: what comes next, and the answer at its end.

Every page that has something to do with a grant comes back to `go_on`.
"""

import logging
from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.factors.levels import Verdict
from synapse_nextgen_auth.accounts.people import Identifier, meant
from synapse_nextgen_auth.accounts.sign_ins import SignIn, of_account
from synapse_nextgen_auth.flows import authorize
from synapse_nextgen_auth.flows.as_signed_in import SignedOut, as_signed_in
from synapse_nextgen_auth.flows.authorize import Known, Refused, Step, Wanted
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.accounts import Newcomer, NotAdmitted
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.authorization import Grant, ResponseMode
from synapse_nextgen_auth.oauth.grants.authorization_answer import Target, failure, success
from synapse_nextgen_auth.oauth.grants.authorization_request import UNMET
from synapse_nextgen_auth.oauth.grants.device_grants import DeviceGrant
from synapse_nextgen_auth.oauth.legacy_sign_ins import LegacySignIn
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.secret import digest, random_token
from synapse_nextgen_auth.store import grants
from synapse_nextgen_auth.web import added, answers, factors
from synapse_nextgen_auth.web.admission import admit_application
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.message.error import OF_REFUSED, PageError, refuse_if_gone
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows import device, legacy_login
    from synapse_nextgen_auth.web.pages.way_back import way_back
else:
    device, legacy_login, way_back = late.files(
        "flows.device", "flows.legacy_login", "web.pages.way_back.way_back"
    )

logger = logging.getLogger(__name__)

_OF_VERDICT = {
    Verdict.MET: Step.CONSENT,
    Verdict.PROVE: Step.SIGN_IN,
    Verdict.UNMET: Step.REFUSE,
}


async def find(visit: Visit, grant_id: str | None) -> tuple[Grant, Client]:
    """Return the open grant that this browser began, and its client; stop otherwise."""
    site = visit.site
    browser = None if visit.visitor.is_new else visit.visitor.digest
    grant = await site.homeserver.read(
        authorize.find, grant_id or "", browser=browser, now=site.now()
    )
    if grant is Refused.EXPIRED:
        raise await _too_late(visit, grant_id or "")
    if isinstance(grant, Refused):
        status, message = OF_REFUSED[grant]
        raise PageError(status, message)
    client = await site.clients.find(grant.client_id)
    if client is None:
        raise await stranger(site, grant.client_id)
    visit.reader.asked_in(grant.ui_locales, at=grant.created_at)
    visit.reader.ends(grant.expires_at)
    return grant, client


async def _too_late(visit: Visit, grant_id: str) -> PageError:
    """Say that a grant of this browser is over, with a way back to its client as long as it is known.

    It waits for a click: nobody is led on who did nothing (RFC 9700 section 4.11.2).
    """
    status, message = OF_REFUSED[Refused.EXPIRED]
    grant = await visit.site.homeserver.read(grants.get, grant_id)
    client = None if grant is None else await visit.site.clients.find(grant.client_id)
    if grant is None or client is None or not client.comes_back_to(grant.redirect_uri):
        return PageError(status, message)
    if grant.response_mode is ResponseMode.FORM_POST:
        return PageError(status, message)
    visit.reader.asked_in(grant.ui_locales, at=grant.created_at)
    error = OAuthError("access_denied", "The person came too late")
    return PageError(
        status,
        message,
        forward_url=failure(target(grant), error, issuer=visit.site.issuer.identifier).location,
        forward_label=ForwardLabel.APPLICATION,
        client=ClientCard.of(client, visit.languages, redirect_uri=grant.redirect_uri),
    )


async def stranger(site: Site, client_id: str) -> PageError:
    """Return what is said of a client that is not there (any more), or was shut out."""
    is_blocked = await site.clients.is_blocked(client_id)
    return PageError(400, Message.BLOCKED_CLIENT if is_blocked else Message.UNKNOWN_CLIENT)


async def about(visit: Visit, grant: Grant) -> tuple[Visit, Step]:
    """Return the visit as one of the sign-in that the grant is for, and what its person does next."""
    found = await who(visit, authorize.wanted_by(grant), login_hint=grant.login_hint)
    sign_in = found if isinstance(found, SignIn) else None
    return visit.about(sign_in), authorize.next_step(grant, found)


async def on_its_way(visit: Visit, grant: Grant) -> tuple[Visit, Step]:
    """Return the same before an application is let in, which another module may have a say in."""
    visit, step = await about(visit, grant)
    if step is Step.CONSENT and await added.is_missing(visit):
        return visit, Step.SIGN_IN
    if step is Step.CONSENT:
        return visit, _OF_VERDICT[await factors.judge(visit, grant)]
    return visit, step


async def device_on_its_way(visit: Visit, grant: DeviceGrant) -> tuple[Visit, Step]:
    """Return the same of a device."""
    visit, step = await about_device(visit, grant)
    if step is Step.CONSENT and await added.is_missing(visit):
        return visit.about(None), Step.SIGN_IN
    if step is Step.CONSENT:
        step = _OF_VERDICT[await factors.judge(visit, grant)]
    return (visit.about(None) if step is Step.SIGN_IN else visit), step


async def about_device(visit: Visit, grant: DeviceGrant) -> tuple[Visit, Step]:
    """Return the visit as one of the sign-in that a device is for, and what its person does next."""
    wanted = Wanted(chosen=grant.sign_in_id, only=grant.asked_for)
    found = await who(visit, wanted, login_hint=grant.login_hint)
    if isinstance(found, Step):
        return visit.about(None), found
    return visit.about(found), Step.CONSENT


async def who(visit: Visit, wanted: Wanted, *, login_hint: str | None) -> SignIn | Step:
    """Return the sign-in of this browser that goes on, or what its person does before there is one."""
    known = Known(visit.sign_ins, visit.sign_in)
    if wanted.chosen is None and wanted.only is None and visit.sign_ins:
        known = await _hinted(visit, known, login_hint)
    return authorize.find_sign_in(wanted, known)


async def _hinted(visit: Visit, known: Known, login_hint: str | None) -> Known:
    """Look whom the client named; of an address, only whether it is that of somebody who is here."""
    named = meant(login_hint, server_name=visit.site.server_name)
    if named is None:
        return known
    hinted = await named_here(visit, named)
    return attrs.evolve(known, hinted=hinted, names_another=hinted is None)


async def named_here(visit: Visit, named: Identifier) -> SignIn | None:
    """Return the sign-in of this browser that a hint names, in any case, as Synapse finds people."""
    people = visit.site.people
    if named.email is not None:
        for each in visit.sign_ins:
            if await people.has_email(each.user_id, named.email):
                return each
    if named.user_id is None or named.user_id in {each.user_id for each in visit.sign_ins}:
        return of_account(visit.sign_ins, named.user_id or "")
    if all(each.user_id.lower() != named.user_id.lower() for each in visit.sign_ins):
        return None
    return of_account(visit.sign_ins, await people.passwords.spelled(named.user_id) or "")


def url_of(grant: Grant, step: Step) -> str:
    """Return the page of a step."""
    onward = Onward.to(Kind.GRANT, grant.grant_id)
    pages = {Step.SIGN_IN: onward.sign_in_url, Step.CHOOSE: onward.accounts_url}
    return pages.get(step, onward.next_url)


async def onward(visit: Visit, found: Onward) -> Onward:
    """Return where the person goes after signing in; stop when the grant cannot go on there."""
    visit.reader.goes_on(found.goes_on)
    if (device_grant_id := found.device_grant_id) is not None:
        waiting = await find_device(visit, device_grant_id)
        return attrs.evolve(found, device=waiting if isinstance(waiting, DeviceGrant) else None)
    if found.goes_on.kind is Kind.LEGACY:
        login = await find_legacy(visit, found.goes_on.id or "")
        url = login.redirect_url if isinstance(login, LegacySignIn) else None
        is_trusted = url is not None and visit.site.login_tokens.is_trusted(url)
        return attrs.evolve(found, trusted_url=url if is_trusted else None)
    if found.grant_id is None:
        return found
    grant, client = await find(visit, found.grant_id)
    return attrs.evolve(found, grant=grant, client=client)


async def find_legacy(visit: Visit, login_id: str) -> LegacySignIn | Refused:
    """Return the open sign-in that a client of the old kind began in this browser, or why not."""
    browser = None if visit.visitor.is_new else visit.visitor.digest
    found = await visit.site.homeserver.read(
        legacy_login.find, login_id, browser=browser, now=visit.site.now()
    )
    if isinstance(found, LegacySignIn):
        visit.reader.ends(found.expires_at)
    return found


async def find_device(visit: Visit, grant_id: str) -> "DeviceGrant | device.Refused":
    """Return the open device grant whose code was entered in this browser, or why there is none."""
    browser = None if visit.visitor.is_new else visit.visitor.digest
    found = await visit.site.homeserver.read(
        device.find, grant_id, browser=browser, now=visit.site.now()
    )
    if isinstance(found, DeviceGrant):
        visit.reader.ends(found.expires_at)
    return found


async def go_on(visit: Visit, grant: Grant, client: Client) -> Outgoing:
    """Send the browser to what is missing; give out the code when nothing is."""
    visit, step = await on_its_way(visit, grant)
    if step is Step.REFUSE and await is_agreed(visit, grant, client):
        return await refuse(visit, grant, client, unmet())
    if step is Step.CONSENT and await is_agreed(visit, grant, client):
        return await approve(visit, grant, client)
    return answers.redirect(url_of(grant, step))


async def is_agreed(visit: Visit, grant: Grant, client: Client) -> bool:
    """Say whether the consent page may be left out.

    A public client proves nothing about itself, so its person is asked every time (C175).
    """
    site = visit.site
    remember_for = site.config.consent.remember_for
    if client.is_public or grant.asks_consent or not remember_for or visit.user_id is None:
        return False
    if grammar.of_row(grant.scope).admin:
        return False
    try:
        await site.people.admit(visit.user_id, Intent.SIGN_IN)
    except NotAdmitted:
        return False
    now = site.now()
    return await site.homeserver.run(
        authorize.is_remembered,
        user_id=visit.user_id,
        client_id=grant.client_id,
        scope=grant.scope,
        words=grant.resource_scope,
        agreed_since=now - remember_for,
        now=now,
    )


async def check_account(
    site: Site, user_id: str, grant: Grant, *, newcomer: Newcomer | None = None
) -> None:
    """Stop when this account may not let the client in, or not to what is asked for."""
    await admit_application(
        site,
        user_id,
        grammar.of_row(grant.scope),
        other_account_url=url_of(grant, Step.CHOOSE),
        newcomer=newcomer,
    )


async def approve(
    visit: Visit, grant: Grant, client: Client, *, answered: bool = False
) -> Outgoing:
    """Give out the code; a second click gets a message, never a second code (C037).

    `answered` says that the person agreed on our page just now.

    Stops when a spam checker objects, also where the consent page was left out (C325).
    """
    by = visit.sign_in
    assert by is not None, "only somebody signed in agrees"  # noqa: S101
    site = visit.site
    newcomer = Newcomer(
        device_id=grammar.of_row(grant.scope).device_id,
        device_name=client.name_for(()),
        user_agent=visit.user_agent,
        address=visit.address,
    )
    await check_account(site, by.user_id, grant, newcomer=newcomer)
    code, now = random_token(), site.now()
    decision = authorize.Decision(
        by=by,
        code_digest=digest(code.reveal()),
        code_expires_at=now + site.config.tokens.code_lifetime,
        address=visit.address,
        answered=answered,
    )
    try:
        is_first = await site.homeserver.run(
            as_signed_in(by, authorize.approve), grant, decision, now=now
        )
    except SignedOut:
        await refuse_if_gone(site, by.user_id)
        return answers.redirect(url_of(grant, Step.SIGN_IN))
    if not is_first:
        raise PageError(409, Message.ALREADY_DONE)
    await refuse_if_gone(site, by.user_id)
    logger.info("%s lets client %s in, scope %s", by.user_id, grant.client_id, grant.asked)
    site.homeserver.metrics.grant("approved")
    answer = success(target(grant), code=code.reveal(), issuer=site.issuer.identifier)
    return way_back.deliver(site, visit.reader, answer, client)


def declined(onward: Onward) -> OAuthError:
    """Return what the client hears of a person who goes no further before anybody is signed in.

    Where it takes one account only, that this one is not there (OpenID Connect Core 3.1.2.6).
    """
    if onward.asked_for is not None:
        return OAuthError("login_required", "The person is somebody else")
    return OAuthError("access_denied", "The person did not sign in")


def unmet() -> OAuthError:
    """Return what the client hears whose person cannot prove what it asks for (RFC 9470 section 5).

    It says that somebody is signed in, and what they have: only to a client whose person goes on with
    it, or did before. Any site could find out by one hint after the other otherwise (C029).
    """
    return OAuthError(UNMET, "The account has no second factor")


async def refuse(visit: Visit, grant: Grant, client: Client, error: OAuthError) -> Outgoing:
    """Tell the client no."""
    site = visit.site
    if not await site.homeserver.run(grants.refuse, grant.grant_id, now=site.now()):
        raise PageError(409, Message.ALREADY_DONE)
    logger.info("Refused a grant of client %s: %s", grant.client_id, error)
    site.homeserver.metrics.grant("refused")
    answer = failure(target(grant), error, issuer=site.issuer.identifier)
    return way_back.deliver(site, visit.reader, answer, client)


def target(grant: Grant) -> Target:
    """Return where the answer of a grant goes."""
    return Target(grant.redirect_uri, grant.response_mode, grant.state)
