"""Somebody on the way to a sign-in goes no further."""

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt
from synapse_nextgen_auth.flows import attempts as flows
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web import answers, device_grants, grants, under_way
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.visits import Visit


async def give_up(visit: Visit, attempt: Attempt) -> Outgoing:
    """End an attempt without a sign-in: whoever waits for it hears so."""
    onward = await under_way.onward_of(visit, attempt)
    await end(visit, attempt, onward)
    if onward.device_grant_id:
        return await device_grants.decline(visit, onward.device_grant_id)
    if onward.grant is None or onward.client is None:
        return answers.redirect("./")
    return await grants.refuse(visit, onward.grant, onward.client, grants.declined(onward))


async def end(visit: Visit, attempt: Attempt, onward: Onward) -> None:
    """End it, and say nothing yet; stops where it went on meanwhile."""
    if not await visit.site.homeserver.run(flows.refuse, attempt, now=visit.site.now()):
        raise under_way.lost(Lost.CHANGED, onward.next_url)
