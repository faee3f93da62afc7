"""Which approval let a request pass, for whoever answers that request."""

from weakref import WeakKeyDictionary

from synapse.http.site import SynapseRequest
from synapse.logging.context import current_context

from synapse_nextgen_auth.accounts.approvals import Approval
from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (
    Needed("synapse.http.site", "SynapseRequest"),
    Needed("synapse.logging.context", "current_context"),
)

_USED: WeakKeyDictionary[SynapseRequest, Approval] = WeakKeyDictionary()


def note(request: SynapseRequest, approval: Approval) -> None:
    """Remember, for as long as the request is there, what let it pass."""
    _USED[request] = approval


def of(request: SynapseRequest) -> Approval | None:
    """Return what let a request pass, `None` for one of which nobody was asked."""
    return _USED.get(request)


def is_approved() -> bool:
    """Say whether an approval let the request pass that this is done for."""
    here = getattr(current_context(), "request", None)
    contexts = (request.logcontext for request in _USED)
    return here is not None and any(each and each.request is here for each in contexts)
