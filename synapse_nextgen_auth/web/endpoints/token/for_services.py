"""An access token for a service of others: a JWT (RFC 9068), or one that it has to ask about."""

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.factors import levels
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.errors import unavailable
from synapse_nextgen_auth.oauth.resources import Format, Target
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.oauth.tokens import access_jwt, session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token
from synapse_nextgen_auth.secret import Secret
from synapse_nextgen_auth.web.endpoints.token.exchange import Spent
from synapse_nextgen_auth.web.site import Site


async def refuse_account(site: Site, session: Session) -> None:
    """Give a locked account nothing new, in words that let its client keep what it has (C101)."""
    try:
        await site.people.admit(session.user_id, Intent.USE)
    except NotAdmitted as refused:
        raise unavailable(f"no token for a service: the account is {refused.why.value}") from None


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
        generation=spent.generation,
        token_id=access_jwt.token_id(site.issuer.keys, session.session_id, spent.generation),
        expires_at=expires_at,
        auth_time=None if session.is_of_a_program else proven.auth_time,
        acr=None if session.is_of_a_program else levels.of_row(proven.acr, proven.level),
        amr=tuple((proven.amr or "").split()),
    )
    return await site.issuer.signing.sign_access(claims, server.algorithm)


def handed_over(site: Site, spent: Spent, target: Target) -> None:
    """Take a JWT for used when it leaves: a service that checks the signature tells us of no use.

    Or else whoever has a copy of the refresh token before it would get the same pair for ever (C094).
    A client that does not get the answer has the grace for asking again.
    """
    if target.server.token_format is Format.JWT:
        site.token_check.activity.seen(spent.session, spent.generation, site.now())
