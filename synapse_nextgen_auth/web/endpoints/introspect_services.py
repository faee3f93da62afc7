"""What a token for a service of others is good for: asked by the service, or by its client."""

from collections.abc import Sequence

import attrs

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.factors import levels
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth import resources
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.resources import ResourceServer
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.oauth.tokens.access_jwt import Claims
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token
from synapse_nextgen_auth.web.site import Site

_OVER: dict[str, object] = {"active": False}


async def describe(site: Site, client: Client, presented: Token | str) -> dict[str, object]:
    """Say what is so at this moment: a signature goes on being good when a session is over."""
    if isinstance(presented, Token):
        return await _describe_opaque(site, client, presented)
    claims = await site.issuer.signing.read_access(presented, issuer=site.issuer.identifier)
    server = site.resources.at(claims.audience) if claims else None
    if claims is None or server is None:
        return _OVER
    token = Token(Kind.RESOURCE, claims.session_id, claims.generation, claims.expires_at)
    session = await _session(site, token)
    if session is None or not _may_know(client, session, server):
        return _OVER
    held = (session.resource_scope or "").split()
    said = ((word, resources.kept(server.resource, word)) for word in claims.scope.split())
    words = [word for word, each in said if each in held and site.resources.of_kept(each) is server]
    if not words:
        return _OVER
    return _said(site, session, server, words) | {
        "exp": claims.expires_at,
        "iat": claims.issued_at,
        "jti": claims.token_id,
        **_proven_in(claims),
    }


async def _describe_opaque(site: Site, client: Client, token: Token) -> dict[str, object]:
    session = await _session(site, token)
    held = (session.resource_scope or "").split() if session else []
    # All of them are of one service, as far as they are still there.
    its = [each for n, each in enumerate(held) if (token.mask or 0) >> n & 1]
    server = next(filter(None, map(site.resources.of_kept, its)), None)
    if session is None or server is None or not _may_know(client, session, server):
        return _OVER
    words = site.resources.holds(server, session.resource_scope, token.mask or 0)
    proven = session.proven(token.generation)
    said = _said(site, session, server, words) | {"exp": token.expires_at}
    if session.is_of_a_program:
        return said
    return said | {
        "auth_time": proven.auth_time,
        "acr": levels.of_row(proven.acr, proven.level),
        **({"amr": proven.amr.split()} if proven.amr else {}),
    }


def _said(
    site: Site, session: Session, server: ResourceServer, words: Sequence[str]
) -> dict[str, object]:
    return {
        "active": True,
        "scope": " ".join(words),
        "client_id": session.client_id,
        "username": session.user_id,
        "sub": session.user_id,
        "aud": server.resource,
        "iss": site.issuer.identifier,
        "token_type": "Bearer",
    }


def _proven_in(claims: Claims) -> dict[str, object]:
    said = {"auth_time": claims.auth_time, "acr": claims.acr, "amr": list(claims.amr) or None}
    return {name: value for name, value in said.items() if value is not None}


def _may_know(client: Client, session: Session, server: ResourceServer) -> bool:
    """Say whether a client may hear of a token: one of its own, or one that is for it (C134, C135)."""
    asking = server.client.client.client_id if server.client else None
    return client.client_id in {session.client_id, asking}


async def _session(site: Site, token: Token) -> Session | None:
    """Return the living session behind a token, whose account is one that may be used."""
    session = await site.token_check.living(attrs.evolve(token, mask=None))
    if session is None:
        return None
    try:
        await site.people.admit(session.user_id, Intent.USE)
    except NotAdmitted:
        return None
    return session
