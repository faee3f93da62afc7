"""Rows of attempts."""

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Purpose
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_ATTEMPTS = Table("nextgen_attempts", Attempt)


def add(txn: Txn, attempt: Attempt) -> None:
    """Insert an attempt that somebody has just begun."""
    _ATTEMPTS.insert(txn, attempt)


def get(txn: Txn, attempt_id: str) -> Attempt | None:
    """Return the attempt with this id."""
    return _ATTEMPTS.one(txn, "WHERE attempt_id = ?", attempt_id)


def list_begun(txn: Txn, browser: str, purpose: Purpose, *, expires_after: int) -> list[Attempt]:
    """Return what a browser has begun for this purpose lately: which expires after that time."""
    return _ATTEMPTS.all(
        txn,
        "WHERE expires_at > ? AND browser = ? AND purpose = ?",
        *(expires_after, browser, purpose.value),
    )


def change(txn: Txn, former: Attempt, attempt: Attempt) -> bool:
    """Write what was proven, answered or ended since `former` was read.

    False when anything of it changed meanwhile: each proof counts once, and an attempt ends once.
    """
    txn.execute(
        "UPDATE nextgen_attempts SET user_id = ?, proofs = ?, answers = ?, ended_at = ?"
        " WHERE attempt_id = ? AND browser = ? AND proofs = ? AND answers = ? AND ended_at IS NULL",
        (
            *(attempt.user_id, attempt.proofs, attempt.answers, attempt.ended_at),
            *(former.attempt_id, former.browser, former.proofs, former.answers),
        ),
    )
    return txn.rowcount == 1


def withdraw(txn: Txn, user_id: str, *, now: int) -> int:
    """End what somebody proved for an account and did not finish yet: it was before they were out.

    Such an attempt waits for a stage of another module, at most as long as an attempt lives.
    """
    txn.execute(
        "UPDATE nextgen_attempts SET ended_at = ?"
        " WHERE expires_at > ? AND user_id = ? AND proofs <> '[]' AND ended_at IS NULL",
        (now, now, user_id),
    )
    return txn.rowcount


def end_for_account(txn: Txn, user_id: str, *, now: int) -> None:
    """End whatever is under way for an account, proven or not: it is closed."""
    txn.execute(
        "UPDATE nextgen_attempts SET ended_at = ?"
        " WHERE expires_at > ? AND user_id = ? AND ended_at IS NULL",
        (now, now, user_id),
    )
