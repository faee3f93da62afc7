"""Lists of events across accounts, for whoever runs the server: the newest first."""

from synapse_nextgen_auth.oauth.events import Event
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.conditions import Conditions
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_EVENTS = Table("nextgen_events", Event)


@frozen(kw_only=True)
class EventFilter:
    """What events have in common; `None`, or nothing, is whatever they have. Times in seconds.

    `since` is the first moment that counts, `until` the first that does not.
    """

    user_id: str | None = None
    client_id: str | None = None
    session_id: str | None = None
    kinds: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None


def page(
    txn: Txn, wanted: EventFilter, *, after: tuple[int, str] | None, limit: int
) -> list[Event]:
    """Return so many events from before one (when, and its id), and one more."""
    where = Conditions()
    where.add_if("user_id = ?", wanted.user_id)
    where.add_if("client_id = ?", wanted.client_id)
    where.add_if("session_id = ?", wanted.session_id)
    where.add_if("happened_at >= ?", wanted.since)
    where.add_if("happened_at < ?", wanted.until)
    if wanted.kinds:
        where.add_among("kind", wanted.kinds)
    if after is not None:
        at, event_id = after
        where.add("happened_at <= ?", at)
        where.add("(happened_at < ? OR event_id > ?)", at, event_id)
    end = f"{where.text} ORDER BY happened_at DESC, event_id LIMIT ?"
    return _EVENTS.all(txn, end, *where.values, limit + 1)
