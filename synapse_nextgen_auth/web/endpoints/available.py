"""Whether a name is free, for the script of the page where somebody chooses one."""

from synapse_nextgen_auth.accounts.new_names import Availability, as_localpart
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.web import answers, forms
from synapse_nextgen_auth.web.site import Site


async def available(site: Site, incoming: Incoming) -> Outgoing:
    """Say it, as stock's `/register/available` does, and nothing where nobody signs up (C245)."""
    side = site.sign_ups
    if not (side.rules.by_password and side.rules.demands.open):
        raise OAuthError("access_denied", "Nobody signs up here", 403)
    localpart = as_localpart(forms.parse(incoming.query).get("username") or "")
    if not localpart:
        raise OAuthError("invalid_request", "username is missing")
    wait = await side.names.wait(incoming.address)
    if wait is not None:
        site.homeserver.metrics.refusal("/register-available", "rate_limited")
        retry = ("Retry-After", str(wait))
        return answers.json_answer(429, {"state": Availability.UNKNOWN.value}, retry)
    state = await side.names.look(localpart)
    said: dict[str, object] = {"username": localpart, "state": state.value}
    if state is Availability.TAKEN:
        said["free"] = list(await side.names.suggest(localpart))
    return answers.json_answer(200, said)
