"""Rows of the audit log: append-only, no secrets. Who is to be told of them hears in the same step."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.works import Tell
from synapse_nextgen_auth.oauth.events import Event, EventKind, in_order
from synapse_nextgen_auth.store import outbox
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn, placeholders

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts import notices as rules
    from synapse_nextgen_auth.accounts.notices import Notice
    from synapse_nextgen_auth.store import notices
else:
    rules, notices = late.files("accounts.notices", "store.notices")

_EVENTS = Table("nextgen_events", Event)


def add(txn: Txn, event: Event, *, also_to: str = "", is_told: bool = False) -> None:
    """Write the event down; one that has an id already only once.

    Who is to be told of it is told by the main process (`txn.told` says of what), unless another
    notice told of it (`is_told`). `also_to` are addresses that the account has no more, sealed
    (`accounts/notices.py`): they hear of it, too.
    """
    event_id = event.event_id or _drawn(txn, event)
    is_new = _EVENTS.insert_new(txn, attrs.evolve(event, event_id=event_id))
    if is_new:
        txn.happened.append(event)
    if is_new and not is_told and event.user_id is not None and event.kind.value in txn.told:
        _tell(txn, event, event.user_id, also_to)


def _drawn(txn: Txn, event: Event) -> str:
    drawn = txn.draw(event.said)
    return in_order(drawn, at=txn.begun, place=txn.place_of(drawn))


def _tell(txn: Txn, event: Event, user_id: str, also_to: str) -> None:
    about, now = rules.about(event.kind.value, event.detail), event.happened_at
    if about is None or _is_told_already(txn, event, about):
        return
    if also_to:
        outbox.put(txn, Tell(user_id, about.value, now, also_to), now=now)
    if not notices.is_carried(txn, user_id, about, now=now):
        wait = max(0, notices.due_at(txn, user_id, about) - now)
        outbox.put(txn, Tell(user_id, about.value, now, ""), now=now, head_start=wait)


def _is_told_already(txn: Txn, event: Event, about: "Notice") -> bool:
    """Say whether a device signed in from there in the same second: what tells of that tells of this.

    Times are whole seconds, and a notice leaves out what was there before the first that it tells of.
    """
    if about is not rules.Notice.NEW_DEVICE:
        return False
    kinds = rules.kinds_of(about)
    txn.execute(
        "SELECT COUNT(*) FROM nextgen_events WHERE user_id = ? AND happened_at = ?"
        f" AND kind IN ({placeholders(kinds)}) AND detail = ? AND COALESCE(address, '') = ?",
        (event.user_id, event.happened_at, *kinds, event.detail, event.address or ""),
    )
    return int(txn.fetchone()[0]) > 1


def list_since(
    txn: Txn, user_id: str, kinds: Collection[str], *, since: int, limit: int
) -> list[Event]:
    """Return what happened to an account of these kinds, the newest first."""
    marks = placeholders(kinds)
    return _EVENTS.all(
        txn,
        f"WHERE user_id = ? AND happened_at >= ? AND kind IN ({marks})"
        " ORDER BY happened_at DESC, event_id DESC LIMIT ?",
        *(user_id, since, *kinds, limit),
    )


def list_devices_since(
    txn: Txn, user_id: str, kinds: Collection[str], *, since: int, limit: int
) -> list[Event]:
    """Return the newest of each device and network address, so that no device hides behind another.

    Whoever has the password can sign in often enough to fill any limit.
    """
    marks, begins = placeholders(kinds), rules.BEGINS_WITH_A_DEVICE
    return _EVENTS.all(
        txn,
        f"WHERE user_id = ? AND happened_at >= ? AND kind IN ({marks}) AND SUBSTR(detail, 1, ?) = ?"
        " AND NOT EXISTS (SELECT 1 FROM nextgen_events AS later"
        " WHERE later.user_id = nextgen_events.user_id AND later.happened_at >= ?"
        f" AND later.kind IN ({marks}) AND later.detail = nextgen_events.detail"
        " AND COALESCE(later.address, '') = COALESCE(nextgen_events.address, '')"
        " AND (later.happened_at > nextgen_events.happened_at"
        " OR (later.happened_at = nextgen_events.happened_at"
        " AND later.event_id > nextgen_events.event_id)))"
        " ORDER BY happened_at DESC, event_id DESC LIMIT ?",
        *(user_id, since, *kinds, len(begins), begins, since, *kinds, limit),
    )


def is_said_since(txn: Txn, user_id: str, kind: EventKind, said: str, *, since: int) -> bool:
    """Say whether something happened to an account since then, with these words."""
    txn.execute(
        "SELECT 1 FROM nextgen_events WHERE user_id = ? AND happened_at >= ? AND kind = ?"
        " AND detail = ? LIMIT 1",
        (user_id, since, kind.value, said),
    )
    return txn.fetchone() is not None


def count_since(txn: Txn, user_id: str, kind: EventKind, *, since: int) -> int:
    """Return how often something happened to an account since then."""
    txn.execute(
        "SELECT COUNT(*) FROM nextgen_events WHERE user_id = ? AND happened_at >= ? AND kind = ?",
        (user_id, since, kind.value),
    )
    return int(txn.fetchone()[0])


def last_of_each_kind(txn: Txn, user_id: str, *, since: int) -> dict[EventKind, int]:
    """Return when each kind of event happened to an account last."""
    txn.execute(
        "SELECT kind, MAX(happened_at) FROM nextgen_events WHERE user_id = ? AND happened_at >= ?"
        " GROUP BY kind",
        (user_id, since),
    )
    return {EventKind(kind): int(at) for kind, at in txn.fetchall()}


def list_before(
    txn: Txn, user_id: str, older_than: tuple[int, str] | None, *, limit: int
) -> list[Event]:
    """Return what happened to an account before this event (when, and its id), the newest first."""
    if older_than is None:
        return _EVENTS.all(
            txn,
            "WHERE user_id = ? ORDER BY happened_at DESC, event_id DESC LIMIT ?",
            *(user_id, limit),
        )
    at, event_id = older_than
    return _EVENTS.all(
        txn,
        "WHERE user_id = ? AND happened_at <= ? AND (happened_at < ? OR event_id < ?)"
        " ORDER BY happened_at DESC, event_id DESC LIMIT ?",
        *(user_id, at, at, event_id, limit),
    )


def list_of_details(
    txn: Txn, user_id: str, kinds: Collection[str], details: Collection[str], *, before: int
) -> frozenset[tuple[str, str | None]]:
    """Return which of these details an event of these kinds had before, with each network address."""
    txn.execute(
        "SELECT DISTINCT detail, address FROM nextgen_events WHERE user_id = ? AND happened_at < ?"
        f" AND kind IN ({placeholders(kinds)})"
        f" AND detail IN ({placeholders(details)})",
        (user_id, before, *kinds, *details),
    )
    return frozenset((str(detail), address) for detail, address in txn.fetchall())
