"""`factors`: who has second factors, taking those of somebody away who lost them, or stopping that."""

from typing import Any

from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.factors.lost import Cancelled, Request
from synapse_nextgen_auth.flows import lost_factors as cancelling
from synapse_nextgen_auth.flows import reset_factors
from synapse_nextgen_auth.store import factors, lost_factors
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Command, Refused
from synapse_nextgen_auth.web.endpoints.command.set_password_link import named
from synapse_nextgen_auth.web.site import Site


async def _list(site: Site, _asked: Asked) -> dict[str, Any]:
    found, now = await site.homeserver.read(factors.list_held), site.now()
    waiting = await site.homeserver.read(lost_factors.list_open, now=now)
    lost = {each.user_id: _waits(each, now) for each in waiting}
    return {
        "accounts": [
            {"user_id": user_id, **_said(held), "lost": lost.get(user_id)}
            for user_id, held in found
        ]
    }


async def _cancel(site: Site, asked: Asked) -> dict[str, Any]:
    user_id, why = await named(site, asked.needed("user")), asked.text("why")
    done = await site.homeserver.run(
        cancelling.cancel, user_id, Cancelled.COMMAND, now=site.now(), why=why
    )
    if not done:
        raise Refused("Nobody asked to have the second factors of this account removed")
    return {"user_id": user_id}


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
    return {
        "apps": held.apps,
        "passkeys": held.passkeys,
        "mail": held.mail,
        "recovery_codes": held.codes,
    }


def _waits(request: Request, now: int) -> dict[str, Any]:
    """Return what is told of a request to remove factors that are lost."""
    return {
        "asked_at": request.asked_at,
        "ready_at": request.ready_at,
        "expires_at": request.expires_at,
        "state": request.state(now).value,
    }


LIST = Command(frozenset(), _list)
CANCEL = Command(frozenset({"user", "why"}), _cancel)
RESET = Command(frozenset({"user", "why"}), _reset)
