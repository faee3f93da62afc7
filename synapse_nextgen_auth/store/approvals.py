"""Rows of approvals: a person lets a session do one dangerous thing, once (MSC4312)."""

from synapse_nextgen_auth.accounts.approvals import WINDOW, Approval, Operation
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_APPROVALS = Table("nextgen_approvals", Approval)


def add(txn: Txn, approval: Approval) -> bool:
    """Insert an approval that a client asks for; False where the same is asked for already."""
    return _APPROVALS.insert_new(txn, approval)


def get(txn: Txn, approval_id: str) -> Approval | None:
    """Return the approval with this id."""
    return _APPROVALS.one(txn, "WHERE approval_id = ?", approval_id)


def meet(txn: Txn, approval_id: str) -> Approval | None:
    """Return the approval with this id; whoever decides at this moment meets this transaction."""
    txn.execute(
        "UPDATE nextgen_approvals SET approval_id = approval_id WHERE approval_id = ?",
        (approval_id,),
    )
    return get(txn, approval_id)


def of_ui_session(txn: Txn, ui_session: str) -> Approval | None:
    """Return the approval that clients know by this session of Synapse's."""
    return _APPROVALS.one(txn, "WHERE ui_session = ?", ui_session)


def list_for(
    txn: Txn, session_id: str, operation: Operation, body: str, *, now: int
) -> list[Approval]:
    """Return what may be the approval of a request of a session, and is not used up.

    Also what ended with another for the same request: its client knows it by that one's name.
    """
    return _APPROVALS.all(
        txn,
        "WHERE session_id = ? AND operation = ? AND (body = ? OR body IS NULL)"
        " AND requested_at >= ? AND requested_at <= ?"
        " AND (used_at IS NULL OR approved_at IS NULL AND refused_at IS NULL)",
        *(session_id, operation.value, body, now - 2 * WINDOW, now + SKEW),
    )


def list_resets(txn: Txn, user_id: str, *, now: int) -> list[Approval]:
    """Return the resets of an account that wait or are allowed, the newest first."""
    return _APPROVALS.all(
        txn,
        "WHERE operation = ? AND user_id = ? AND session_id IN"
        " (SELECT session_id FROM nextgen_sessions WHERE user_id = ? AND ended_at IS NULL)"
        " AND requested_at >= ? AND requested_at <= ? AND used_at IS NULL"
        " ORDER BY requested_at DESC, approval_id",
        *(Operation.CROSS_SIGNING_RESET.value, user_id, user_id, now - 2 * WINDOW, now + SKEW),
    )


def count_waiting(txn: Txn, approval: Approval, *, since: int) -> int:
    """Return how much the session of this one has asked for since then that nobody decided.

    Legacy tokens of an account are told apart by their devices: none fills the place of another.
    """
    txn.execute(
        "SELECT COUNT(*) FROM nextgen_approvals WHERE session_id = ? AND requested_at > ?"
        " AND COALESCE(device_id, '') = ?"
        " AND approved_at IS NULL AND refused_at IS NULL AND used_at IS NULL",
        (approval.session_id, since, approval.device_id or ""),
    )
    row = txn.fetchone()
    return int(row[0]) if row else 0


def approve(txn: Txn, approval_id: str, *, by: str, now: int) -> bool:
    """Mark it approved by a sign-in; False when it was decided already."""
    return _decide(txn, "approved_at", approval_id, by, now)


def refuse(txn: Txn, approval_id: str, *, by: str, now: int) -> bool:
    """Mark it refused by a sign-in; False when it was decided already."""
    return _decide(txn, "refused_at", approval_id, by, now)


def _decide(txn: Txn, how: str, approval_id: str, by: str, now: int) -> bool:
    txn.execute(
        f"UPDATE nextgen_approvals SET {how} = ?, decided_by = ?"
        " WHERE approval_id = ? AND approved_at IS NULL AND refused_at IS NULL AND used_at IS NULL",
        (now, by, approval_id),
    )
    return txn.rowcount == 1


def end_others(txn: Txn, approval: Approval, *, now: int) -> list[str]:
    """End whatever else waits, or is approved, for the very request of this one; return the ids."""
    where = (
        "WHERE session_id = ? AND operation = ? AND body = ? AND method = ? AND path = ?"
        " AND COALESCE(device_id, '') = ? AND user_id = ? AND approval_id <> ?"
        " AND requested_at >= ? AND used_at IS NULL AND refused_at IS NULL"
    )
    others = (
        *(approval.session_id, approval.operation.value, approval.body),
        *(approval.method, approval.path, approval.device_id or "", approval.user_id),
        *(approval.approval_id, now - 3 * WINDOW),
    )
    found = _APPROVALS.all(txn, where, *others)
    txn.execute(f"UPDATE nextgen_approvals SET used_at = ? {where}", (now, *others))
    return [each.approval_id for each in found]


def list_waiting(txn: Txn, session_id: str, *, device_id: str | None) -> list[str]:
    """Return the ids of what a session on this device asked for and nobody decided."""
    found = _APPROVALS.all(
        txn,
        "WHERE session_id = ? AND COALESCE(device_id, '') = ?"
        " AND approved_at IS NULL AND refused_at IS NULL AND used_at IS NULL",
        *(session_id, device_id or ""),
    )
    return [each.approval_id for each in found]


def note_login_token(txn: Txn, approval_id: str, *, token: str) -> None:
    """Note the digest of the login token that an approval led to."""
    txn.execute(
        "UPDATE nextgen_approvals SET login_token = ? WHERE approval_id = ?", (token, approval_id)
    )


def use(txn: Txn, approval_id: str, *, since: int, now: int) -> bool:
    """Use up what was approved since then; False when that was done before, or taken back."""
    txn.execute(
        "UPDATE nextgen_approvals SET used_at = ?"
        " WHERE approval_id = ? AND approved_at >= ? AND approved_at <= ? AND used_at IS NULL",
        (now, approval_id, since, now + SKEW),
    )
    return txn.rowcount == 1


def hear(txn: Txn, approval_id: str, *, now: int) -> bool:
    """Note that the session heard of the refusal; False when it had."""
    txn.execute(
        "UPDATE nextgen_approvals SET used_at = ?"
        " WHERE approval_id = ? AND refused_at IS NOT NULL AND used_at IS NULL",
        (now, approval_id),
    )
    return txn.rowcount == 1


def withdraw(txn: Txn, user_id: str, *, now: int) -> None:
    """Make worthless what an account approved and no session used yet; what is only asked stays."""
    txn.execute(
        "UPDATE nextgen_approvals SET used_at = ?"
        " WHERE approved_at IS NOT NULL AND used_at IS NULL AND session_id IN"
        " (SELECT session_id FROM nextgen_sessions WHERE user_id = ? UNION ALL SELECT ?)",
        (now, user_id, user_id),
    )


def end_of_device(txn: Txn, user_id: str, device_id: str, *, now: int) -> None:
    """End whatever a legacy token of this device asked for, decided or not."""
    txn.execute(
        "UPDATE nextgen_approvals SET used_at = ?"
        " WHERE session_id = ? AND device_id = ? AND used_at IS NULL",
        (now, user_id, device_id),
    )


def end_for_account(txn: Txn, user_id: str, *, now: int) -> None:
    """End whatever an account was asked for, decided or not: it is closed."""
    txn.execute(
        "UPDATE nextgen_approvals SET used_at = ?"
        " WHERE used_at IS NULL AND session_id IN"
        " (SELECT session_id FROM nextgen_sessions WHERE user_id = ? UNION ALL SELECT ?)",
        (now, user_id, user_id),
    )
