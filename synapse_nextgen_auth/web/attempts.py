"""An attempt on its way through the browser: what it is for, what comes next, and its end.

Every page that does a stage of an attempt comes back to `go_on`. There is no row before the first act:
until then the address says where the person goes on.
"""

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.attempts import hints, typed
from synapse_nextgen_auth.accounts.attempts.attempt import LIFETIME, Attempt, Proof, Purpose
from synapse_nextgen_auth.accounts.attempts.stages import (
    NOTHING,
    Added,
    Done,
    Policy,
    Refused,
    Stage,
    Stop,
    next_stage,
)
from synapse_nextgen_auth.accounts.people import Account
from synapse_nextgen_auth.accounts.sign_ins import SignIn, of_account
from synapse_nextgen_auth.flows import attempts as flows
from synapse_nextgen_auth.flows.attempts import Ended, Ending, Lost
from synapse_nextgen_auth.flows.sign_in import Place
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.wording import logged
from synapse_nextgen_auth.secret import digest, random_id, random_token
from synapse_nextgen_auth.store import attempts as store
from synapse_nextgen_auth.web import added, answers, factors, under_way
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.message.error import PageError, not_admitted, refuse_if_gone
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.under_way import Way
from synapse_nextgen_auth.web.visits import Visit

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows import passkeys
    from synapse_nextgen_auth.flows.passkeys import Use
else:
    passkeys = late.file("flows.passkeys")

# The filters that operators gave to fail2ban name it (docs/topics/security.md).
logger = logging.getLogger("synapse_nextgen_auth.web.pages.sign_in")

# What an address calls an attempt before which somebody had typed something.
_FILLED = "filled"
# Letters of what a browser says of itself that are kept.
_LONGEST_AGENT = 255
# The page of each stage that has one.
_PAGES = {
    Stage.IDENTIFY: "sign-in",
    Stage.FACTOR: "factor",
    Stage.ENROL: "factor-enrol",
    Stage.NEW_PASSWORD: "set-password",
}


class OtherPassword(Exception):
    """The account has another password since the one that was typed was found right."""


async def begin(visit: Visit, way: Way) -> Attempt:
    """Return the attempt of what somebody is about to do; from now on there is a row (C154)."""
    if way.attempt is not None:
        return way.attempt
    await check_rate(visit)
    attempt = _new(visit, way)
    await visit.site.homeserver.run(flows.begin, attempt)
    return attempt


async def check_rate(visit: Visit) -> None:
    """Stop when a network begins more attempts than many people would: each is a row (C154)."""
    wait = await visit.site.rates.attempts.count(visit.address)
    if wait is not None:
        headers = (("Retry-After", str(wait)),)
        raise PageError(429, Message.TOO_MANY_REQUESTS, headers=headers)


async def ask(visit: Visit, onward: Onward, form: Form | None) -> Outgoing:
    """Send somebody to the sign-in page, from which they come back; what they typed waits for them."""
    kept = typed.kept(form or {})
    if visit.user_id is None or not kept:
        return answers.redirect(onward.sign_in_url)
    await check_rate(visit)
    way = Way(onward, Purpose.PROVE_AGAIN, visit.user_id)
    sealed = typed.seal(visit.site.issuer.keys, kept)
    attempt = _new(visit, way).answering(typed.TYPED, sealed)
    await visit.site.homeserver.run(flows.begin, attempt)
    return answers.redirect(attrs.evolve(way, attempt=attempt).url)


async def filled_in(visit: Visit, onward: Onward) -> Visit:
    """Return the visit with what its person typed before they proved it again, if they did."""
    attempt_id, site = visit.parameters.get(_FILLED), visit.site
    if attempt_id is None or visit.user_id is None:
        return visit
    found = typed.coming_back(
        await site.homeserver.read(store.get, attempt_id),
        site.issuer.keys,
        browser=visit.visitor.digest,
        user_id=visit.user_id,
        goes_on=onward.goes_on,
        now=site.now(),
    )
    return attrs.evolve(visit, typed=found)


def _back(onward: Onward, attempt: Attempt) -> str:
    """Return where somebody goes on, and what they had typed there."""
    url = onward.next_url
    if typed.TYPED not in attempt.answered:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode({_FILLED: attempt.attempt_id})}"


async def take(
    visit: Visit, way: Way, proof: Proof, *, password_hash: str | None = None
) -> Outgoing:
    """Take what the person proved on this page, and go on: at once to the end, if that is all.

    `password_hash` is what their password was compared with, if that is what they proved. Raises
    `OtherPassword`.
    """
    of = {"password_hash": password_hash}
    if way.attempt is None:
        proven = _new(visit, way).having(proof)
        return await _end(visit, way.onward, proven, flows.begin_proven, proven, **of)
    proven = way.attempt.having(proof)
    return await _end(visit, way.onward, proven, flows.prove_and_end, way.attempt, proof, **of)


async def take_passkey(visit: Visit, way: Way, proof: Proof, use: "Use") -> Outgoing:
    """Take what a passkey proved, which counts in the same transaction, and go on."""
    if way.attempt is None:
        await check_rate(visit)
        proven = _new(visit, way).having(proof)
        return await _end(visit, way.onward, proven, passkeys.begin, use, proven)
    proven = way.attempt.having(proof)
    return await _end(visit, way.onward, proven, passkeys.go_on, use, way.attempt, proof)


async def take_several(visit: Visit, way: Way, proofs: Iterable[Proof]) -> Outgoing:
    """Take what was proven on the way to what is done by now, and go on."""
    proven = _new(visit, way)
    for proof in proofs:
        proven = proven.having(proof)
    return await _end(visit, way.onward, proven, flows.begin_proven, proven)


async def begin_waiting(
    visit: Visit, way: Way, proof: Proof, stage: Stage, sealed: str
) -> Outgoing:
    """Begin an attempt with its first proof, in which a stage waits until the others are proven."""
    await check_rate(visit)
    attempt = _new(visit, way).having(proof).answering(stage.value, sealed)
    await visit.site.homeserver.run(flows.begin, attempt)
    return await go_on(visit, attempt)


async def take_by(
    visit: Visit, attempt: Attempt, proof: Proof, flow: Callable[..., Ended], *given: Any
) -> Outgoing:
    """Take a proof that a flow of its own adds to an attempt that began before, and go on."""
    onward = await under_way.onward_of(visit, attempt)
    return await _end(visit, onward, attempt.having(proof), flow, *given)


async def go_on(visit: Visit, attempt: Attempt) -> Outgoing:
    """Send the browser to the page of the next stage; sign its person in when nothing is missing."""
    onward = await under_way.onward_of(visit, attempt)
    return await _end(visit, onward, attempt, flows.end, attempt)


async def answered(visit: Visit, former: Attempt, attempt: Attempt) -> Outgoing:
    """Keep what somebody answered to the stage of another module, and go on."""
    onward = await under_way.onward_of(visit, attempt)
    return await _end(visit, onward, attempt, flows.answer_and_end, former, attempt)


async def next_of(
    visit: Visit, attempt: Attempt, *, asks_modules: bool = True
) -> Stage | Added | Done | Refused:
    """Say what is missing in an attempt; stops where its account may not sign in.

    Raises `NoAnswer` where another module cannot say whether it asks for something; what comes before
    that it may be spared.
    """
    onward = await under_way.onward_of(visit, attempt)
    user_id = attempt.user_id
    account = await _admit(visit, onward, user_id) if user_id is not None else None
    asked = await added.asked(visit, attempt, later=False) if asks_modules else NOTHING
    second = await factors.second_of(visit.site, user_id, await factors.demand(visit, attempt))
    return next_stage(attempt, account, policy(visit.site, attempt.purpose), asked, second)


def url_of_stage(attempt: Attempt, stage: Stage) -> str:
    """Return the page of a stage of ours."""
    return f"{_PAGES[stage]}?{urlencode({'attempt': attempt.attempt_id})}"


def stage_url(attempt: Attempt) -> str:
    """Return the page that asks what another module wants to know."""
    return f"stage?{urlencode({'attempt': attempt.attempt_id})}"


def policy(site: Site, purpose: Purpose) -> Policy:
    """Return which proofs count here."""
    passwords = site.people.passwords
    ways = passwords.ways_again if purpose is Purpose.PROVE_AGAIN else passwords.ways
    return Policy(
        passwords=ways.password is not None,
        email_codes=site.has_code_sign_in,
        types=frozenset(way.type for way in ways.custom),
        providers=frozenset(each.provider_id for each in site.providers.known.all()),
        trusted=site.providers.known.trusted,
        strong=factors.strong(site),
        factors=factors.kinds(site),
    )


def note_refusal(visit: Visit, reason: str, user_id: str | None) -> None:
    """Count a sign-in that did not work, and write it down; what was typed is not repeated.

    fail2ban reads this line (docs/topics/security.md): the address comes first, as it is one word.
    """
    visit.site.homeserver.metrics.sign_in(reason)
    logger.info(
        "Refused a sign-in from %s: %s, account %s",
        logged(visit.address, 64),
        reason,
        logged(user_id, 255),
    )


def _new(visit: Visit, way: Way) -> Attempt:
    now, goes_on = visit.site.now(), way.onward.goes_on
    attempt = Attempt(
        attempt_id=random_id(),
        browser=visit.visitor.digest,
        purpose=way.purpose,
        onward=goes_on.kind,
        onward_id=goes_on.id,
        created_at=now,
        expires_at=now + LIFETIME,
        user_id=way.account,
    )
    return hints.keep(attempt, visit.site.issuer.keys, way.onward.hint)


async def _end(
    visit: Visit,
    onward: Onward,
    attempt: Attempt,
    flow: Callable[..., Ended],
    *given: Any,
    password_hash: str | None = None,
) -> Outgoing:
    """Run a flow that may end the attempt; go where it says."""
    site, user_id = visit.site, attempt.user_id
    account = await _admit(visit, onward, user_id) if user_id is not None else None
    secret = random_token()
    cookie, forgotten = visit.visitor.with_sign_in(secret, user_id or "")
    ending = Ending(
        digest=digest(secret.reveal()),
        sign_in_id=random_id(),
        account=account,
        policy=policy(site, attempt.purpose),
        asked=await added.asked(visit, attempt),
        demand=await factors.demand(visit, attempt),
        place=Place(
            binding=visit.visitor.digest,
            renews=of_account(visit.sign_ins, user_id or ""),
            forgets=forgotten,
            grant_id=onward.grant_id,
            device_grant_id=onward.device_grant_id,
            address=visit.address,
            user_agent=visit.user_agent[:_LONGEST_AGENT] or None,
            language=visit.reader.language,
        ),
        password_hash=password_hash,
    )
    ended = await site.homeserver.run(flow, *given, ending, now=site.now())
    if isinstance(ended, SignIn):
        await refuse_if_gone(site, ended.user_id)
        site.homeserver.metrics.sign_in("ok")
        logger.info("%s signed in from %s", ended.user_id, logged(visit.address, 64))
        lifetime = site.lifetimes.browsers.absolute
        return answers.redirect(
            _back(onward, attempt), site.cookies.write(cookie, max_age=lifetime)
        )
    if isinstance(ended, Stage):
        return answers.redirect(url_of_stage(attempt, ended))
    if isinstance(ended, Added):
        return answers.redirect(stage_url(attempt))
    if isinstance(ended, Refused) and not isinstance(ended.why, Stop):
        raise not_admitted(ended.why, other_account_url=onward.accounts_url)
    if ended is Lost.OTHER_PASSWORD:
        raise OtherPassword
    raise under_way.lost(Lost.ENDED if isinstance(ended, Refused) else ended, onward.next_url)


async def _admit(visit: Visit, onward: Onward, user_id: str) -> Account:
    """Return the account; nobody is signed in who cannot go on there."""
    try:
        return await visit.site.people.admit(user_id, Intent.SIGN_IN)
    except NotAdmitted as refused:
        note_refusal(visit, refused.why.value, user_id)
        other_account_url = onward.accounts_url
        raise not_admitted(refused.why, other_account_url=other_account_url) from None
