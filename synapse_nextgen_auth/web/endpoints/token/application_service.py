"""The proof of a client that is an application service, for a token that stands for its `as_token`.

There is no account that could be closed, no session and no device: what the service may do stands in
its registration, and the token says nothing of it.
"""

import logging

from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.clients.application_service import ApplicationService
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_scope
from synapse_nextgen_auth.oauth.wording import logged
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.endpoints.token.exchange import TokenRequest
from synapse_nextgen_auth.web.site import Site

logger = logging.getLogger(__name__)

# RFC 8707 section 2
IS_FOR_SYNAPSE = "The token of an application service is for this homeserver: ask without resource"
HAS_NO_SCOPE = "An application service may do what its registration says: ask without scope"


def answer(site: Site, request: TokenRequest, written: ApplicationService) -> Outgoing:
    """Answer with a token for as long as any access token is good."""
    if request.form.get("scope"):
        raise invalid_scope(HAS_NO_SCOPE)
    if request.form.get("resource"):
        raise OAuthError("invalid_target", IS_FOR_SYNAPSE)
    client_id, lifetime = request.client.client_id, site.lifetimes.sessions.access_token
    token = site.application_services.mint(client_id, written.service_id, lifetime=lifetime)
    logger.info(
        "A token for application service %s: client %s, address %s",
        written.service_id,
        client_id,
        logged(request.incoming.address, 64),
    )
    body = {"access_token": token.reveal(), "token_type": "Bearer", "expires_in": lifetime}
    return answers.json_answer(200, body)
