"""Lists of events across accounts: the oldest first, in the windows of the admin API, or backwards."""

import attrs

from synapse_nextgen_auth.oauth.events import Event
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.conditions import Conditions
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window

_EVENTS = Table("nextgen_events", Event)


@frozen(kw_only=True)
class EventsWanted:
    """What events have in common; `None`, or nothing, is whatever they have. Times strictly between."""

    kinds: tuple[str, ...] = ()
    user_id: str | None = None
    client_id: str | None = None
    session_id: str | None = None
    before: int | None = None
    after: int | None = None


def page(txn: Txn, wanted: EventsWanted, window: Window) -> list[Event]:
    """Return those of a window, and one more, in the order in which they happened."""
    if len(wanted.kinds) > 1 and wanted.user_id is None:
        # Of several kinds together no index knows the order.
        found = [
            event
            for kind in wanted.kinds
            for event in page(txn, attrs.evolve(wanted, kinds=(kind,)), window)
        ]
        found.sort(key=lambda each: (each.happened_at, each.event_id), reverse=window.backwards)
        return found[: window.count + 1]
    where = _where(wanted)
    return _EVENTS.all(txn, where.within(window, "happened_at", "event_id"), *where.values)


def count(txn: Txn, wanted: EventsWanted) -> int:
    """Return how many there are."""
    where = _where(wanted)
    txn.execute(f"SELECT COUNT(*) FROM nextgen_events {where.text}", tuple(where.values))
    return int(txn.fetchone()[0])


def at(txn: Txn, happened_at: int) -> list[Event]:
    """Return what happened in this second."""
    return _EVENTS.all(txn, "WHERE happened_at = ?", happened_at)


def kinds_since(txn: Txn, since: int) -> dict[str, int]:
    """Return how many there were of each kind since then."""
    txn.execute(
        "SELECT kind, COUNT(*) FROM nextgen_events WHERE happened_at >= ? GROUP BY kind", (since,)
    )
    return {str(kind): int(number) for kind, number in txn.fetchall()}


def _where(wanted: EventsWanted) -> Conditions:
    where = Conditions()
    if wanted.kinds:
        where.add_among("kind", wanted.kinds)
    where.add_if("user_id = ?", wanted.user_id)
    where.add_if("client_id = ?", wanted.client_id)
    where.add_if("session_id = ?", wanted.session_id)
    where.add_if("happened_at < ?", wanted.before)
    where.add_if("happened_at > ?", wanted.after)
    return where
