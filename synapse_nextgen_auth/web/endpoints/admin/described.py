"""`/api/spec.json`: the OpenAPI document, for anybody."""

from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.endpoints.admin import openapi
from synapse_nextgen_auth.web.site import Site


async def spec(site: Site, _incoming: Incoming) -> Outgoing:
    """Answer with the document."""
    return answers.json_answer(200, openapi.document(site.issuer.identifier))
