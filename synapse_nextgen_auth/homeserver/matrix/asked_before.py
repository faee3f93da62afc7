"""What a servlet of ours asks of a request before Synapse's own does."""

from typing import Any

from synapse.api.errors import AuthError, Codes
from synapse.http.servlet import parse_json_object_from_request
from synapse.http.site import SynapseRequest
from synapse.types import Requester

from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

NEEDS = (
    Needed("synapse.api.auth.internal", "InternalAuth.has_access_token", ("request",)),
    Needed("synapse.api.auth.internal", "InternalAuth.get_access_token_from_request", ("request",)),
    Needed("synapse.api.auth.internal", "InternalAuth.get_user_by_req", ("request",)),
    *members("synapse.server", "HomeServer", "get_auth"),
)


def token_of_ours(servlet: Any, request: SynapseRequest) -> str | None:
    """Return the token of the request if it claims to be ours, living or not."""
    auth = servlet.hs.get_auth()
    if not auth.has_access_token(request):
        return None
    text: str = auth.get_access_token_from_request(request)
    return text if auth.is_token_of_ours(text) else None


async def refuse_ours(servlet: Any, request: SynapseRequest, what: str, instead: str) -> None:
    """Refuse a token of ours, a dead one as every endpoint does; any other is Synapse's matter."""
    if token_of_ours(servlet, request) is None:
        return
    await servlet.hs.get_auth().get_user_by_req(request)
    raise AuthError(
        403,
        f"A session that was opened in the browser cannot {what}. {instead}",
        Codes.FORBIDDEN,
    )


def peek(request: SynapseRequest) -> dict[str, Any]:
    """Return what a request says, and leave it for Synapse to read."""
    body: dict[str, Any] = parse_json_object_from_request(request)
    assert request.content is not None  # noqa: S101 (read just now)
    request.content.seek(0)
    return body


class AskedOnce:
    """Synapse's auth object for a servlet that asks before Synapse does: a request has one answer."""

    def __init__(self, auth: Any) -> None:
        self._auth = auth

    async def get_user_by_req(self, request: SynapseRequest) -> Requester:
        """Return who sends the request, by Synapse's whole check."""
        known = request.requester
        if isinstance(known, Requester):
            return known
        requester: Requester = await self._auth.get_user_by_req(request)
        return requester
