"""Which other sites may use the passkeys that were made here (WebAuthn Level 3 section 5.11)."""

import json

from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.site import Site


async def related_origins(site: Site, incoming: Incoming) -> Outgoing:  # noqa: ARG001
    """Answer a browser that asks for them."""
    origins = list(site.config.factors.passkey_origins)
    return answers.document(json.dumps({"origins": origins}).encode("utf-8"))
