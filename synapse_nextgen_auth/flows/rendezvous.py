"""Let two devices meet: make the spot, read it, overwrite it, leave it."""

import attrs

from synapse_nextgen_auth.oauth.rendezvous import MAX_LIVING, Kind, Rendezvous
from synapse_nextgen_auth.store import rendezvous as rows
from synapse_nextgen_auth.store.txn import Txn


def has_room(txn: Txn, *, now: int) -> bool:
    """Say whether one more may live."""
    return rows.count_living(txn, now=now) < MAX_LIVING


def create(txn: Txn, rendezvous: Rendezvous) -> None:
    """Make the spot."""
    rows.add(txn, rendezvous)


def read(txn: Txn, rendezvous_id: str, *, kind: Kind, now: int) -> Rendezvous | None:
    """Return what stands there."""
    return rows.get(txn, rendezvous_id, kind=kind, now=now)


@attrs.frozen
class Write:
    """What a device wants to put there, on top of the state it saw: one of those in `seen`."""

    rendezvous_id: str
    kind: Kind
    seen: tuple[str, ...]
    data: str
    sequence: str


@attrs.frozen
class Written:
    """The state after a write; `is_conflict` when the device had not seen the present one."""

    rendezvous: Rendezvous
    is_conflict: bool = False


def write(txn: Txn, wanted: Write, *, now: int) -> Written | None:
    """Compare and swap; `None` when there is no such rendezvous (any more).

    A device that repeats a write whose answer it lost finds its own data there and is told so
    (MSC4388).
    """
    present = rows.get(txn, wanted.rendezvous_id, kind=wanted.kind, now=now)
    if present is None:
        return None
    if present.sequence not in wanted.seen:
        is_repeated = wanted.kind is Kind.SEQUENCE and present.data == wanted.data
        return Written(present, is_conflict=not is_repeated)
    if not rows.write(txn, present, data=wanted.data, sequence=wanted.sequence, now=now):
        return Written(present, is_conflict=True)
    changed = attrs.evolve(present, data=wanted.data, sequence=wanted.sequence, modified_at=now)
    return Written(changed)


def leave(txn: Txn, rendezvous_id: str, *, kind: Kind, now: int) -> bool:
    """Delete the spot; False when there is none any more."""
    return rows.remove(txn, rendezvous_id, kind=kind, now=now)
