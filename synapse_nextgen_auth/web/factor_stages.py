"""The stages of a sign-in that are about a second factor: whose they are, and whether they are next."""

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web import attempts, under_way
from synapse_nextgen_auth.web.visits import Visit


async def find(visit: Visit, stage: Stage) -> Attempt | Outgoing:
    """Return the attempt in which this stage is next, or where its person is by now.

    So it is with the history, and another tab. Stops where this browser has no such attempt, or it is
    nobody's yet, as of somebody who signs up.
    """
    attempt = await under_way.find(visit, visit.parameters.get("attempt") or "")
    if attempt.user_id is None or not attempt.proven or not attempt.purpose.signs_in:
        raise under_way.lost(Lost.UNKNOWN, None)
    if await attempts.next_of(visit, attempt, asks_modules=False) is not stage:
        return await attempts.go_on(visit, attempt)
    return attempt
