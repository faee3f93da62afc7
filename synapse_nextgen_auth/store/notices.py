"""Rows of notices: when an account was told last of a kind of thing, or is to be."""

from synapse_nextgen_auth.accounts.notice_times import LONGEST_QUESTION, MARGIN, WINDOW
from synapse_nextgen_auth.accounts.notices import (
    Notice,
    Question,
)
from synapse_nextgen_auth.store.txn import Txn


def is_carried(txn: Txn, user_id: str, notice: Notice, *, now: int) -> bool:
    """Say whether a notice that waits tells of what happens now; else from now on one does.

    It is one conditional write: of two at once one makes the notice, and the other is carried by it.
    """
    txn.execute(
        "INSERT INTO nextgen_notices (user_id, about, due_at) VALUES (?, ?, ?)"
        " ON CONFLICT (user_id, about) DO UPDATE SET due_at ="
        " CASE WHEN nextgen_notices.due_at + ? > excluded.due_at"
        " THEN nextgen_notices.due_at + ? ELSE excluded.due_at END"
        " WHERE nextgen_notices.due_at <= excluded.due_at + ?",
        (user_id, notice.value, now, WINDOW, WINDOW, MARGIN),
    )
    return txn.rowcount == 0


def due_at(txn: Txn, user_id: str, notice: Notice) -> int:
    """Return when the newest notice of this is due, or was."""
    txn.execute(
        "SELECT due_at FROM nextgen_notices WHERE user_id = ? AND about = ?",
        (user_id, notice.value),
    )
    return int(txn.fetchone()[0])


def begin_anew(txn: Txn, user_id: str, notice: Notice, *, now: int) -> bool:
    """Let the newest notice of this be due now; False where none is known.

    Until the end of the transaction nobody else finds out when theirs is due.
    """
    txn.execute(
        "UPDATE nextgen_notices SET due_at = ? WHERE user_id = ? AND about = ?",
        (now, user_id, notice.value),
    )
    return txn.rowcount == 1


def forget(txn: Txn, user_id: str, notice: Notice) -> None:
    """Let the next notice of this be as the first."""
    txn.execute(
        "DELETE FROM nextgen_notices WHERE user_id = ? AND about = ?", (user_id, notice.value)
    )


def close_question(
    txn: Txn, user_id: str, question: Question, *, expires_at: int, now: int
) -> None:
    """Let the next question be shown in the place of the one that waits until then."""
    txn.execute(
        "UPDATE nextgen_notices SET due_at = ? WHERE user_id = ? AND about = ? AND due_at = ?",
        (min(now, expires_at), user_id, question.value, expires_at),
    )


def open_question(txn: Txn, user_id: str, question: Question, *, expires_at: int, now: int) -> bool:
    """Note that an account is shown a question until then; False where it is shown one like it.

    It is one conditional write: of two at once one is shown. What is further away than any question
    can be was written by a clock that ran ahead, and is in nobody's way.
    """
    txn.execute(
        "INSERT INTO nextgen_notices (user_id, about, due_at) VALUES (?, ?, ?)"
        " ON CONFLICT (user_id, about) DO UPDATE SET due_at = excluded.due_at"
        " WHERE nextgen_notices.due_at <= ? OR nextgen_notices.due_at > ?",
        (user_id, question.value, expires_at, now, now + LONGEST_QUESTION),
    )
    return txn.rowcount == 1
