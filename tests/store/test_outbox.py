"""Rows of the outbox: taken by one, in order where that matters, and never in the way of others."""

import attrs
import pytest

from support.records import ADDRESS, ALICE, BOB, NOW
from synapse_nextgen_auth.accounts.outbox import FURTHEST, LEASE
from synapse_nextgen_auth.accounts.works import KINDS, FinishClosing, RemovePushers, Work
from synapse_nextgen_auth.store import outbox
from synapse_nextgen_auth.store.outbox import Waiting

KIND = RemovePushers.kind


@attrs.frozen
class Ordered(Work):
    """A kind whose order matters."""

    kind = "ordered"
    in_order = True

    about: str
    number: int

    @property
    def subject(self):
        return self.about


@pytest.fixture(autouse=True)
def ordered(monkeypatch):
    monkeypatch.setitem(KINDS, Ordered.kind, Ordered)


def put(tables, *works, now=NOW):
    for work in works:
        tables.run(outbox.put, work, now=now)


def due(tables, kind=KIND, *, now=NOW, limit=100):
    return tables.run(outbox.list_due, kind, now=now, limit=limit)


def works(entries):
    """Return what they say; what was written in the same second comes in any order."""
    return sorted((entry.work for entry in entries), key=lambda work: work.subject)


def test_what_was_put_is_due_at_once(tables):
    some = [RemovePushers(name, 1) for name in "abc"]

    put(tables, some[0])
    put(tables, *some[1:], now=NOW + 1)

    assert works(due(tables)) == some[:1]
    assert works(due(tables, now=NOW + 1)) == some


def test_a_transaction_that_runs_again_writes_it_once(tables):
    """Also when nobody heard that the first one was committed: the second is an integrity error."""
    tables.transact(outbox.put, RemovePushers("a", 1), now=NOW)

    assert len(due(tables)) == 1


def test_an_entry_is_taken_by_one(tables):
    put(tables, RemovePushers("a", 1))
    (entry,) = due(tables)

    taken = tables.run(outbox.claim, entry, now=NOW)
    again = tables.run(outbox.claim, entry, now=NOW)

    assert (taken.tries, taken.due_at) == (1, NOW + LEASE)
    assert again is None
    assert due(tables, now=NOW + LEASE - 1) == []


def test_whoever_died_with_an_entry_leaves_it_to_the_next(tables):
    put(tables, RemovePushers("a", 1))
    (entry,) = due(tables)
    tables.run(outbox.claim, entry, now=NOW)

    (left,) = due(tables, now=NOW + LEASE)
    taken = tables.run(outbox.claim, left, now=NOW + LEASE)

    assert taken.tries == 2


def test_whoever_was_too_slow_changes_nothing_of_what_another_has(tables):
    put(tables, RemovePushers("a", 1))
    (entry,) = due(tables)
    slow = tables.run(outbox.claim, entry, now=NOW)
    (left,) = due(tables, now=NOW + LEASE)
    taken = tables.run(outbox.claim, left, now=NOW + LEASE)

    tables.run(outbox.postpone, slow, due_at=NOW)
    assert tables.run(outbox.give_up, slow, now=NOW) is False

    assert due(tables, now=NOW + LEASE) == []
    assert due(tables, now=NOW + 2 * LEASE) == [taken]


def test_what_was_done_or_given_up_is_not_due(tables):
    put(tables, RemovePushers("a", 1), RemovePushers("b", 1))
    one, other = due(tables)

    tables.run(outbox.done, one.entry_id)
    assert tables.run(outbox.give_up, other, now=NOW) is True
    assert tables.run(outbox.give_up, other, now=NOW) is False

    assert due(tables, now=NOW + 10**6) == []
    assert tables.run(outbox.measure, now=NOW) == []


def test_what_failed_rests(tables):
    put(tables, RemovePushers("a", 1), RemovePushers("b", 1))
    (first,) = (entry for entry in due(tables) if entry.subject == "a")
    failed = tables.run(outbox.claim, first, now=NOW)

    tables.run(outbox.postpone, failed, due_at=NOW + 4)

    assert works(due(tables, now=NOW + 3)) == [RemovePushers("b", 1)]
    assert len(due(tables, now=NOW + 4)) == 2


def test_where_order_matters_the_first_of_each_subject_is_due(tables):
    put(tables, Ordered("a", 1), Ordered("a", 2), Ordered("b", 1), RemovePushers("a", 1))

    assert works(due(tables, "ordered")) == [Ordered("a", 1), Ordered("b", 1)]


def test_what_is_under_way_or_rests_keeps_those_behind_it_waiting(tables):
    put(tables, Ordered("a", 1), Ordered("a", 2))
    (first,) = due(tables, "ordered")

    taken = tables.run(outbox.claim, first, now=NOW)
    assert due(tables, "ordered") == []
    tables.run(outbox.postpone, taken, due_at=NOW + 30)
    assert due(tables, "ordered", now=NOW + 29) == []
    tables.run(outbox.done, first.entry_id)

    assert works(due(tables, "ordered")) == [Ordered("a", 2)]


def test_what_was_given_up_is_in_nobodys_way(tables):
    put(tables, Ordered("a", 1), Ordered("a", 2))
    (first,) = due(tables, "ordered")

    tables.run(outbox.give_up, first, now=NOW)

    assert works(due(tables, "ordered")) == [Ordered("a", 2)]


def test_a_bite_is_no_larger_than_asked(tables):
    put(tables, *(RemovePushers(str(number), 1) for number in range(5)))

    assert len(due(tables, limit=3)) == 3


def test_c379_what_a_clock_ahead_put_off_is_due(tables):
    """Nothing rests for longer than a minute, so this was no honest clock."""
    put(tables, RemovePushers("ahead", 1), now=NOW + 10**6)
    put(tables, RemovePushers("honest", 1), now=NOW + FURTHEST)

    assert works(due(tables)) == [RemovePushers("ahead", 1)]


def test_what_waits_is_counted_by_kind(tables):
    put(tables, RemovePushers("a", 1))
    put(tables, RemovePushers("b", 1), Ordered("a", 1), now=NOW + 50)

    found = sorted(tables.run(outbox.measure, now=NOW + 5), key=lambda one: one.kind)

    assert found == [
        Waiting("ordered", 1, NOW + 50, 0, next_due=NOW + 50),
        Waiting(KIND, 2, NOW, 1, next_due=NOW + 50),
    ]
    assert {one.next_due for one in tables.run(outbox.measure, now=NOW + 60)} == {None}


def test_what_waits_for_too_long_names_no_network_address_any_more(tables):
    """Nothing else of it changes, nor of what was written down later."""
    closing = FinishClosing(ALICE, 1, ADDRESS, "sealed")
    put(tables, closing)
    put(tables, attrs.evolve(closing, user_id=BOB), now=NOW + 1)
    tables.run(outbox.put, RemovePushers("a", 1), now=NOW)
    with tables.begin() as txn:
        txn.execute("UPDATE nextgen_outbox SET payload = 'unreadable' WHERE kind = ?", (KIND,))
    for kind in (FinishClosing.kind, KIND):
        tables.run(outbox.forget_addresses, kind, before=NOW + 1)

    assert {entry.work for entry in due(tables, FinishClosing.kind, now=NOW + 1)} == {
        attrs.evolve(closing, address=""),
        attrs.evolve(closing, user_id=BOB),
    }
