"""What marks a request with a token of ours, wherever in Synapse somebody looks at it."""

from synapse.types import Requester

from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, API

# It travels between processes with the requester, no client can ask for it, and Synapse gives nothing
# for it.
OURS = "urn:nextgen-auth:session"


def is_ours(requester: Requester) -> bool:
    """Say whether the request carries a token of ours, whatever it may do.

    Until every process has this release, one of the release before may hand over a request that
    has the scope of the API instead of the mark; no token of Synapse has that.
    """
    return OURS in requester.scope or API in requester.scope


def may_administer(requester: Requester) -> bool:
    """Say whether the token was granted the power over the server."""
    return ADMIN in requester.scope
