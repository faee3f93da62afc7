"""Throttles count over all workers, within a window."""

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.records import NOW
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.oauth.rates import DROP, Rate
from synapse_nextgen_auth.store import throttle
from synapse_nextgen_auth.store.throttle import Bucket, Full

WINDOW = 900


def count(tables, times=1, *, key="k", at=0):
    """Count something."""
    for _ in range(times):
        tables.transact(throttle.count, key, window=WINDOW, now=NOW + at)


def wait(tables, *, key="k", at=0, limit=3):
    """Return for how long the key must wait."""
    return tables.transact(throttle.wait, key, limit=limit, window=WINDOW, now=NOW + at)


@pytest.mark.parametrize(("times", "answer"), [(0, None), (2, None), (3, WINDOW), (9, WINDOW)])
def test_a_key_waits_from_its_limit_on(tables, times, answer):
    """Until its window is over."""
    count(tables, times)

    assert wait(tables) == answer


@pytest.mark.parametrize(
    ("at", "answer"), [(1, WINDOW - 1), (WINDOW - 1, 1), (WINDOW, None), (10 * WINDOW, None)]
)
def test_the_wait_gets_shorter(tables, at, answer):
    """And ends on the second."""
    count(tables, 3)

    assert wait(tables, at=at) == answer


def test_a_new_window_begins_at_one(tables):
    """What was before is forgotten."""
    count(tables, 3)
    count(tables, 2, at=WINDOW)

    assert wait(tables, at=WINDOW) is None
    count(tables, at=WINDOW + 10)
    assert wait(tables, at=WINDOW + 10) == WINDOW - 10


def test_counting_does_not_push_the_window_away(tables):
    """Whoever goes on trying waits no longer for it."""
    count(tables, 3)
    count(tables, 5, at=800)

    assert wait(tables, at=800) == 100


def test_keys_do_not_mix(tables):
    """Each counts for itself."""
    count(tables, 3, key="one")

    assert wait(tables, key="other") is None
    assert wait(tables, key="one") == WINDOW


def test_counts_at_once_are_all_counted(tables):
    """None is lost."""
    tables.race([partial(throttle.count, key="k", window=WINDOW, now=NOW)] * 5)

    assert tables.query("SELECT count FROM nextgen_throttle") == [(5,)]


@pytest.mark.parametrize(("ahead", "answer"), [(SKEW, WINDOW), (SKEW + 1, None), (10**8, None)])
def test_c379_a_window_from_the_future_is_over(tables, ahead, answer):
    """The clock ran ahead and was set right: nobody waits for as long; a minute is normal."""
    count(tables, 3, at=ahead)

    assert wait(tables) == answer
    count(tables)
    assert wait(tables, limit=2) == (WINDOW if answer else None)


# The bucket

RATE = Rate(per_second=0.5, burst=3)


def fill(tables, *, key="k", at=0, rate=RATE):
    """Try to do something once more."""
    full = tables.transact(throttle.fill, [Bucket(key, rate)], now=NOW + at)
    return None if full is None else full.wait


def test_a_burst_passes_and_then_what_leaks(tables):
    """Three at once, then one in two seconds; keys do not mix."""
    assert [fill(tables) for _ in range(5)] == [None, None, None, 2, 2]
    assert [fill(tables, at=1), fill(tables, at=2), fill(tables, at=3)] == [1, None, 1]
    assert fill(tables, key="other", at=3) is None
    assert [fill(tables, at=100) for _ in range(4)] == [None, None, None, 2]


def test_c154_nothing_is_written_for_whoever_has_to_wait(tables):
    """A flood costs reads."""
    for _ in range(3):
        fill(tables)
    before = tables.query("SELECT * FROM nextgen_throttle")

    for _ in range(10):
        assert fill(tables, at=1) == 1

    assert tables.query("SELECT * FROM nextgen_throttle") == before


@pytest.mark.parametrize(("ahead", "waits"), [(SKEW, True), (SKEW + 1, False), (10**8, False)])
def test_c379_a_bucket_from_the_future_is_empty(tables, ahead, waits):
    """Nobody is locked out for as long as the clock was wrong."""
    for _ in range(3):
        fill(tables, at=ahead)

    assert (fill(tables) is not None) is waits
    assert tables.query("SELECT window_start > ? FROM nextgen_throttle", NOW + SKEW) in (
        [(0,)],
        [(False,)],
    )


def test_a_clock_that_is_a_little_behind_lets_nothing_leak_twice(tables):
    """Two processes, a minute apart, in turns."""
    passed = [fill(tables, at=at + (SKEW if at % 2 else 0)) for at in range(20)].count(None)

    assert passed <= 3 + (20 + SKEW) * 0.5


def test_c167_of_many_at_once_no_more_pass_than_fit(tables):
    """Over all workers."""
    rate = Rate(per_second=0.001, burst=4)

    found = tables.race([partial(throttle.fill, buckets=[Bucket("k", rate)], now=NOW)] * 6)

    assert found.count(None) == 4
    assert tables.query("SELECT count FROM nextgen_throttle") == [(4 * DROP,)]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.floats(1e-9, 1e9),
    st.integers(1, 10**12),
    st.lists(st.integers(-90, 10**9), min_size=1, max_size=8),
)
def test_the_database_reckons_as_the_rule_does(tables, per_second, burst, steps):
    """Whatever the rate, and however the clock moves."""
    rate, level, stored_at, now = Rate(per_second, burst), 0, None, NOW
    tables.clear()
    for step in steps:
        now += step
        level = 0 if stored_at is None else rate.level(level, at=stored_at, now=now)
        expected = rate.wait(level)
        if expected is None:
            is_a_little_ahead = stored_at is not None and now < stored_at <= now + SKEW
            level, stored_at = level + DROP, stored_at if is_a_little_ahead else now

            assert tables.run(throttle.fill, [Bucket("k", rate)], now=now) is None
            assert tables.query("SELECT window_start, count FROM nextgen_throttle") == [
                (stored_at, level)
            ]
        else:
            full = tables.run(throttle.fill, [Bucket("k", rate)], now=now)
            assert full == Full("k", expected)
            return


# Several buckets

WIDE = Bucket("wide", Rate(per_second=0.001, burst=4))


def near(name):
    """Return one of many buckets beside each other, and the one around them all."""
    return [Bucket(f"near {name}", RATE), WIDE]


def levels(tables):
    return dict(tables.query("SELECT key, count FROM nextgen_throttle"))


def test_c155_whoever_counts_in_two_buckets_needs_room_in_both(tables):
    """Nothing is written when either is full."""
    passed = [tables.transact(throttle.fill, near("a"), now=NOW) for _ in range(3)]
    assert passed == [None] * 3
    assert tables.transact(throttle.fill, near("a"), now=NOW) == Full("near a", 2)
    assert levels(tables) == {"near a": 3 * DROP, "wide": 3 * DROP}

    assert tables.transact(throttle.fill, near("b"), now=NOW) is None
    before = levels(tables)
    assert tables.transact(throttle.fill, near("b"), now=NOW) == Full("wide", 1000)
    assert tables.transact(throttle.fill, near("c"), now=NOW) == Full("wide", 1000)
    assert tables.transact(throttle.full, near("c"), now=NOW) == Full("wide", 1000)
    assert tables.transact(throttle.full, near("c")[:1], now=NOW) is None
    assert levels(tables) == before == {"near a": 3 * DROP, "near b": DROP, "wide": 4 * DROP}


def test_c167_of_many_at_once_no_more_pass_than_fit_into_both(tables):
    """Over all workers, and both know the same number of them."""
    found = tables.race([partial(throttle.fill, buckets=near(n), now=NOW) for n in range(7)])
    counted = levels(tables)

    assert found.count(None) == 4
    assert counted.pop("wide") == 4 * DROP
    assert sum(counted.values()) == 4 * DROP


def test_what_is_taken_back_has_not_counted(tables):
    """And nothing of what others counted goes with it, once it has leaked."""
    for _ in range(2):
        tables.run(throttle.fill, near("a"), now=NOW)
    tables.run(throttle.take_back, near("a"))
    assert levels(tables) == {"near a": DROP, "wide": DROP}

    tables.run(throttle.fill, near("a"), now=NOW + 1)
    for _ in range(2):
        tables.run(throttle.take_back, near("a"))
    assert levels(tables)["near a"] == 0


class Late:
    """A transaction that read the wide bucket before others filled it."""

    def __init__(self, txn):
        self._txn = txn

    def execute(self, sql, parameters=()):
        if sql.startswith("SELECT") and parameters == ("wide",):
            parameters = ("nobody",)
        self._txn.execute(sql, parameters)

    def __getattr__(self, name):
        return getattr(self._txn, name)


@pytest.mark.parametrize("before", [0, 1])
def test_c167_whoever_comes_too_late_for_one_bucket_fills_none(tables, before):
    """What was written into the other one is taken back in the same transaction."""
    for name in ["b"] * before + ["w", "x", "y", "z"][before:]:
        tables.transact(throttle.fill, near(name), now=NOW)

    full = tables.transact(lambda txn: throttle.fill(Late(txn), near("b"), now=NOW))

    assert full == Full("wide", 1)
    assert levels(tables)["near b"] == before * DROP
    assert levels(tables)["wide"] == 4 * DROP
