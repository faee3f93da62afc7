"""What a switched-off module still says: its tokens are good again later (CS API, soft logout).

A stock Synapse answers them with a hard 401, and clients throw their encryption keys away. All of it
goes by the shape of a token: no key, no table and no other setting of the module is needed.
"""

from typing import Any

from synapse.api.auth.internal import InternalAuth
from synapse.api.errors import InvalidClientTokenError
from synapse.server import HomeServer
from synapse.types import Requester

from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.tokens import session_tokens

NEEDS = (
    Needed(
        "synapse.api.auth.internal",
        "InternalAuth.get_user_by_access_token",
        ("token", "allow_expired"),
    ),
    *members("synapse.server", "HomeServer", "get_auth"),
)


class SoftAuth(InternalAuth):
    """The stock checker; whoever shows what looks like a token of ours hears a soft logout.

    An application service is found before this is asked, whatever its token looks like.
    """

    async def get_user_by_access_token(self, token: str, allow_expired: bool = False) -> Requester:  # noqa: FBT001, FBT002
        """Return who sends a request with this token; the signature is Synapse's."""
        if session_tokens.kind_of(token) is None:
            return await super().get_user_by_access_token(token, allow_expired)
        raise InvalidClientTokenError(
            "Signing in by the browser is switched off for now", soft_logout=True
        )


def install(hs: HomeServer) -> None:
    """Turn the living auth object into this one, unless another service checks the tokens."""
    auth: Any = hs.get_auth()
    if type(auth) is InternalAuth:
        patches.instead(auth, "__class__", SoftAuth)
