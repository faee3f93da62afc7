"""Throttles count over all workers, within a window."""

from functools import partial

import pytest

from support.records import NOW
from synapse_nextgen_auth.store import throttle

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
