"""Token introspection (RFC 7662), for clients that prove who they are and about their own tokens.

A service that the operator wrote down hears of tokens that are for it, and of nobody else's.
"""

from typing import TYPE_CHECKING

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.factors import levels
from synapse_nextgen_auth.flows import refresh
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import invalid_client, invalid_request
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token
from synapse_nextgen_auth.web import answers, clients, forms
from synapse_nextgen_auth.web.site import Site

if TYPE_CHECKING:
    from synapse_nextgen_auth.web.endpoints import introspect_services as of_services
else:
    of_services = late.file("web.endpoints.introspect_services")


async def introspect(site: Site, incoming: Incoming) -> Outgoing:
    """Say what a token is good for; nothing at all about anybody else's (C134, C135)."""
    form = forms.once(forms.parse(incoming.body))
    client = await clients.authenticate(site, incoming, form)
    if client.is_public:
        raise invalid_client("a public client may not introspect")
    text = form.get("token")
    if text is None:
        raise invalid_request("token is missing")
    return answers.json_answer(200, await _describe(site, client, text))


async def _describe(site: Site, client: Client, text: str) -> dict[str, object]:
    if session_tokens.kind_of(text) is Kind.SERVICE:
        return _describe_service(site, client, text)
    token = session_tokens.read(site.issuer.keys, text)
    if (token is None and text.count(".") == 2) or (token and token.kind is Kind.RESOURCE):
        return await of_services.describe(site, client, token or text)
    session = await _session(site, token) if token else None
    if token is None or session is None or not _may_know(site, client, session):
        return {"active": False}
    described: dict[str, object] = {
        "active": True,
        "scope": await site.people.scope_in_force(session),
        "username": session.user_id,
        "sub": session.user_id,
        "iss": site.issuer.identifier,
        "iat": session.created_at,
        "token_type": "refresh_token" if token.kind is Kind.REFRESH else "Bearer",
    }
    if not session.is_personal:
        described |= {"client_id": session.client_id, "aud": session.client_id}
    proven = session.proven(token.generation)
    described |= {
        "auth_time": proven.auth_time,
        "acr": levels.of_row(proven.acr, proven.level),
        **({"amr": proven.amr.split()} if proven.amr else {}),
    }
    if token.expires_at:
        described["exp"] = token.expires_at
    if session.device_id is not None:
        described["device_id"] = session.device_id
    return described


def _describe_service(site: Site, client: Client, text: str) -> dict[str, object]:
    """Say of the token of an application service what Synapse takes it for, to the client it is."""
    good = site.application_services.find(text)
    if good is None or good.holder.client_id != client.client_id:
        return {"active": False}
    user_id = good.holder.user_id
    return {
        "active": True,
        "username": user_id,
        "sub": user_id,
        "iss": site.issuer.identifier,
        "client_id": client.client_id,
        "aud": client.client_id,
        "exp": good.token.expires_at,
        "token_type": "Bearer",
    }


def _may_know(site: Site, client: Client, session: Session) -> bool:
    """Say whether a client may hear of a session: its own, or one of a personal token.

    That is of no client, so those may whom the operator wrote down: to them people hand it who use
    it there.
    """
    if not session.is_personal:
        return session.client_id == client.client_id
    return any(each.client.client_id == client.client_id for each in site.config.clients)


async def _session(site: Site, token: Token) -> Session | None:
    """Return the living session for which this token still works."""
    is_refresh = token.kind is Kind.REFRESH
    session = await (_of_refresh(site, token) if is_refresh else site.token_check.living(token))
    if session is None:
        return None
    try:
        await site.people.admit(session.user_id, Intent.USE)
    except NotAdmitted:
        return None
    return session


async def _of_refresh(site: Site, token: Token) -> Session | None:
    """Look at the row itself: what this process remembers does not know of later refreshes."""
    return await site.homeserver.read(
        refresh.look,
        token.session_id,
        token.generation,
        now=site.now(),
        lifetimes=site.lifetimes.sessions,
    )
