"""Let two devices meet: whether there is room, and what stands there only one may overwrite."""

import attrs

from synapse_nextgen_auth.oauth.rendezvous import MAX_LIVING, Kind, Rendezvous
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import rendezvous
from synapse_nextgen_auth.store.txn import Txn


def has_room(txn: Txn, *, now: int) -> bool:
    """Say whether one more may live."""
    return rendezvous.count_living(txn, now=now) < MAX_LIVING


@frozen
class Write:
    """What a device wants to put there, on top of the state it saw: one of those in `seen`."""

    rendezvous_id: str
    kind: Kind
    seen: tuple[str, ...]
    data: str
    sequence: str


@frozen
class Written:
    """The state after a write; `is_conflict` when the device had not seen the present one."""

    rendezvous: Rendezvous
    is_conflict: bool = False


def write(txn: Txn, wanted: Write, *, now: int) -> Written | None:
    """Compare and swap; `None` when there is no such rendezvous (any more).

    A device that repeats a write whose answer it lost finds its own data there and is told so
    (MSC4388).
    """
    present = rendezvous.get(txn, wanted.rendezvous_id, kind=wanted.kind, now=now)
    if present is None:
        return None
    if present.sequence not in wanted.seen:
        is_repeated = wanted.kind is Kind.SEQUENCE and present.data == wanted.data
        return Written(present, is_conflict=not is_repeated)
    if not rendezvous.write(txn, present, data=wanted.data, sequence=wanted.sequence, now=now):
        return Written(present, is_conflict=True)
    changed = attrs.evolve(present, data=wanted.data, sequence=wanted.sequence, modified_at=now)
    return Written(changed)
