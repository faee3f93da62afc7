"""Since when something is so of which Synapse knows no time: since this API did it, or first saw it."""

import enum
from collections.abc import Collection

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.txn import Txn


class Mark(str, enum.Enum):
    """What may be so; the value is what the database keeps."""

    LOCKED = "locked"
    CLOSED = "closed"
    REVOKED = "revoked"


@frozen
class Since:
    """Since when (seconds), and what was so before, where that is to come back."""

    since: int
    former: int | None = None


def keep(txn: Txn, mark: Mark, subjects: Collection[str], of: Collection[str], *, now: int) -> None:
    """Note of which `subjects` it is so, among all that were looked at (`of`)."""
    so, not_so = sorted(subjects), sorted(set(of) - set(subjects))
    if so:
        rows = ", ".join(["(?, ?, ?)"] * len(so))
        txn.execute(
            f"INSERT INTO nextgen_marks (subject, mark, since) VALUES {rows} ON CONFLICT DO NOTHING",
            [value for subject in so for value in (subject, mark.value, now)],
        )
    if not_so and find(txn, mark, not_so):
        txn.execute(
            "DELETE FROM nextgen_marks WHERE mark = ?"
            f" AND subject IN ({', '.join('?' * len(not_so))})",
            (mark.value, *not_so),
        )


def put(txn: Txn, mark: Mark, subject: str, *, former: int | None, now: int) -> None:
    """Note that it is so from now on, and what was so before."""
    take(txn, mark, subject)
    txn.execute(
        "INSERT INTO nextgen_marks (subject, mark, since, former) VALUES (?, ?, ?, ?)",
        (subject, mark.value, now, former),
    )


def take(txn: Txn, mark: Mark, subject: str) -> None:
    """Note that it is not so any more."""
    txn.execute("DELETE FROM nextgen_marks WHERE subject = ? AND mark = ?", (subject, mark.value))


def find(txn: Txn, mark: Mark, subjects: Collection[str]) -> dict[str, Since]:
    """Return since when it is so, of those of which it is."""
    if not subjects:
        return {}
    txn.execute(
        "SELECT subject, since, former FROM nextgen_marks WHERE mark = ?"
        f" AND subject IN ({', '.join('?' * len(subjects))})",
        (mark.value, *subjects),
    )
    return {
        str(subject): Since(int(since), None if former is None else int(former))
        for subject, since, former in txn.fetchall()
    }
