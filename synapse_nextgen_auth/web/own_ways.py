"""What lets people in on this server, and what one account has of it."""

import attrs

from synapse_nextgen_auth.accounts.attempts.attempt import LIFETIME, Attempt, Purpose
from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.management import Target
from synapse_nextgen_auth.accounts.own_ways import LetsIn
from synapse_nextgen_auth.flows import attempts as flows
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.flows.own_ways import Owner
from synapse_nextgen_auth.secret import digest, random_id
from synapse_nextgen_auth.web import attempts, factors, under_way
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit


def lets_in(site: Site) -> LetsIn:
    """Return what lets people in here."""
    has_form = site.people.passwords.ways.password is not None
    return attrs.evolve(
        factors.useful(site),
        passwords=has_form and site.password_changes.are_possible,
        providers=frozenset(each.provider_id for each in site.providers.known.all()),
        codes=site.has_code_sign_in,
    )


def name(medium: str, address: str) -> str:
    """Return what a link calls an address or number: no address of ours has one in it."""
    return digest(f"{medium} {address}")[:32]


def owner(visit: Visit, user_id: str) -> Owner:
    """Return whose account is changed, from where, now."""
    return Owner(user_id=user_id, now=visit.site.now(), address=visit.address)


async def begin(visit: Visit, user_id: str, purpose: Purpose, target: Target) -> Attempt:
    """Begin what takes whoever is signed in several steps; it signs nobody in, and leads to `target`."""
    await attempts.check_rate(visit)
    now = visit.site.now()
    attempt = Attempt(
        attempt_id=random_id(),
        browser=visit.visitor.digest,
        purpose=purpose,
        onward=Kind.ACCOUNT,
        onward_id=target.text,
        created_at=now,
        expires_at=now + LIFETIME,
        user_id=user_id,
    )
    await visit.site.homeserver.run(visit.as_signed_in(flows.begin), attempt)
    return attempt


async def find(visit: Visit, user_id: str, purpose: Purpose) -> Attempt:
    """Return the attempt that the address names: of this browser, account and purpose (C301)."""
    attempt = await under_way.find(visit, visit.parameters.get("id") or "")
    if attempt.purpose is not purpose or attempt.user_id != user_id:
        raise under_way.lost(Lost.UNKNOWN, Target.of_text(None).url)
    return attempt
