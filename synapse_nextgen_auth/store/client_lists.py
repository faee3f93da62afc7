"""Lists of clients that registered, for whoever runs the server, and of those that are blocked."""

from collections.abc import Callable

import attrs

from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.clients import REGISTRATIONS
from synapse_nextgen_auth.store.conditions import Conditions
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window

_BITE = 500
_IS_USED = (
    "EXISTS (SELECT 1 FROM nextgen_sessions AS s"
    " WHERE s.client_id = nextgen_clients.client_id AND s.ended_at IS NULL)"
)


@frozen(kw_only=True)
class ClientFilter:
    """What clients have in common: their id, a part of their metadata, a living session.

    `fits` looks at each that these find.
    """

    client_id: str | None = None
    part: str | None = None
    is_used: bool | None = None
    fits: Callable[[Client], bool] | None = None


def page(txn: Txn, wanted: ClientFilter, window: Window) -> list[Client]:
    """Return those of a window, and one more, in the order in which they registered."""
    found: list[Client] = []
    while len(found) <= window.count:
        size = window.count if wanted.fits is None else _BITE
        bite = attrs.evolve(window, count=size)
        where = _where(wanted)
        rows = REGISTRATIONS.all(txn, where.within(bite, "created_at", "client_id"), *where.values)
        clients = [each.client for each in rows]
        found += [each for each in clients if wanted.fits is None or wanted.fits(each)]
        if len(rows) <= bite.count:
            break
        last = (clients[-1].created_at, clients[-1].client_id)
        if window.backwards:
            window = attrs.evolve(window, before=last)
        else:
            window = attrs.evolve(window, after=last)
    return found[: window.count + 1]


def count(txn: Txn, wanted: ClientFilter) -> int:
    """Return how many there are."""
    if wanted.fits is not None:
        where = _where(wanted)
        rows = REGISTRATIONS.all(txn, where.text, *where.values)
        return sum(1 for each in rows if wanted.fits(each.client))
    where = _where(wanted)
    txn.execute(f"SELECT COUNT(*) FROM nextgen_clients {where.text}", tuple(where.values))
    return int(txn.fetchone()[0])


def is_used(txn: Txn, client_id: str) -> bool:
    """Say whether a client has a session that lives."""
    txn.execute(
        "SELECT 1 FROM nextgen_sessions WHERE client_id = ? AND ended_at IS NULL LIMIT 1",
        (client_id,),
    )
    return txn.fetchone() is not None


def _where(wanted: ClientFilter) -> Conditions:
    where = Conditions()
    where.add_if("client_id = ?", wanted.client_id)
    if wanted.part is not None:
        # As good as it gets on both: what has other letters than ASCII's is looked at by `fits` alone.
        where.add("REPLACE(LOWER(metadata), ?, '') <> LOWER(metadata)", wanted.part.lower())
    if wanted.is_used is not None:
        where.add(_IS_USED if wanted.is_used else f"NOT {_IS_USED}")
    return where


@frozen
class Block:
    """A client that nobody may use any more: since when, who said so, and why."""

    client_id: str
    blocked_at: int
    blocked_by: str
    why: str | None = None


_BLOCKS = Table("nextgen_blocked_clients", Block)


def block(txn: Txn, blocked: Block) -> bool:
    """Block a client, for every process; False where it is blocked already."""
    if not _BLOCKS.insert_new(txn, blocked):
        return False
    txn.gone.append(blocked.client_id)
    return True


def unblock(txn: Txn, client_id: str) -> bool:
    """Let a client in again; False where it was not blocked."""
    txn.execute("DELETE FROM nextgen_blocked_clients WHERE client_id = ?", (client_id,))
    txn.gone.append(client_id)
    return txn.rowcount == 1


def blocks(txn: Txn) -> dict[str, Block]:
    """Return every client that is blocked, by its id; there are few."""
    return {each.client_id: each for each in _BLOCKS.all(txn, "ORDER BY client_id")}
