"""The device authorization endpoint (RFC 8628 section 3.1, MSC4341)."""

import logging

import attrs

from synapse_nextgen_auth.accounts.factors import levels
from synapse_nextgen_auth.flows import device
from synapse_nextgen_auth.homeserver.http import MAX_USER_AGENT, Incoming, Outgoing
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import DRAINING, OAuthError, invalid_request, unavailable
from synapse_nextgen_auth.oauth.grants import user_codes
from synapse_nextgen_auth.oauth.grants.device_grants import DeviceGrant
from synapse_nextgen_auth.oauth.grants.grant_types import DEVICE_CODE
from synapse_nextgen_auth.secret import (
    Secret,
    digest,
    random_id,
    random_letters,
    random_token,
)
from synapse_nextgen_auth.store.device_grants import Codes
from synapse_nextgen_auth.web import answers, clients, forms
from synapse_nextgen_auth.web.site import Site

logger = logging.getLogger(__name__)

_TRIES = 5
# Nobody is turned away because a hint is too long to be kept.
_MAX_HINT = 2048
_TOO_MANY = OAuthError("temporarily_unavailable", "Too many requests, wait a while", 429)


async def device_authorization(site: Site, incoming: Incoming) -> Outgoing:
    """Begin a device grant and hand out its codes."""
    if not site.config.device_grants.enabled:
        raise OAuthError("invalid_request", "The device grant is switched off here", 404)
    if site.config.drain:
        raise DRAINING
    form = forms.once(forms.parse(incoming.body))
    client = await clients.authenticate(site, incoming, form)
    if DEVICE_CODE not in client.grant_types:
        raise OAuthError("unauthorized_client", "The client did not register the device grant")
    wanted = site.resources.asked(form.get("scope", ""), form.get("resource"))
    asked_for = await _asked_for(site, client, form.get("id_token_hint"))
    login_hint = form.get("login_hint")
    if login_hint is not None and len(login_hint) > _MAX_HINT:
        login_hint = None
    wait = await site.rates.device_requests.count(incoming.address)
    if wait is not None:
        return answers.error(_TOO_MANY, ("Retry-After", str(wait)))
    device_code = random_token()
    asks = DeviceGrant(
        grant_id=random_id(),
        client_id=client.client_id,
        scope=wanted.scope.text,
        resource_scope=wanted.words,
        user_code_sealed="",
        address=incoming.address,
        user_agent=incoming.user_agent[:MAX_USER_AGENT],
        created_at=site.now(),
        expires_at=site.now() + site.config.device_grants.lifetime,
        poll_interval=site.config.device_grants.interval,
        login_hint=login_hint,
        asked_for=asked_for,
        acr_values=_acr_values(form.get("acr_values")) or levels.wish(client.default_acr_values),
    )
    user_code = await _begin(site, asks, device_code)
    site.homeserver.metrics.grant("requested")
    logger.info("Client %s began a device grant, scope %s", client.client_id, asks.asked)
    link = site.issuer.endpoints.url("link")
    return answers.json_answer(
        200,
        {
            "device_code": device_code.reveal(),
            "user_code": user_codes.show(user_code),
            "verification_uri": link,
            "verification_uri_complete": f"{link}?user_code={user_codes.show(user_code)}",
            "expires_in": site.config.device_grants.lifetime,
            "interval": site.config.device_grants.interval,
        },
    )


def _acr_values(text: str | None) -> str | None:
    """Return what is asked of the person who lets the device in (RFC 9470 section 4)."""
    if text is not None and len(text) > _MAX_HINT:
        raise invalid_request(f"acr_values is longer than {_MAX_HINT} characters")
    return " ".join((text or "").split()) or None


async def _asked_for(site: Site, client: Client, id_token_hint: str | None) -> str | None:
    """Return the one account that may let the device in, from `id_token_hint`; `None` where any may."""
    if id_token_hint is None:
        return None
    hint = await site.issuer.signing.hinted(
        id_token_hint, issuer=site.issuer.identifier, audience=client.client_id
    )
    if hint is None:
        raise invalid_request("id_token_hint is no ID token of this server for this client")
    return hint.user_id


async def _begin(site: Site, asks: DeviceGrant, device_code: Secret) -> str:
    """Draw user codes until one is free."""
    for _ in range(_TRIES):
        user_code = random_letters(user_codes.ALPHABET, user_codes.LENGTH)
        code, half = user_codes.keyed(site.issuer.keys, user_code)
        sealed = user_codes.seal(site.issuer.keys, user_code)
        grant = attrs.evolve(asks, user_code_sealed=sealed)
        codes = Codes(digest(device_code.reveal()), code, half)
        if await site.homeserver.run(device.request, grant, codes):
            return user_code
    raise unavailable("no free user code was found")
