"""An access token for a service of others: a JWT (RFC 9068), or one that it has to ask about."""

from synapse_nextgen_auth.accounts.factors import levels
from synapse_nextgen_auth.oauth.resources import Format, Target
from synapse_nextgen_auth.oauth.tokens import access_jwt, session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token
from synapse_nextgen_auth.secret import Secret, random_id
from synapse_nextgen_auth.web.endpoints.token.exchange import Spent
from synapse_nextgen_auth.web.site import Site


async def mint(site: Site, spent: Spent, target: Target, *, expires_at: int) -> Secret:
    """Make the token of this session for this service."""
    session, server = spent.session, target.server
    if server.token_format is Format.OPAQUE:
        token = Token(
            Kind.RESOURCE, session.session_id, spent.generation, expires_at, mask=target.mask
        )
        return session_tokens.mint(site.issuer.keys, token)
    proven = session.proven(spent.generation)
    claims = access_jwt.Claims(
        issuer=site.issuer.identifier,
        audience=server.resource,
        subject=session.user_id,
        client_id=session.client_id,
        scope=" ".join(target.words),
        session_id=session.session_id,
        token_id=access_jwt.token_id(session.session_id, random_id()),
        expires_at=expires_at,
        auth_time=None if session.is_of_a_program else proven.auth_time,
        acr=None if session.is_of_a_program else levels.of_row(proven.acr, proven.level),
        amr=tuple((proven.amr or "").split()),
    )
    return await site.issuer.signing.sign_access(claims, server.algorithm)
