"""The page that a browser comes back to from a provider, and takes the answer with.

It is a GET of this site, so that both cookies come: the one that came with the answer, and the browser's
own. Only with both is there a proof (C187, C278).
"""

import attrs

from synapse_nextgen_auth.accounts.attempts.arrivals import Trouble
from synapse_nextgen_auth.accounts.attempts.attempt import Purpose
from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.flows import arrive
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.web import answers, attempts, connections, under_way
from synapse_nextgen_auth.web.pages.providers import trouble
from synapse_nextgen_auth.web.pages.providers.page import counted
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit) -> Outgoing:
    """Take the answer, once, and go on with the attempt."""
    site, attempt_id = visit.site, visit.parameters.get("attempt") or ""
    held = visit.arrivals
    found = await site.homeserver.run(
        arrive.find,
        attempt_id,
        tuple(digest(value.reveal()) for value in held),
        browser=visit.binding,
        now=site.now(),
    )
    if isinstance(found, Trouble):
        onward = await under_way.whither(visit, attempt_id) if found is Trouble.OVER else None
        return _trouble(visit, found, Start(attempt_id, ""), onward=onward)
    attempt, arrival = found
    start = Start(attempt_id, arrival.provider)
    others = tuple(value for value in held if digest(value.reveal()) != arrival.digest)
    spent = site.arrival_cookie.write(others)
    if attempt.purpose is Purpose.CONNECT:
        taken = await connections.take(visit, attempt, arrival)
        if isinstance(taken, Trouble):
            return _trouble(visit, taken, attrs.evolve(start, connects=True))
        return taken.having(spent)
    if arrival.user_id is None:
        met = await site.homeserver.run(arrive.meet, attempt, arrival, now=site.now())
        if isinstance(met, Lost):
            return _trouble(visit, arrive.trouble_of(met), start)
        return answers.redirect(f"new-account?attempt={attempt_id}", spent)
    proof = arrive.proof_of(arrival.provider, arrival.statement, arrival.user_id, now=site.now())
    if attempt.refuses(proof):
        return _trouble(visit, Trouble.OTHER_ACCOUNT, start, account=attempt.user_id)
    outgoing = await attempts.take_by(visit, attempt, proof, arrive.take, attempt, arrival)
    return outgoing.having(spent)


def _trouble(visit: Visit, kind: Trouble, start: Start, **known: str | None) -> Outgoing:
    visit.site.homeserver.metrics.sign_in(counted(kind))
    return trouble.show(visit.site, visit.reader, kind, start, **known)
