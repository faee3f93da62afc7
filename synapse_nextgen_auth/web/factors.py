"""What this server demands of somebody beside the first thing that they prove."""

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, ProofKind
from synapse_nextgen_auth.accounts.factors import demands
from synapse_nextgen_auth.accounts.factors.demands import Demand, Rule
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit


async def demand(visit: Visit, attempt: Attempt) -> Demand:
    """Return what is demanded of whoever is on the way in an attempt."""
    if attempt.user_id is None:
        return demands.NONE
    return Demand(rule=visit.site.config.factors.policy)


def kinds(site: Site) -> frozenset[ProofKind]:
    """Return the kinds of second factors that people may have here."""
    if site.config.factors.policy is Rule.OFF:
        return frozenset()
    return frozenset({ProofKind.TOTP, ProofKind.RECOVERY_CODE})
