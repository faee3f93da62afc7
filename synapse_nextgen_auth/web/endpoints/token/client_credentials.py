"""A client's own proof for a token of its service account (RFC 6749 section 4.4)."""

from synapse_nextgen_auth.accounts.admission import Reason
from synapse_nextgen_auth.flows import service_accounts
from synapse_nextgen_auth.flows.begin_session import Opening
from synapse_nextgen_auth.flows.service_accounts import Written
from synapse_nextgen_auth.oauth.clients import service
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.clients.service import Service
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.grant_types import CLIENT_CREDENTIALS
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.web.endpoints.token.exchange import (
    Found,
    OneSession,
    Spent,
    TokenRequest,
)
from synapse_nextgen_auth.web.site import Site


async def _find(site: Site, request: TokenRequest) -> Found:
    known = _service(request.client)
    user_id = known.user_id(site.homeserver.server_name)
    if request.target(site, known.scope, known.words) is not None:
        return Found(user_id, known.scope, words=known.words)
    wanted = service.part(known, request.form.get("scope"))
    mask = known.scope.mask_of(wanted)
    return Found(user_id, known.scope, mask=mask, words=known.words)


def _service(client: Client) -> Service:
    if client.service is None:
        raise OAuthError("unauthorized_client", "The client has no service account")
    return client.service


def _refuse_account(why: Reason) -> OAuthError:
    """Say so to the operator, who is the one to read this."""
    return OAuthError("access_denied", f"The service account may not go on: {why.value}")


async def _standing(site: Site, request: TokenRequest, found: Found) -> Session | None:
    written = Written(request.client.client_id, found.user_id, found.scope, found.words)
    return await site.homeserver.run(
        service_accounts.find, written, lifetimes=site.lifetimes.sessions, now=site.now()
    )


async def _spend(site: Site, request: TokenRequest, opening: Opening) -> Spent:
    known = _service(request.client)
    user_id = known.user_id(site.homeserver.server_name)
    session = await site.homeserver.run(
        service_accounts.begin_or_find,
        Written(request.client.client_id, user_id, known.scope, known.words),
        opening,
        lifetimes=site.lifetimes.sessions,
        now=site.now(),
    )
    return Spent(session, session.generation)


EXCHANGE = OneSession(
    name=CLIENT_CREDENTIALS,
    find=_find,
    refuse_account=_refuse_account,
    standing=_standing,
    spend=_spend,
    gives_refresh_token=False,
    only_new_device=False,
)
