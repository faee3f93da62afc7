"""`factors`: who has second factors, and taking those of somebody away who lost them."""

from typing import Any

from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.flows import reset_factors
from synapse_nextgen_auth.store import factors
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Command, Refused
from synapse_nextgen_auth.web.endpoints.command.set_password_link import named
from synapse_nextgen_auth.web.site import Site


async def _list(site: Site, _asked: Asked) -> dict[str, Any]:
    found = await site.homeserver.read(factors.list_held)
    return {"accounts": [{"user_id": user_id, **_said(held)} for user_id, held in found]}


async def _reset(site: Site, asked: Asked) -> dict[str, Any]:
    user_id = await named(site, asked.needed("user"))
    why = asked.text("why")
    done = await site.homeserver.run(
        reset_factors.reset,
        user_id,
        by=f"command: {why}" if why else "command",
        now=site.now(),
    )
    if done is None:
        raise Refused("This account has no second factor")
    return {"user_id": user_id, "has_password": done.has_password, **_said(done.had)}


def _said(held: Held) -> dict[str, int]:
    return {"apps": held.apps, "passkeys": held.passkeys, "recovery_codes": held.codes}


LIST = Command(frozenset(), _list)
RESET = Command(frozenset({"user", "why"}), _reset)
