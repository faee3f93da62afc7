"""The device authorization endpoint (RFC 8628 section 3.1, MSC4341)."""

import logging

from synapse_nextgen_auth.flows import device
from synapse_nextgen_auth.homeserver.http import MAX_USER_AGENT, Incoming, Outgoing
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import DRAINING, OAuthError, unavailable
from synapse_nextgen_auth.oauth.grants import user_codes
from synapse_nextgen_auth.oauth.grants.device_grants import DeviceGrant
from synapse_nextgen_auth.oauth.grants.grant_types import DEVICE_CODE
from synapse_nextgen_auth.oauth.scopes import grammar
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
    scope = grammar.parse(form.get("scope", ""))
    wait = await site.rates.device_requests.count(incoming.address)
    if wait is not None:
        return answers.error(_TOO_MANY, ("Retry-After", str(wait)))
    device_code = random_token()
    user_code = await _begin(site, incoming, client, scope.text, device_code)
    site.homeserver.metrics.grant("requested")
    logger.info("Client %s began a device grant, scope %s", client.client_id, scope.text)
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


async def _begin(
    site: Site, incoming: Incoming, client: Client, scope: str, device_code: Secret
) -> str:
    """Draw user codes until one is free."""
    now = site.now()
    for _ in range(_TRIES):
        user_code = random_letters(user_codes.ALPHABET, user_codes.LENGTH)
        code, half = user_codes.keyed(site.issuer.keys, user_code)
        grant = DeviceGrant(
            grant_id=random_id(),
            client_id=client.client_id,
            scope=scope,
            user_code_sealed=user_codes.seal(site.issuer.keys, user_code),
            address=incoming.address,
            user_agent=incoming.user_agent[:MAX_USER_AGENT],
            created_at=now,
            expires_at=now + site.config.device_grants.lifetime,
            poll_interval=site.config.device_grants.interval,
        )
        codes = Codes(digest(device_code.reveal()), code, half)
        if await site.homeserver.run(device.request, grant, codes):
            return user_code
    raise unavailable("no free user code was found")
