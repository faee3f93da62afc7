"""Looks at an account for its overview: one query for each table, however much there is."""

import attrs

from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.own_ways import OwnWays
from synapse_nextgen_auth.accounts.signed_in import How, Kind, Several
from synapse_nextgen_auth.accounts.verdict import ODD_FOR, Facts
from synapse_nextgen_auth.flows import overview as flows
from synapse_nextgen_auth.flows.overview import Known
from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import factors, own_ways
from synapse_nextgen_auth.web.pages.account.devices import seen
from synapse_nextgen_auth.web.pages.account.devices.seen import Seen
from synapse_nextgen_auth.web.pages.account.overview.page import Figures
from synapse_nextgen_auth.web.pages.recovery import offer
from synapse_nextgen_auth.web.site import Site


@frozen
class Looked:
    """What the overview needs to know."""

    facts: Facts
    figures: Figures
    ways: OwnWays


async def look(
    site: Site, user_id: str, *, here: str | None, is_loss_waiting: bool = False
) -> Looked:
    """Look at everything; `here` is what we call the sign-in of this browser.

    `is_loss_waiting`: somebody wants the second factors removed, and may be stopped.
    """
    now = site.now()
    known = await site.homeserver.run(flows.look, user_id, since=now - ODD_FOR)
    verified = await site.devices.verified.of(user_id, in_a_hurry=True)
    found = await seen.put_together(
        site,
        user_id,
        known.sessions,
        known.sign_ins,
        verified,
        here=here,
    )
    held = await factors.held_by(site, user_id)
    facts = attrs.evolve(_facts(site, known, found, held), is_loss_waiting=is_loss_waiting)
    if facts.can_add_way and not await factors.may_add(site, user_id):
        ways = attrs.evolve(own_ways.lets_in(site), passkeys=None)
        facts = attrs.evolve(facts, can_add_way=known.ways.can_have_another(ways))
    return Looked(facts, _figures(known, found), known.ways)


def _facts(site: Site, known: Known, found: Seen, held: Held | None) -> Facts:
    now = site.now()
    lets_in = own_ways.lets_in(site)
    return Facts(
        odd_at=known.happened.odd_at,
        mended_at=known.happened.mended_at,
        devices=sum(each.is_verified is not None for each in found.entries),
        unverified=len(Several.UNVERIFIED.of(found.entries)),
        unused=sum(each.unused_since(now) is not None for each in found.entries),
        emails=len(known.ways.emails),
        mail_helps=site.threepids.takes_emails and (offer.is_there(site) or lets_in.codes),
        ways=known.ways.number(lets_in),
        can_add_way=known.ways.can_have_another(lets_in),
        powers=len(_with_power(found, known)),
        factors=held,
    )


def _with_power(found: Seen, known: Known) -> set[str]:
    """Return the applications that may administer the server, or may again without a question."""
    scopes = [
        *((each.client_id, each.scope) for each in found.entries if each.client_id and each.scope),
        *((each.client_id, each.scope) for each in known.consents),
    ]
    # What is remembered of a consent names no device, so it is no scope that could be asked for.
    return {its_id for its_id, scope in scopes if its_id and _has_power(scope)}


def _has_power(scope: str | None) -> bool:
    return scope is not None and Scope(scope).admin


def _figures(known: Known, found: Seen) -> Figures:
    last = known.happened.newest
    kinds = [each.kind for each in found.entries]
    tokens = [each for each in found.entries if each.how is How.PERSONAL_TOKEN]
    return Figures(
        emails=len(known.ways.emails),
        phones=len(known.ways.phones),
        has_password=known.ways.has_password,
        providers=len(known.ways.identities),
        devices=sum(kind.is_device for kind in kinds),
        unverified=len(Several.UNVERIFIED.of(found.entries)),
        websites=kinds.count(Kind.WEBSITE),
        programs=kinds.count(Kind.PROGRAM),
        tokens=len(tokens),
        powerful_tokens=sum(_has_power(each.scope) for each in tokens),
        browsers=kinds.count(Kind.BROWSER),
        apps=len(
            {each.client_id for each in found.entries if each.client_id}
            | {each.client_id for each in known.consents}
        ),
        kind=last[0] if last else None,
        at=last[1] if last else 0,
    )
