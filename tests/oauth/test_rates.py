"""The bucket behind our limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.oauth.rates import DROP, Rate

NOW = 1_700_000_000
SLOW = Rate(per_second=0.5, burst=3)


@pytest.mark.parametrize(
    ("level", "wait"), [(0, None), (2 * DROP, None), (2 * DROP + 1, 1), (3 * DROP, 2)]
)
def test_a_full_bucket_takes_nothing_for_a_while(level, wait):
    """As long as one drop needs to leak."""
    assert SLOW.wait(level) == wait


@pytest.mark.parametrize(
    ("at", "level"),
    [
        (NOW, 3 * DROP),
        (NOW - 1, 5 * DROP // 2),
        (NOW - 5, DROP // 2),
        (NOW - 6, 0),
        (0, 0),
        (NOW + SKEW, 3 * DROP),
        (NOW + SKEW + 1, 0),
        (2**62, 0),
    ],
)
def test_c379_a_level_leaks_and_one_from_the_future_is_nothing(at, level):
    """The clock of another process may be a minute ahead; one further ahead was wrong."""
    assert SLOW.level(3 * DROP, at=at, now=NOW) == level


@given(
    st.floats(1e-9, 1e9),
    st.integers(1, 10**12),
    st.lists(st.integers(0, 30), min_size=1, max_size=60),
)
def test_no_more_passes_than_burst_and_rate(per_second, burst, pauses):
    """Whatever the operator set and whenever somebody comes."""
    rate, level, at, passed, now = Rate(per_second, burst), 0, NOW, 0, NOW
    for pause in pauses:
        now += pause
        level = rate.level(level, at=at, now=now)
        if rate.wait(level) is None:
            level, passed = level + DROP, passed + 1
        at = now

    assert passed <= min(burst, 10**9) + rate.leak / DROP * (now - NOW)
    assert 0 <= level <= rate.capacity < 2**62
