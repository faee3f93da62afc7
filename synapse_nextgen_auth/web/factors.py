"""What this server demands of somebody beside the first thing that they prove."""

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, ProofKind
from synapse_nextgen_auth.accounts.factors import demands, levels
from synapse_nextgen_auth.accounts.factors.demands import Demand, Rule
from synapse_nextgen_auth.accounts.factors.levels import Reached, Verdict
from synapse_nextgen_auth.flows import attempts as flows
from synapse_nextgen_auth.oauth.grants.authorization import Grant
from synapse_nextgen_auth.store import grants
from synapse_nextgen_auth.web import passkeys
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit


async def demand(visit: Visit, attempt: Attempt) -> Demand:
    """Return what is demanded of whoever is on the way in an attempt."""
    if attempt.user_id is None:
        return demands.NONE
    rule = visit.site.config.factors.policy
    if rule is Rule.OFF:
        return demands.NONE
    return Demand(rule=rule, asks_two=await _asks_two(visit, attempt))


async def judge(visit: Visit, grant: Grant) -> Verdict:
    """Say whether whoever is signed in proved what the client of a grant asks for (`acr_values`)."""
    asked = levels.read(grant.acr_values)
    if not asked or visit.sign_in is None:
        return Verdict.MET
    reached, demanded = Reached.by(visit.sign_in), Demand(rule=visit.site.config.factors.policy)
    second = await visit.site.homeserver.read(flows.second_of, visit.user_id, demanded)
    return levels.judge(asked, reached, can_prove_two=second.held.is_any)


async def _asks_two(visit: Visit, attempt: Attempt) -> bool:
    """Say whether an application wants two factors proven, whatever browser it is."""
    grant_id = attempt.goes_on.grant_id
    grant = await visit.site.homeserver.read(grants.get, grant_id) if grant_id else None
    asked = levels.read(grant.acr_values) if grant is not None else ()
    return levels.asks_two(asked, [proof.acr for proof in attempt.proven if proof.acr])


async def demand_of(site: Site, user_id: str) -> Demand:  # noqa: ARG001 (of everybody the same)
    """Return what is demanded of an account."""
    return Demand(rule=site.config.factors.policy)


def kinds(site: Site) -> frozenset[ProofKind]:
    """Return the kinds of second factors that people may have here."""
    if site.config.factors.policy is Rule.OFF:
        return frozenset()
    known = frozenset({ProofKind.TOTP, ProofKind.RECOVERY_CODE})
    return known | {ProofKind.PASSKEY} if passkeys.party_of(site) else known
