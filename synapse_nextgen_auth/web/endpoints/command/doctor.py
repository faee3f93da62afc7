"""`doctor`: an account to sign in with, for a moment."""

from typing import Any

from synapse_nextgen_auth.homeserver.people.trials import Absent, InUse, Theirs, Trials
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Command, Refused
from synapse_nextgen_auth.web.site import Site


async def _begin(site: Site, _asked: Asked) -> dict[str, Any]:
    trials = Trials(site.homeserver)
    try:
        password = await trials.begin()
    except InUse:
        raise Refused(
            f"{trials.user_id} is open: another look is under way, or ended half-way. `doctor"
            " --close` closes it"
        ) from None
    except Theirs:
        raise Refused(_theirs(trials)) from None
    # The answer is sealed for whoever asked.
    return {"user_id": trials.user_id, "password": password.reveal()}


async def _end(site: Site, _asked: Asked) -> dict[str, Any]:
    trials = Trials(site.homeserver)
    try:
        await trials.end()
    except Absent:
        raise Refused(f"There is no account {trials.user_id}, and never was one") from None
    except Theirs:
        raise Refused(_theirs(trials)) from None
    return {"user_id": trials.user_id}


def _theirs(trials: Trials) -> str:
    return f"{trials.user_id} is the account of somebody who is called so, and left alone"


BEGIN = Command(frozenset(), _begin)
END = Command(frozenset(), _end)
