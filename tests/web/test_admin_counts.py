"""Counts of lists: small ones are exact each time, great ones are remembered for a minute."""

from types import SimpleNamespace

import pytest

from support.coroutines import finish
from support.records import NOW
from synapse_nextgen_auth.web.endpoints.admin.calls import Count
from synapse_nextgen_auth.web.endpoints.admin.counts import FOR, MANY, Counts


def call(*, now=NOW, count=Count.YES, server="example.com", name="listSessions"):
    return SimpleNamespace(
        page=SimpleNamespace(count=count),
        site=SimpleNamespace(server_name=server),
        operation=SimpleNamespace(name=name),
        now=now,
    )


@pytest.fixture
def counted():
    """Return a function that counts, each time one more, and how often it was asked."""
    asked = []

    async def count_from(first):
        asked.append(first)
        return first + len(asked) - 1

    return asked, lambda first: lambda: count_from(first)


def ask(counts, given, what, count):
    return finish(counts.of(given, what, count))


def test_who_does_not_want_a_count_waits_for_none(counted):
    asked, counting = counted

    assert ask(Counts(), call(count=Count.NO), "all", counting(5)) is None
    assert asked == []


def test_a_small_count_is_exact_each_time(counted):
    _, counting = counted
    counts = Counts()

    assert [ask(counts, call(), "all", counting(MANY - 1)) for _ in range(2)] == [MANY - 1, MANY]


def test_a_great_one_is_remembered_for_a_minute_of_this_list_alone(counted):
    """Nor by a clock that was set back."""
    asked, counting = counted
    counts = Counts()
    first = ask(counts, call(), "all", counting(MANY + 1))

    assert ask(counts, call(now=NOW + FOR - 1), "all", counting(MANY + 1)) == first
    assert len(asked) == 1
    for other in (call(server="b"), call(name="other"), call(now=NOW + FOR), call(now=NOW - 5)):
        assert ask(counts, other, "all", counting(MANY + 1)) != first
    assert ask(counts, call(), "some", counting(MANY + 1)) != first


def test_no_more_than_some_are_remembered(counted):
    """Whoever asks for lists without end fills no memory."""
    asked, counting = counted
    counts = Counts()
    for number in range(250):
        ask(counts, call(), number, counting(MANY + 1))

    assert len(counts._known) <= 100
    ask(counts, call(), 249, counting(MANY + 1))
    assert len(asked) == 250
