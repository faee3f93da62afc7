"""An authorization code for tokens (RFC 6749 section 4.1.3)."""

from synapse_nextgen_auth.accounts.admission import Reason
from synapse_nextgen_auth.accounts.people import Standing
from synapse_nextgen_auth.flows import redeem_code
from synapse_nextgen_auth.flows.begin_session import Opening
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_grant
from synapse_nextgen_auth.oauth.grants.grant_types import AUTHORIZATION_CODE
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import grants
from synapse_nextgen_auth.web.endpoints.token.exchange import (
    Found,
    NewSession,
    Spent,
    TokenRequest,
)
from synapse_nextgen_auth.web.site import Site


async def _find(site: Site, request: TokenRequest) -> Found:
    code = digest(request.require("code"))
    grant = await site.homeserver.read(grants.find_by_code, code)
    if grant is None or grant.user_id is None:
        raise invalid_grant("unknown code")
    is_spent = grant.redeemed_at is not None
    return Found(
        grant.user_id,
        grammar.of_row(grant.scope),
        is_spent=is_spent,
        words=grant.resource_scope,
    )


def _refuse_account(why: Reason) -> OAuthError:
    """Refuse a code of somebody who may not sign in any more (C101, C145)."""
    if why is Standing.SERVER_LIMIT:
        return OAuthError("temporarily_unavailable", "The server accepts no sign-ins now", 503)
    return invalid_grant(f"the account may not sign in: {why.value}")


async def _spend(site: Site, request: TokenRequest, opening: Opening) -> Spent:
    presented = redeem_code.Presented(
        code_digest=digest(request.require("code")),
        client_id=request.client.client_id,
        redirect_uri=request.form.get("redirect_uri"),
        verifier=request.form.get("code_verifier"),
        opening=opening,
    )
    redeemed = await site.homeserver.run(redeem_code.redeem, presented, now=site.now())
    return Spent(redeemed.session, redeemed.session.generation, nonce=redeemed.nonce)


EXCHANGE = NewSession(
    name=AUTHORIZATION_CODE,
    find=_find,
    refuse_account=_refuse_account,
    spend=_spend,
    gives_refresh_token=True,
    only_new_device=False,
)
