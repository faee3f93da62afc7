"""Rows of codes that went to a mailbox, one of each attempt."""

from synapse_nextgen_auth.accounts.codes import MAX_TRIES, PAUSE, Code
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn, placeholders

_CODES = Table("nextgen_codes", Code)


def get(txn: Txn, attempt_id: str) -> Code | None:
    """Return the code of an attempt."""
    return _CODES.one(txn, "WHERE attempt_id = ?", attempt_id)


def put(txn: Txn, code: Code, *, pause: int = PAUSE) -> bool:
    """Keep a code in place of the one before; False where that is younger than a pause, or was typed.

    Without a pause it is for another address: whatever became of the one before is over. One from a
    time that is yet to come was written by a clock that ran ahead, and is in nobody's way.
    """
    changed = [column for column in _CODES.columns if column != "attempt_id"]
    marks = placeholders(_CODES.columns)
    txn.execute(
        f"INSERT INTO nextgen_codes ({', '.join(_CODES.columns)}) VALUES ({marks})"
        f" ON CONFLICT (attempt_id) DO UPDATE SET"
        f" {', '.join(f'{column} = excluded.{column}' for column in changed)}"
        " WHERE (nextgen_codes.proven_at IS NULL OR ? = 0)"
        " AND (nextgen_codes.made_at <= ? OR nextgen_codes.made_at > ?)",
        (
            *(getattr(code, column) for column in _CODES.columns),
            *(pause, code.made_at - pause, code.made_at + pause),
        ),
    )
    return txn.rowcount == 1


def forget(txn: Txn, attempt_id: str) -> None:
    """Delete the code of an attempt: its person gives another address."""
    txn.execute("DELETE FROM nextgen_codes WHERE attempt_id = ?", (attempt_id,))


def forget_for_account(txn: Txn, user_id: str) -> None:
    """Delete the codes of whatever is under way for an account."""
    txn.execute(
        "DELETE FROM nextgen_codes WHERE attempt_id IN"
        " (SELECT attempt_id FROM nextgen_attempts WHERE user_id = ? AND ended_at IS NULL)",
        (user_id,),
    )


def count_try(txn: Txn, attempt_id: str, *, now: int) -> bool:
    """Count a try, before anybody looks at what was typed; False when no more are looked at."""
    txn.execute(
        "UPDATE nextgen_codes SET tries = tries + 1"
        " WHERE attempt_id = ? AND tries < ? AND expires_at > ? AND proven_at IS NULL",
        (attempt_id, MAX_TRIES, now),
    )
    return txn.rowcount == 1


def prove(txn: Txn, code: Code, *, now: int) -> None:
    """Note that it was typed."""
    txn.execute(
        "UPDATE nextgen_codes SET proven_at = ? WHERE attempt_id = ? AND mac = ?",
        (now, code.attempt_id, code.mac),
    )


def take(txn: Txn, code: Code, *, now: int) -> bool:
    """Note that it was typed, once; False where it was, is over, or another took its place."""
    txn.execute(
        "UPDATE nextgen_codes SET proven_at = ? WHERE attempt_id = ? AND mac = ?"
        " AND proven_at IS NULL AND expires_at > ?",
        (now, code.attempt_id, code.mac, now),
    )
    return txn.rowcount == 1


def end(txn: Txn, attempt_id: str, *, now: int) -> None:
    """Let the code of an attempt be over, though it was typed."""
    txn.execute(
        "UPDATE nextgen_codes SET proven_at = NULL, expires_at = ?"
        " WHERE attempt_id = ? AND proven_at IS NOT NULL",
        (now, attempt_id),
    )


def note_refused(txn: Txn, mail: str, *, now: int) -> None:
    """Note that the mail server took nothing for the address that this went to."""
    txn.execute("UPDATE nextgen_codes SET refused_at = ? WHERE mail = ?", (now, mail))
