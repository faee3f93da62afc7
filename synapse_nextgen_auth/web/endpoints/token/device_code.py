"""An approved device code for tokens; until then what it waits for (RFC 8628 section 3.4)."""

from synapse_nextgen_auth.accounts.admission import Reason
from synapse_nextgen_auth.flows import device
from synapse_nextgen_auth.flows.begin_session import Opening
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.device_grants import DeviceGrant, Poll, polled, refuse_poll
from synapse_nextgen_auth.oauth.grants.grant_types import DEVICE_CODE
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.web.endpoints.token.exchange import (
    Found,
    NewSession,
    Spent,
    TokenRequest,
)
from synapse_nextgen_auth.web.site import Site


async def _find(site: Site, request: TokenRequest) -> Found:
    code = digest(request.require("device_code"))
    grant = polled(await site.homeserver.lookups.polled(code), client_id=request.client.client_id)
    poll = grant.poll(site.now())
    if poll is Poll.PENDING:
        await _refuse_haste(site, grant)
    refusal = refuse_poll(poll)
    if refusal is not None:
        raise OAuthError(*refusal)
    scope = grammar.of_row(grant.scope)
    return Found(grant.user_id or "", scope, words=grant.resource_scope)


async def _refuse_haste(site: Site, grant: DeviceGrant) -> None:
    """Tell a device that polls too fast to slow down; only then something is written (C141)."""
    too_fast = site.rates.polls.is_too_fast(grant.grant_id, interval=grant.poll_interval)
    if too_fast or grant.is_slowed(site.now()):
        await site.homeserver.run(device.slow_down, grant, now=site.now())
        raise OAuthError("slow_down", "Poll less often: the interval is five seconds longer now")


def _refuse_account(_why: Reason) -> OAuthError:
    return OAuthError("access_denied", "The account may not sign in")


async def _spend(site: Site, request: TokenRequest, opening: Opening) -> Spent:
    session = await site.homeserver.run(
        device.redeem, digest(request.require("device_code")), opening, now=site.now()
    )
    return Spent(session, session.generation)


EXCHANGE = NewSession(
    name=DEVICE_CODE,
    find=_find,
    refuse_account=_refuse_account,
    spend=_spend,
    gives_refresh_token=True,
    only_new_device=True,
)
