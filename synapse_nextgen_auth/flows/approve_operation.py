"""Let a session do one dangerous thing, once, because its person said so on a page of ours."""

from synapse_nextgen_auth.accounts.approvals import WINDOW, Approval, Operation
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import approvals, events
from synapse_nextgen_auth.store.txn import Txn


def ask(txn: Txn, approval: Approval) -> Approval:
    """Return the approval that the session waits for; a repeated question gets the same one."""
    asked = approvals.find_asked(
        txn,
        approval.session_id,
        approval.operation,
        since=approval.requested_at - WINDOW // 2,
        now=approval.requested_at,
    )
    if asked is not None:
        return asked
    approvals.add(txn, approval)
    return approval


def approve(txn: Txn, approval: Approval, *, now: int, address: str | None) -> bool:
    """Note that the person agrees; False when that was decided before."""
    if not approvals.approve(txn, approval.approval_id, now=now):
        return False
    events.add(
        txn,
        Event(
            EventKind.OPERATION_APPROVED,
            now,
            approval.user_id,
            session_id=approval.session_id,
            address=address,
            detail=approval.operation.value,
        ),
    )
    return True


def use(txn: Txn, *, user_id: str, session_id: str, operation: Operation, now: int) -> bool:
    """Use up the approval; False when there is none that is fresh enough."""
    return approvals.use(
        txn,
        user_id=user_id,
        session_id=session_id,
        operation=operation,
        since=now - WINDOW,
        now=now,
    )
