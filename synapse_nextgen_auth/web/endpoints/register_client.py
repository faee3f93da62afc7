"""Dynamic client registration (RFC 7591, MSC2966)."""

import logging

import attrs

from synapse_nextgen_auth.flows import register_client
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.homeserver.threads import in_thread
from synapse_nextgen_auth.oauth.clients import record
from synapse_nextgen_auth.oauth.clients.client_metadata import Metadata, read_metadata, refuse_size
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import DRAINING, OAuthError, invalid_request
from synapse_nextgen_auth.secret import Secret, random_id, random_token
from synapse_nextgen_auth.web import answers, forms
from synapse_nextgen_auth.web.clients import hash_secret
from synapse_nextgen_auth.web.site import Site

logger = logging.getLogger(__name__)

_SWITCHED_OFF = OAuthError("access_denied", "Clients cannot register themselves here", 403)
_TOO_MANY = OAuthError("temporarily_unavailable", "Too many new registrations, wait a while", 429)


async def register(site: Site, incoming: Incoming) -> Outgoing:
    """Register a client, or greet one that is known with the same `client_id`."""
    if site.config.drain:
        raise DRAINING
    if not site.config.client_registration.enabled:
        raise _SWITCHED_OFF
    if incoming.content_type != "application/json":
        raise invalid_request("The content type must be application/json")
    document = forms.parse_json(incoming.body)
    too_large = refuse_size(incoming.body)
    if too_large is not None:
        raise too_large
    metadata = read_metadata(document, rules=site.clients.registration_rules)
    client = register_client.client_of(metadata, random_id=random_id(), now=site.now())
    known = await site.homeserver.run(register_client.greet, client)
    if known is not None:
        return _answer(known, metadata)
    # Nobody may fill the database with clients, nor keep those there that are of no use.
    wait = await site.rates.registrations.count(incoming.address)
    if wait is not None:
        return answers.error(_TOO_MANY, ("Retry-After", str(wait)))
    logger.info("Registering client %s of %s", client.client_id, ", ".join(client.places()))
    secret = random_token() if client.auth_method.needs_secret else None
    if secret is not None:
        hashed = await in_thread(site.homeserver.hs, hash_secret, secret)
        client = attrs.evolve(client, secret_hash=hashed)
    registered = await site.homeserver.run(register_client.register, client)
    return _answer(registered, metadata, issued_secret=secret)


def _answer(client: Client, sent: Metadata, *, issued_secret: Secret | None = None) -> Outgoing:
    """Tell the client what it is called here; one that is known may listen at other ports today."""
    told = attrs.evolve(client, redirect_uris=sent.redirect_uris)
    return answers.json_answer(201, record.document(told, issued_secret=issued_secret))
