"""Which approval let a request pass, for whoever answers that request."""

from weakref import WeakKeyDictionary

from synapse.http.site import SynapseRequest

from synapse_nextgen_auth.accounts.approvals import Approval

_USED: WeakKeyDictionary[SynapseRequest, Approval] = WeakKeyDictionary()


def note(request: SynapseRequest, approval: Approval) -> None:
    """Remember, for as long as the request is there, what let it pass."""
    _USED[request] = approval


def of(request: SynapseRequest) -> Approval | None:
    """Return what let a request pass, `None` for one of which nobody was asked."""
    return _USED.get(request)
