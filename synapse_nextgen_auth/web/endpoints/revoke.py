"""Token revocation (RFC 7009, MSC4254): ends the session and deletes its device, as /logout does."""

from collections.abc import Mapping

from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_request
from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind
from synapse_nextgen_auth.web import answers, clients, forms
from synapse_nextgen_auth.web.site import Site

_MAX_TOKEN = 4096


async def revoke(site: Site, incoming: Incoming) -> Outgoing:
    """Answer a revocation: 200 whether or not there was anything to revoke."""
    form = forms.once(forms.parse(incoming.body))
    text = form.get("token")
    if text is None:
        raise invalid_request("token is missing")
    if len(text) > _MAX_TOKEN:
        raise invalid_request("token is too long")
    client_id = await _who(site, incoming, form)
    if session_tokens.kind_of(text) is Kind.SERVICE:
        await site.application_services.revoke(text)
        return answers.json_answer(200, {})
    token = session_tokens.read(site.issuer.keys, text)
    if (token and token.kind is Kind.RESOURCE) or await _is_for_a_service(site, text):
        # A service holds it, and must not be able to sign anybody out of Matrix by it.
        raise OAuthError("unsupported_token_type", "Revoke the refresh token instead")
    if token is not None:
        # Any authentic token of the session will do, an old one too: whoever found a leaked one
        # must be able to kill what it stands for (C124).
        revoked = await site.homeserver.run(
            end_session.revoke,
            token.session_id,
            client_id=client_id,
            now=site.now(),
            address=incoming.address,
        )
        if revoked.session is not None:
            await site.devices.logged_out(revoked.session)
        if revoked.device_id is not None:
            # When that must wait the client hears so: it may ask again, or forget the matter.
            await site.devices.remove(
                revoked.user_id, revoked.device_id, is_over=revoked.session is not None
            )
    return answers.json_answer(200, {})


async def _is_for_a_service(site: Site, text: str) -> bool:
    if text.count(".") != 2:
        return False
    issuer = site.issuer.identifier
    return await site.issuer.signing.read_access(text, issuer=issuer) is not None


async def _who(site: Site, incoming: Incoming, form: Mapping[str, str]) -> str | None:
    """Return the client that revokes; one that shows credentials must be right about them (C126).

    One that shows none may revoke too, be it unknown or another one (MSC4254, C125).
    """
    shows = incoming.has_header("Authorization") or {"client_secret", "client_assertion"} & set(
        form
    )
    if shows:
        return (await clients.authenticate(site, incoming, form)).client_id
    return form.get("client_id")
