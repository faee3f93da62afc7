"""Lists of what happened across accounts, and of what waits for somebody."""

import pytest

from support.records import ALICE, BOB, NOW, a_device_grant, a_grant, a_sign_in
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import device_grants, event_windows, events, grants, pending_lists
from synapse_nextgen_auth.store.device_grants import Codes
from synapse_nextgen_auth.store.event_windows import EventsWanted
from synapse_nextgen_auth.store.windows import Window

ALL = Window(10)
KINDS = (EventKind.SIGNED_IN, EventKind.SIGNED_OUT, EventKind.SESSION_BEGUN)


@pytest.fixture
def happened(tables):
    """Events 0 to 5, two in each second."""
    for number in range(6):
        event = Event(
            KINDS[number % 3],
            NOW + number // 2,
            (ALICE, BOB)[number % 2],
            client_id="app" if number % 3 == 2 else None,
            session_id=f"session{number}",
            detail=str(number),
            event_id=str(number),
        )
        tables.run(events.add, event)


def found(tables, window=None, **fields):
    wanted = EventsWanted(**fields)
    page = tables.run(event_windows.page, wanted, window or Window(100))
    if window is None:
        assert tables.run(event_windows.count, wanted) == len(page)
    return [int(each.detail) for each in page]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"user_id": BOB}, [1, 3, 5]),
        ({"kinds": ("signed_in",)}, [0, 3]),
        ({"kinds": ("session_begun", "signed_in")}, [0, 2, 3, 5]),
        ({"kinds": ("session_begun", "signed_in"), "user_id": ALICE}, [0, 2]),
        ({"client_id": "app"}, [2, 5]),
        ({"session_id": "session4"}, [4]),
        ({"before": NOW + 1}, [0, 1]),
        ({"after": NOW + 1}, [4, 5]),
    ],
    ids=str,
)
def test_events_by_what_they_have_in_common(tables, happened, fields, expected):
    assert happened is None
    assert found(tables, **fields) == expected


def test_events_page_after_page(tables, happened):
    """Also of several kinds, which are asked for one after the other."""
    assert happened is None
    both = ("session_begun", "signed_in")
    assert found(tables, Window(2, after=(NOW, "1"))) == [2, 3, 4]
    assert found(tables, Window(2, before=(NOW + 2, "4"), backwards=True)) == [3, 2, 1]
    assert found(tables, Window(1, after=(NOW, "0")), kinds=both) == [2, 3]
    assert found(tables, Window(1, backwards=True), kinds=both) == [5, 3]
    assert tables.run(event_windows.kinds_since, NOW + 2) == {"signed_out": 1, "session_begun": 1}
    assert [each.detail for each in tables.run(event_windows.at, NOW + 1)] == ["2", "3"]


def test_what_waits_for_somebody(tables):
    """A page that is open, a device with a code; neither what is over nor what was answered."""
    waiting = {"expires_at": NOW + 900}
    tables.run(grants.add, a_grant(grant_id="open", **waiting))
    tables.run(grants.add, a_grant(grant_id="old", expires_at=NOW - 1))
    tables.run(grants.add, a_grant(grant_id="refused", refused_at=NOW, **waiting))
    tables.run(
        grants.approve,
        "open",
        by=a_sign_in(),
        acr="1",
        proven_at=NOW,
        code_digest="c",
        code_expires_at=NOW + 60,
        expires_at=NOW + 9000,
        now=NOW,
    )
    tables.run(
        device_grants.add,
        a_device_grant(grant_id="tv", client_id="television", created_at=NOW + 1),
        Codes("a", "b", "c"),
    )

    def waits(window=ALL, *, now=NOW, **of):
        given = {"user_id": None, "client_id": None} | of
        page = tables.run(pending_lists.page, window, **given, now=now)
        if window is ALL:
            assert tables.run(pending_lists.count, **given, now=now) == len(page)
        return [each.grant_id for each in page]

    assert waits() == ["open", "tv"]
    assert waits(user_id=ALICE) == ["open"]
    assert waits(client_id="app") == ["open"]
    assert waits(now=NOW + 61) == ["tv"]
    assert waits(Window(1, after=(NOW, "open"))) == ["tv"]
    assert tables.run(pending_lists.find, "open", now=NOW).expires_at == NOW + 60
    assert tables.run(pending_lists.find, "refused", now=NOW) is None
    assert tables.run(pending_lists.withdraw, "open", now=NOW)
    assert not tables.run(pending_lists.withdraw, "open", now=NOW)
    assert tables.run(pending_lists.withdraw, "tv", now=NOW)
    assert waits() == []
    assert tables.run(grants.get, "open").refused_at == NOW


def test_of_one_second_what_came_later_stands_above(tables):
    """On the page of an account as in the lists: nobody is signed in after they signed out."""
    kinds = [EventKind.SIGNED_IN, EventKind.SESSION_BEGUN, EventKind.SIGNED_OUT] * 4

    def add(txn, number, kind):
        txn.begun = NOW * 1000 + number
        events.add(txn, Event(kind, NOW, ALICE, detail=str(number)))

    for number, kind in enumerate(kinds):
        tables.run(add, number, kind)
    in_order = [str(number) for number in range(12)]
    listed = tables.run(event_windows.page, EventsWanted(), Window(100))
    of_account = tables.run(events.list_before, ALICE, None, limit=5)
    last = of_account[-1]
    older = tables.run(events.list_before, ALICE, (NOW, last.event_id), limit=100)

    assert [each.detail for each in listed] == in_order
    assert [each.detail for each in (*of_account, *older)] == in_order[::-1]


def test_what_one_transaction_wrote_stays_in_its_order(tables):
    """In every list, although all of it is of one second."""
    with tables.begin() as txn:
        for number in range(20):
            events.add(txn, Event(KINDS[number % 3], NOW, ALICE, detail=str(number)))

    assert found(tables) == list(range(20))
    newest = tables.run(events.list_before, ALICE, None, limit=20)
    assert [int(each.detail) for each in newest] == list(reversed(range(20)))
