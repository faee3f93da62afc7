"""Rows of the outbox: what only the main process may do."""

from collections.abc import Sequence

import attrs

from synapse_nextgen_auth.accounts.outbox import FURTHEST, LEASE, Entry
from synapse_nextgen_auth.accounts.works import KINDS, Work, without_address, write
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_OUTBOX = Table("nextgen_outbox", Entry)


def put(txn: Txn, work: Work, *, now: int, head_start: int = 0) -> str:
    """Write down what the main process is to do once this transaction is committed; return its id.

    It leaves whoever wrote it so many seconds, `head_start`, to do it themselves. Two at once that are
    about the same are an integrity error for one of them, which comes again.
    """
    entry_id = txn.draw(f"outbox {work.kind}")
    txn.execute(
        f"INSERT INTO nextgen_outbox ({', '.join(_OUTBOX.columns)})"
        " SELECT ?, ?, ?, COALESCE(MAX(position), 0) + 1, ?, ?, ?, 0, NULL"
        " FROM nextgen_outbox WHERE kind = ? AND subject = ?",
        (
            *(entry_id, work.kind, work.subject, write(work), now, now + head_start),
            *(work.kind, work.subject),
        ),
    )
    txn.posted.append(work.kind)
    return entry_id


def find(txn: Txn, work: Work) -> str | None:
    """Return the id of what was written down of this very work, `None` where nothing waits."""
    txn.execute(
        "SELECT entry_id FROM nextgen_outbox WHERE kind = ? AND subject = ? AND payload = ?"
        " AND given_up_at IS NULL",
        (work.kind, work.subject, write(work)),
    )
    row = txn.fetchone()
    return str(row[0]) if row else None


@frozen
class Waiting:
    """What waits of one kind: how much, since when the oldest, and how much of it is due.

    `next_due` is when the first becomes due that is not yet, `None` where all of it is.
    """

    kind: str
    count: int
    oldest: int
    due: int
    next_due: int | None


def measure(txn: Txn, *, now: int) -> Sequence[Waiting]:
    """Return what waits, by kind."""
    txn.execute(
        "SELECT kind, COUNT(*), MIN(written_at),"
        " COUNT(CASE WHEN due_at <= ? OR due_at > ? THEN 1 END),"
        " MIN(CASE WHEN due_at > ? AND due_at <= ? THEN due_at END)"
        " FROM nextgen_outbox WHERE given_up_at IS NULL GROUP BY kind",
        (now, now + FURTHEST, now, now + FURTHEST),
    )
    return [
        Waiting(str(kind), int(count), int(oldest), int(due), next_due)
        for kind, count, oldest, due, next_due in txn.fetchall()
    ]


def list_due(txn: Txn, kind: str, *, now: int, limit: int) -> list[Entry]:
    """Return what is due of a kind, the longest first; where order matters, one of each subject.

    What is due later than anything can be was written by a clock that ran ahead (C379).
    """
    first = (
        " AND NOT EXISTS (SELECT 1 FROM nextgen_outbox AS earlier"
        " WHERE earlier.kind = nextgen_outbox.kind AND earlier.subject = nextgen_outbox.subject"
        " AND earlier.position < nextgen_outbox.position AND earlier.given_up_at IS NULL)"
    )
    return _OUTBOX.all(
        txn,
        "WHERE kind = ? AND given_up_at IS NULL AND (due_at <= ? OR due_at > ?)"
        + (first if KINDS[kind].in_order else "")
        + " ORDER BY due_at, position, entry_id LIMIT ?",
        *(kind, now, now + FURTHEST, limit),
    )


def claim(txn: Txn, entry: Entry, *, now: int) -> Entry | None:
    """Take an entry for as long as a lease lasts; `None` when somebody else has it."""
    taken = attrs.evolve(entry, due_at=now + LEASE, tries=entry.tries + 1)
    txn.execute(
        "UPDATE nextgen_outbox SET due_at = ?, tries = ?"
        " WHERE entry_id = ? AND due_at = ? AND tries = ? AND given_up_at IS NULL",
        (taken.due_at, taken.tries, entry.entry_id, entry.due_at, entry.tries),
    )
    return taken if txn.rowcount == 1 else None


def hasten(txn: Txn, kind: str, subject: str, *, now: int) -> None:
    """Let what waits of this kind about this subject be due now; what somebody has taken is theirs."""
    txn.execute(
        "UPDATE nextgen_outbox SET due_at = ? WHERE kind = ? AND subject = ?"
        " AND given_up_at IS NULL AND tries = 0 AND due_at > ?",
        (now, kind, subject, now),
    )
    if txn.rowcount:
        txn.posted.append(kind)


def count(txn: Txn, kind: str, subject: str) -> int:
    """Return how much waits of this kind about this subject, with what is being done."""
    txn.execute(
        "SELECT COUNT(*) FROM nextgen_outbox WHERE kind = ? AND subject = ? AND given_up_at IS NULL",
        (kind, subject),
    )
    return int(txn.fetchone()[0])


def has_failed(txn: Txn, kind: str, subject: str) -> bool:
    """Say whether what waits of this kind about this subject was tried in vain, perhaps for good."""
    txn.execute(
        "SELECT COUNT(*) FROM nextgen_outbox WHERE kind = ? AND subject = ? AND tries > 1",
        (kind, subject),
    )
    return int(txn.fetchone()[0]) > 0


def done(txn: Txn, entry_id: str) -> None:
    """Forget what was done."""
    txn.execute("DELETE FROM nextgen_outbox WHERE entry_id = ?", (entry_id,))


def withdraw(txn: Txn, kind: str, subject: str) -> None:
    """Let nobody do any more what waits of this kind about this subject; what is begun goes on."""
    txn.execute(
        "DELETE FROM nextgen_outbox WHERE kind = ? AND subject = ? AND given_up_at IS NULL",
        (kind, subject),
    )


def postpone(txn: Txn, entry: Entry, *, due_at: int) -> None:
    """Put off what could not be done, unless somebody else has it by now."""
    txn.execute(
        "UPDATE nextgen_outbox SET due_at = ? WHERE entry_id = ? AND tries = ?",
        (due_at, entry.entry_id, entry.tries),
    )


def give_up(txn: Txn, entry: Entry, *, now: int) -> bool:
    """Mark what is not tried any more; False when it was already, or somebody else has it by now.

    It names no network address any more.
    """
    txn.execute(
        "UPDATE nextgen_outbox SET given_up_at = ?, payload = ?"
        " WHERE entry_id = ? AND tries = ? AND given_up_at IS NULL",
        (now, without_address(KINDS[entry.kind], entry.payload), entry.entry_id, entry.tries),
    )
    return txn.rowcount == 1


def forget_addresses(txn: Txn, kind: str, *, before: int) -> None:
    """Take the network addresses out of what was written before then."""
    for entry in _OUTBOX.all(txn, "WHERE kind = ? AND written_at < ?", kind, before):
        left = without_address(KINDS[kind], entry.payload)
        if left != entry.payload:
            txn.execute(
                "UPDATE nextgen_outbox SET payload = ? WHERE entry_id = ? AND payload = ?",
                (left, entry.entry_id, entry.payload),
            )
