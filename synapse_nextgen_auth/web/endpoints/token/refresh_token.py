"""A refresh token for the next pair (RFC 6749 section 6)."""

import attrs

from synapse_nextgen_auth.flows.refresh import Presented
from synapse_nextgen_auth.homeserver.live import UnknownSession
from synapse_nextgen_auth.oauth.errors import invalid_grant
from synapse_nextgen_auth.oauth.grants.grant_types import REFRESH_TOKEN
from synapse_nextgen_auth.oauth.grants.refresh_token import Verdict
from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind
from synapse_nextgen_auth.web.endpoints.token.exchange import Held, SameSession, Spent, TokenRequest
from synapse_nextgen_auth.web.site import Site


async def _find(site: Site, request: TokenRequest) -> Held:
    presented = session_tokens.read(site.issuer.keys, request.require("refresh_token"))
    if presented is None or presented.kind is not Kind.REFRESH:
        raise invalid_grant("not a refresh token of ours")
    try:
        session = await site.homeserver.live.find(presented.session_id)
    except UnknownSession:
        raise invalid_grant("unknown session") from None
    return Held(session, presented.generation)


async def _spend(site: Site, request: TokenRequest, held: Held) -> Spent:
    renewed = await site.rotations.refresh(
        held.session,
        Presented(
            request.client.client_id,
            held.generation,
            request.incoming.address,
            # What a token of another service may do is looked at for that service.
            request.form.get("scope") if held.target is None else None,
        ),
        now=site.now(),
        lifetimes=site.lifetimes.sessions,
    )
    site.homeserver.metrics.refresh(_COUNTED_AS[renewed.verdict])
    granted = held.session.granted
    part = renewed.part or granted
    if part.text == held.session.scope:  # as nearly always
        return Spent(held.session, renewed.generation)
    # In the client's own spelling.
    spelled = attrs.evolve(held.session, scope=part.text)
    return Spent(spelled, renewed.generation, mask=granted.mask_of(part))


_COUNTED_AS = {
    Verdict.ROTATE: "rotated",
    Verdict.REPEAT: "repeated",
    Verdict.RESTORED: "restored",
}


EXCHANGE = SameSession(name=REFRESH_TOKEN, find=_find, spend=_spend, gives_refresh_token=True)
