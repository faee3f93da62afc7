"""What this server demands of somebody beside the first thing that they prove."""

from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, ProofKind, Purpose
from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.attempts.stages import Second
from synapse_nextgen_auth.accounts.factors import demands, levels
from synapse_nextgen_auth.accounts.factors.demands import Demand, Level, Rule, Strong
from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.factors.levels import Asked, Reached, Verdict
from synapse_nextgen_auth.accounts.factors.policy import Remembered
from synapse_nextgen_auth.accounts.own_ways import LetsIn
from synapse_nextgen_auth.flows import attempts as flows
from synapse_nextgen_auth.flows import factor_demands
from synapse_nextgen_auth.flows.factor_demands import Remembering
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.no_answer import NoAnswer
from synapse_nextgen_auth.oauth.grants.authorization import Grant
from synapse_nextgen_auth.oauth.grants.device_grants import DeviceGrant
from synapse_nextgen_auth.secret import digest, random_id, random_token
from synapse_nextgen_auth.store import device_grants, factors, grants, remembered
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.link_cookie import LinkCookie
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows import own_factors
    from synapse_nextgen_auth.web import passkeys
else:
    own_factors, passkeys = late.files("flows.own_factors", "web.passkeys")

# The tick on the page that asks for a factor.
REMEMBER = "remember"
_DAY = 24 * 3600
_WAIT = 30  # seconds
_LONGEST_AGENT = 255  # letters


async def demand(visit: Visit, attempt: Attempt) -> Demand:
    """Return what is demanded of whoever is on the way in an attempt."""
    if attempt.user_id is None:
        return demands.NONE
    found = await demand_here(visit, attempt.user_id)
    if found.rule is Rule.OFF:
        return found
    return attrs.evolve(found, asks=await _asks(visit, attempt, found))


async def demand_of(site: Site, user_id: str) -> Demand:
    """Return what is demanded of an account, in whatever browser.

    Stops where another module cannot say who needs a factor: nobody goes on meanwhile.
    """
    try:
        return await site.second_factors.demand(user_id)
    except NoAnswer:
        raise PageError(
            503,
            Message.UNAVAILABLE,
            forward_label=ForwardLabel.TRY_AGAIN,
            headers=(("Retry-After", str(_WAIT)),),
        ) from None


async def demand_here(visit: Visit, user_id: str) -> Demand:
    """Return what is demanded of an account in this browser, which may be remembered."""
    site = visit.site
    found = await demand_of(site, user_id)
    if found.rule is Rule.OFF or not site.config.factors.remember_for:
        return found
    value = visit.cookie(_cookie(site))
    now = site.now()
    since = now - site.config.factors.remember_for
    is_remembered = value is not None and await site.homeserver.read(
        remembered.holds, user_id, digest(value.reveal()), since=since, now=now
    )
    return attrs.evolve(found, is_remembered=is_remembered)


async def is_missing(visit: Visit, *, is_dangerous: bool = False) -> bool:
    """Say whether whoever is signed in lets nothing in before they proved a factor, or have one (C295).

    They may have signed in before their account had one, or before it had to. Where they are about to do
    something dangerous to their account, a browser that is remembered spares them nothing.
    """
    if visit.sign_in is None or not visit.site.second_factors.is_on:
        return False
    user_id = visit.sign_in.user_id
    wanted = await (demand_of(visit.site, user_id) if is_dangerous else demand_here(visit, user_id))
    if wanted.rule is Rule.OFF:
        return False
    held = await visit.site.homeserver.read(factors.held, visit.sign_in.user_id)
    return not demands.suffices(wanted, held, Level(visit.sign_in.factors))


async def judge(visit: Visit, grant: Grant | DeviceGrant) -> Verdict:
    """Say whether whoever is signed in proved what the client of a grant asks for (`acr_values`)."""
    asked, user_id = asked_by(grant), visit.user_id
    if not asked.values or visit.sign_in is None or user_id is None:
        return Verdict.MET
    demanded = await demand_of(visit.site, user_id)
    can_prove = await _can_prove(visit.site, user_id, demanded)
    return levels.judge(asked, Reached.by(visit.sign_in), can_prove=can_prove)


def asked_by(grant: Grant | DeviceGrant) -> Asked:
    """Return what the client of a grant asks of how its person proves who they are."""
    how = grant.acr_strictness if isinstance(grant, Grant) else None
    return levels.read(grant.acr_values, how)


async def _can_prove(site: Site, user_id: str, demanded: Demand) -> Level:
    """Return the most that an account can prove at this address."""
    if demanded.rule is Rule.OFF:
        return Level.ONE
    held = await site.homeserver.run(own_factors.useful, user_id, useful(site))
    if held.passkeys:
        return Level.RESISTANT
    return Level.TWO if held.is_any else Level.ONE


async def _asks(visit: Visit, attempt: Attempt, demanded: Demand) -> Level:
    """Return what an application wants proven in an attempt, whatever browser it is.

    A fresh proof is one of all that the account has.
    """
    grant = await _grant_of(visit.site, attempt)
    if grant is None or attempt.user_id is None:
        return Level.ONE
    is_fresh = isinstance(grant, Grant) and grant.login_after is not None
    asked, least = asked_by(grant), Level.TWO if is_fresh else Level.ONE
    if not asked.values:
        return least
    can_prove = await _can_prove(visit.site, attempt.user_id, demanded)
    said = [proof.acr for proof in attempt.proven if proof.acr]
    return max(least, levels.wanted(asked, can_prove=can_prove, said=said))


async def _grant_of(site: Site, attempt: Attempt) -> Grant | DeviceGrant | None:
    goes_on = attempt.goes_on
    if goes_on.grant_id is not None:
        return await site.homeserver.read(grants.get, goes_on.grant_id)
    if goes_on.kind is Kind.DEVICE and goes_on.id is not None:
        return await site.homeserver.read(device_grants.get, goes_on.id)
    return None


async def second_of(site: Site, user_id: str | None, wanted: Demand) -> Second:
    """Return what is demanded with what the account has for it; where nothing is, nobody looks."""
    if user_id is None or wanted.rule is Rule.OFF:
        return Second(wanted)
    return await site.homeserver.read(flows.second_of, user_id, wanted)


def are_on(site: Site) -> bool:
    """Say whether anybody has second factors here."""
    return site.second_factors.is_on


async def may_add(site: Site, user_id: str) -> bool:
    """Say whether to lead the owner of an account to where factors are set up.

    Where another module cannot say whether they may, that page tells them so.
    """
    try:
        return await site.second_factors.may_add(user_id)
    except NoAnswer:
        return True


async def held_by(site: Site, user_id: str) -> Held | None:
    """Return what an account has, `None` where it has nothing and is to have nothing."""
    if not are_on(site):
        return None
    held = await site.homeserver.read(factors.held, user_id)
    return held if held.is_any or held.codes or await may_add(site, user_id) else None


def kinds(site: Site) -> frozenset[ProofKind]:
    """Return the kinds of second factors that people may have here."""
    if not site.second_factors.is_on:
        return frozenset()
    known = {ProofKind.TOTP, ProofKind.RECOVERY_CODE}
    if site_of_passkeys(site):
        known.add(ProofKind.PASSKEY)
    if site.config.factors.email_codes and site.mailer.is_configured:
        known.add(ProofKind.FACTOR_MAIL)
    return frozenset(known)


def useful(site: Site) -> LetsIn:
    """Return which factors work on this server, whatever lets people in first."""
    mails = ProofKind.FACTOR_MAIL in kinds(site)
    return LetsIn(passkeys=site_of_passkeys(site), mails=mails)


def site_of_passkeys(site: Site) -> str | None:
    """Return the site that browsers use passkeys for here; `None` where people may have none."""
    party = passkeys.party_of(site) if are_on(site) else None
    return None if party is None else party.rp_id


def strong(site: Site) -> frozenset[Strong]:
    """Return what providers say of a sign-in that is two factors, by the ids that Synapse gives them."""
    wanted = site.config.factors.providers
    return frozenset(
        Strong(each.provider_id, one.said)
        for one in wanted
        for each in (site.providers.known.hinted(one.provider),)
        if each is not None
    )


def days_to_remember(visit: Visit, attempt: Attempt) -> int:
    """Return for how many days this browser may be remembered; 0: nobody is asked whether it shall."""
    seconds = visit.site.config.factors.remember_for
    if attempt.purpose is not Purpose.SIGN_IN or not seconds:
        return 0
    return max(1, seconds // _DAY)


async def remember(visit: Visit, attempt: Attempt, form: Form, answer: Outgoing) -> Outgoing:
    """Return the answer to somebody who proved a factor in an attempt, with their browser remembered.

    Only where they ticked that, and did prove two things of this account; anything else is the answer
    as it is.
    """
    site, user_id = visit.site, attempt.user_id
    if form.get(REMEMBER) != "yes" or user_id is None or not days_to_remember(visit, attempt):
        return answer
    secret, now, cookie = random_token(), site.now(), _cookie(site)
    former = visit.cookie(cookie)
    asked = Remembering(
        attempt_id=attempt.attempt_id,
        browser=visit.visitor.digest,
        former=digest(former.reveal()) if former else None,
        strong=strong(site),
    )
    new = Remembered(
        remembered_id=random_id(),
        digest=digest(secret.reveal()),
        user_id=user_id,
        made_at=now,
        expires_at=now + site.config.factors.remember_for,
        user_agent=visit.user_agent[:_LONGEST_AGENT] or None,
    )
    if not await site.homeserver.run(factor_demands.remember, asked, new):
        return answer
    return answer.having(cookie.write(secret))


def _cookie(site: Site) -> LinkCookie:
    return LinkCookie(
        is_https=site.cookies.is_https,
        label="remembered",
        lifetime=site.config.factors.remember_for,
    )
