"""Who signed in (OpenID Connect Core section 5.3)."""

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.scopes.permissions import OPENID
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.oauth.tokens import bearer
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.site import Site


async def userinfo(site: Site, incoming: Incoming) -> Outgoing:
    """Answer with the claims that the scope allows."""
    return answers.json_answer(200, await _claims(site, await _session(site, incoming)))


def challenge(incoming: Incoming, refusal: OAuthError) -> tuple[tuple[str, str], ...]:
    """Return the header that says what is wrong with the token (RFC 6750 section 3)."""
    if refusal.code not in bearer.REFUSES:
        return ()
    if not incoming.has_header("Authorization"):
        return ((bearer.HEADER, bearer.challenge()),)
    missing = OPENID if refusal.code == bearer.INSUFFICIENT_SCOPE else None
    return ((bearer.HEADER, bearer.challenge(refusal.code, scope=missing)),)


async def _session(site: Site, incoming: Incoming) -> Session:
    scheme, _, text = (incoming.header("Authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise OAuthError(bearer.INVALID_TOKEN, bearer.IN_THE_HEADER, 401)
    session = await site.token_check.living(text, is_noted=incoming.method != "HEAD")
    if session is None:
        raise OAuthError(bearer.INVALID_TOKEN, "The access token is not valid", 401)
    try:
        await site.people.admit(session.user_id, Intent.USE)
    except NotAdmitted:
        raise OAuthError(bearer.INVALID_TOKEN, "The access token is not valid", 401) from None
    if await site.clients.find(session.client_id) is None:
        raise OAuthError(bearer.INVALID_TOKEN, "The access token is not valid", 401)
    if not session.granted.openid:
        raise OAuthError(bearer.INSUFFICIENT_SCOPE, "The token was not granted openid", 403)
    return session


async def _claims(site: Site, session: Session) -> dict[str, object]:
    claims: dict[str, object] = {"sub": session.user_id}
    if session.granted.profile:
        name, picture = await site.people.profile(session.user_id)
        claims["preferred_username"] = session.user_id
        claims |= {"name": name} if name else {}
        claims |= {"picture": picture} if picture else {}
    if session.granted.email:
        email = await site.people.email(session.user_id)
        claims |= {"email": email, "email_verified": True} if email else {}
    return claims
