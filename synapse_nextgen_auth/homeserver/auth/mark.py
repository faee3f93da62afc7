"""What marks a request with a token of ours, wherever in Synapse somebody looks at it."""

from synapse.types import Requester, create_requester

from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, API

# It travels between processes with the requester, no client can ask for it, and Synapse gives nothing
# for it.
OURS = "urn:nextgen-auth:session"
# So does this one: of whoever is an administrator, and has not proved enough to be one here.
UNPROVEN = "urn:nextgen-auth:unproven"
# The same for a request that may administer the server by its address, as MSC4484 has it.
ADMINISTERS_HERE = "urn:nextgen-auth:administers"


def is_ours(requester: Requester) -> bool:
    """Say whether the request carries a token of ours, whatever it may do.

    Until every process has this release, one of the release before may hand over a request that
    has the scope of the API instead of the mark; no token of Synapse has that.
    """
    return OURS in requester.scope or API in requester.scope


def is_narrow(requester: Requester) -> bool:
    """Say whether the request carries a token of ours that opens parts of the API alone."""
    return OURS in requester.scope and API not in requester.scope


def may_administer(requester: Requester) -> bool:
    """Say whether the token was granted the power over the server, and its person proved enough."""
    return has_admin_scope(requester) and UNPROVEN not in requester.scope


def has_admin_scope(requester: Requester) -> bool:
    """Say whether the token was granted the power over the server, or to use it by this request.

    Whatever its person proved.
    """
    return ADMIN in requester.scope or ADMINISTERS_HERE in requester.scope


def mark_unproven(requester: Requester) -> Requester:
    """Return who sends a request with a token of ours, as somebody who is no administrator here."""
    return create_requester(
        requester.user,
        is_guest=requester.is_guest,
        scope={*requester.scope, UNPROVEN},
        shadow_banned=requester.shadow_banned,
        device_id=requester.device_id,
        authenticated_entity=requester.authenticated_entity,
    )
