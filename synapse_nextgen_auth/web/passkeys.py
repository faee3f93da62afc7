"""Passkeys on our pages: what a browser is asked, and what its answer proves.

A page that asks has the question in its form, which a script hands to the browser; the answer comes back
in that form.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn

from synapse_nextgen_auth.accounts import user_agents
from synapse_nextgen_auth.accounts.factors.passkeys import ceremonies, challenges, party
from synapse_nextgen_auth.accounts.factors.passkeys.ceremonies import Made, Refused, Wrong
from synapse_nextgen_auth.accounts.factors.passkeys.challenges import Bound, Ceremony
from synapse_nextgen_auth.accounts.factors.passkeys.passkey import MAX_NAME, Passkey, RelyingParty
from synapse_nextgen_auth.flows import passkeys as flows
from synapse_nextgen_auth.flows.passkeys import Use
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import random_bytes, urlsafe
from synapse_nextgen_auth.store import passkeys as rows
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit

# What the form calls the browser's answer.
FIELD = "passkey"
HANDLE = "handle"
DECISION = "passkey"


def party_of(site: Site) -> RelyingParty | None:
    """Return the site that passkeys are for; `None` where there are none."""
    options = site.config.factors
    if not site.second_factors.is_on:
        return None
    return party.of(
        site.issuer.identifier, server_name=site.server_name, related=options.passkey_origins
    )


@frozen
class Unproven(Exception):
    """An answer proves nothing; `user_id` is the owner of the passkey that it names.

    `is_late`: the question is older than five minutes, and somebody may simply ask again. `is_done`:
    this answer was taken before, by a press before this one.
    """

    why: Wrong
    user_id: str | None = None
    is_late: bool = False
    is_done: bool = False


def question(
    visit: Visit,
    site_of_keys: RelyingParty,
    ceremony: Ceremony,
    *,
    about: str = "",
    has: Iterable[Passkey] = (),
) -> str:
    """Return what the browser is to ask passkeys; one that signs in alone has to know its owner."""
    bound = _bound(visit, ceremony, about)
    challenge = challenges.draw(visit.site.issuer.keys, bound, now=visit.site.now())
    verified = ceremony is Ceremony.SIGN_IN
    return ceremonies.to_use(site_of_keys, challenge=challenge, has=has, verified=verified)


async def check(
    visit: Visit,
    form: Form,
    site_of_keys: RelyingParty,
    ceremony: Ceremony,
    *,
    about: str = "",
    nameless: bool = False,
) -> Use:
    """Return what an answer proves, which is yet to be counted; raises `Unproven`.

    `nameless`: who it is nobody said before, so the passkey has to.
    """
    async with _limited(visit):
        return await _check(visit, form, site_of_keys, ceremony, about=about, nameless=nameless)


@asynccontextmanager
async def _limited(visit: Visit) -> AsyncIterator[None]:
    """Look at an answer unless too many from this network were wrong lately (C901).

    It counts before it is looked at, so that no more are looked at where many come at once.
    """
    limiter = visit.site.rates.wrong_passkeys
    wait = await limiter.count(visit.address)
    if wait is not None:
        headers = (("Retry-After", str(wait)),)
        raise PageError(429, Message.TOO_MANY_REQUESTS, headers=headers)
    is_wrong = False
    try:
        yield
    except Unproven as unproven:
        is_wrong = not unproven.is_late and not unproven.is_done
        raise
    finally:
        if not is_wrong:
            await limiter.take_back(visit.address)


async def _check(
    visit: Visit,
    form: Form,
    site_of_keys: RelyingParty,
    ceremony: Ceremony,
    *,
    about: str,
    nameless: bool,
) -> Use:
    site, answer = visit.site, form.get(FIELD, "")
    try:
        challenge = _challenge(visit, answer, ceremony, about)
        passkey = await site.homeserver.read(rows.get, ceremonies.named(answer))
    except Refused as refused:
        raise Unproven(refused.why) from None
    if passkey is None:
        raise Unproven(Wrong.OTHER_KEY)
    # Looked at after the passkey: who counted meanwhile has spent it, and is no copy.
    if await site.homeserver.read(rows.is_spent, challenge):
        raise Unproven(Wrong.UNPROVEN, is_done=True)
    try:
        used = ceremonies.used(
            site_of_keys,
            answer,
            passkey,
            challenge=challenge,
            verified=ceremony is Ceremony.SIGN_IN,
            nameless=nameless,
        )
    except Refused as refused:
        await _refuse(visit, passkey, refused)
    return Use(passkey=passkey, used=used, challenge=challenge)


async def _refuse(visit: Visit, passkey: Passkey, refused: Refused) -> NoReturn:
    """Say that it is not right; of what may be a copy, its owner hears."""
    if refused.why is Wrong.COUNTER:
        now = visit.site.now()
        await visit.site.homeserver.run(flows.warn, passkey, now=now, address=visit.address)
    raise Unproven(refused.why, passkey.user_id) from None


@frozen
class ToMake:
    """What the browser is to ask the device that makes a passkey, and what that calls the account."""

    question: str
    handle: str


def to_make(
    visit: Visit, site_of_keys: RelyingParty, user_id: str, *, name: str, has: Sequence[Passkey]
) -> ToMake:
    """Ask for a new passkey: the account goes by a random id there, the same in all that it has."""
    handle = has[0].user_handle if has else urlsafe(random_bytes(32))
    bound = _bound(visit, Ceremony.MAKE, f"{user_id} {handle}")
    challenge = challenges.draw(visit.site.issuer.keys, bound, now=visit.site.now())
    question = ceremonies.to_make(
        site_of_keys,
        challenge=challenge,
        user_handle=handle,
        name=user_id,
        display_name=name,
        has=has,
    )
    return ToMake(question, handle)


async def made(
    visit: Visit, form: Form, site_of_keys: RelyingParty, user_id: str
) -> tuple[Made, str, bytes]:
    """Return what a browser made, what that calls the account, and the challenge; raises `Unproven`.

    The name comes back in the form, and the challenge is of this one alone.
    """
    answer, handle = form.get(FIELD, ""), form.get(HANDLE, "")
    async with _limited(visit):
        try:
            challenge = _challenge(visit, answer, Ceremony.MAKE, f"{user_id} {handle}")
            return ceremonies.made(site_of_keys, answer, challenge=challenge), handle, challenge
        except Refused as refused:
            raise Unproven(refused.why, user_id) from None


def row(
    made: Made, user_id: str, handle: str, site_of_keys: RelyingParty, *, name: str, now: int
) -> Passkey:
    """Return what is kept of a passkey that was made just now."""
    return Passkey(
        credential_id=made.credential_id,
        user_id=user_id,
        user_handle=handle,
        rp_id=site_of_keys.rp_id,
        public_key=made.public_key,
        name=name,
        made_at=now,
        sign_count=made.sign_count,
        may_sync=made.may_sync,
        is_synced=made.is_synced,
        is_verified=made.is_verified and made.is_found,
        transports=made.transports,
        aaguid=made.aaguid,
    )


def suggested_name(visit: Visit) -> str:
    """Return what a passkey is called that somebody gives no name: by what made it."""
    program = user_agents.describe(visit.user_agent)
    said = program.program if program is not None else None
    return (said or visit.site.server_name)[:MAX_NAME]


def _challenge(visit: Visit, answer: str, ceremony: Ceremony, about: str) -> bytes:
    """Return the challenge in an answer, if it is ours for this; raises `Refused` or `Unproven`."""
    challenge, keys = ceremonies.challenge_in(answer), visit.site.issuer.keys
    bound = _bound(visit, ceremony, about)
    if not challenges.is_ours(keys, bound, challenge):
        raise Unproven(Wrong.UNPROVEN)
    if not challenges.is_new(challenge, now=visit.site.now()):
        raise Unproven(Wrong.UNPROVEN, is_late=True)
    return challenge


def _bound(visit: Visit, ceremony: Ceremony, about: str) -> Bound:
    return Bound(ceremony=ceremony, browser=visit.visitor.digest, about=about)
