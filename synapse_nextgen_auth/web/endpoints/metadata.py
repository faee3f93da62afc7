"""Discovery and public keys."""

import json

from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.site import Site


async def metadata(site: Site, incoming: Incoming) -> Outgoing:  # noqa: ARG001
    """Answer with the discovery document, the same bytes on every path."""
    return answers.document(site.issuer.document())


async def keys(site: Site, incoming: Incoming) -> Outgoing:
    """Answer with the public signing keys (RFC 7517)."""
    published = await site.issuer.signing.public_jwks(may_make=incoming.method != "HEAD")
    jwks = [json.loads(jwk) for jwk in published]
    return answers.document(json.dumps({"keys": jwks}).encode("utf-8"))
