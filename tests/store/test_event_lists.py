"""The list of events across accounts: in pages, each once, by every filter."""

import pytest

from support.records import ALICE, NOW
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import event_lists, events
from synapse_nextgen_auth.store.event_lists import EventFilter

BOB = "@bob:example.com"
KINDS = (EventKind.SIGNED_IN, EventKind.SESSION_BEGUN, EventKind.SESSION_ENDED)


@pytest.fixture
def happened(tables):
    """Write twelve events down: of two accounts, several in the same second."""
    for n in range(12):
        event = Event(
            KINDS[n % 3],
            NOW + n // 4,
            ALICE if n % 2 else BOB,
            client_id=f"app{n % 4}",
            session_id=f"session{n}",
            event_id=f"{n:064d}",
        )
        tables.run(events.add, event)


def pages(tables, wanted, limit):
    """Return all that is found, read in pages of this size."""
    found, after = [], None
    while True:
        page = tables.run(event_lists.page, wanted, after=after, limit=limit)
        found += page[:limit]
        if len(page) <= limit:
            return [each.event_id for each in found]
        after = (page[limit - 1].happened_at, page[limit - 1].event_id)


@pytest.mark.parametrize("limit", [1, 3, 4, 5, 12, 100])
def test_events_come_newest_first_and_each_once(tables, happened, limit):
    """Wherever a page ends, in the middle of a second too."""
    found = pages(tables, EventFilter(), limit)
    wanted = [f"{n:064d}" for second in ((8, 12), (4, 8), (0, 4)) for n in range(*second)]

    assert found == wanted


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (EventFilter(user_id=ALICE), {1, 3, 5, 7, 9, 11}),
        (EventFilter(client_id="app2"), {2, 6, 10}),
        (EventFilter(session_id="session7"), {7}),
        (EventFilter(kinds=("signed_in",)), {0, 3, 6, 9}),
        (EventFilter(kinds=("signed_in", "session_ended"), user_id=ALICE), {3, 5, 9, 11}),
        (EventFilter(since=NOW + 1), set(range(4, 12))),
        (EventFilter(until=NOW + 1), set(range(4))),
        (EventFilter(since=NOW + 1, until=NOW + 2), set(range(4, 8))),
        (EventFilter(user_id="@nobody:example.com"), set()),
    ],
)
def test_events_are_those_that_are_meant(tables, happened, wanted, numbers):
    """Each filter by itself, and some together."""
    assert {int(each) for each in pages(tables, wanted, 2)} == numbers
