"""Rows of approvals: a person lets a session do one dangerous thing, once (MSC4312)."""

from synapse_nextgen_auth.accounts.approvals import Approval, Operation
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_APPROVALS = Table("nextgen_approvals", Approval)


def add(txn: Txn, approval: Approval) -> None:
    """Insert an approval that a client asks for."""
    _APPROVALS.insert(txn, approval)


def get(txn: Txn, approval_id: str) -> Approval | None:
    """Return the approval with this id."""
    return _APPROVALS.one(txn, "WHERE approval_id = ?", approval_id)


def find_asked(
    txn: Txn, session_id: str, operation: Operation, *, since: int, now: int
) -> Approval | None:
    """Return what the session asked for since then and has not used, the newest first."""
    return _APPROVALS.one(
        txn,
        "WHERE session_id = ? AND operation = ? AND requested_at >= ? AND requested_at <= ?"
        " AND used_at IS NULL"
        " ORDER BY requested_at DESC, approval_id LIMIT 1",
        *(session_id, operation.value, since, now + SKEW),
    )


def approve(txn: Txn, approval_id: str, *, now: int) -> bool:
    """Mark it approved; False when it was already."""
    txn.execute(
        "UPDATE nextgen_approvals SET approved_at = ?"
        " WHERE approval_id = ? AND approved_at IS NULL AND used_at IS NULL",
        (now, approval_id),
    )
    return txn.rowcount == 1


def use(
    txn: Txn, *, user_id: str, session_id: str, operation: Operation, since: int, now: int
) -> bool:
    """Use up what was approved for this session since then; False when there is nothing."""
    txn.execute(
        "UPDATE nextgen_approvals SET used_at = ?"
        " WHERE user_id = ? AND session_id = ? AND operation = ?"
        " AND approved_at IS NOT NULL AND approved_at >= ? AND approved_at <= ?"
        " AND used_at IS NULL",
        (now, user_id, session_id, operation.value, since, now + SKEW),
    )
    return txn.rowcount >= 1


def withdraw(txn: Txn, user_id: str, *, now: int) -> None:
    """Make worthless what an account approved and no session used yet; what is only asked stays."""
    txn.execute(
        "UPDATE nextgen_approvals SET used_at = ?"
        " WHERE approved_at IS NOT NULL AND used_at IS NULL AND session_id IN"
        " (SELECT session_id FROM nextgen_sessions WHERE user_id = ?)",
        (now, user_id),
    )
