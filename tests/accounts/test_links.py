"""For how long people are told that a link works."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.links import LONGEST, told

SECONDS = {"minutes": 60, "hours": 3600, "days": 86400}


@pytest.mark.parametrize(
    ("seconds", "amount", "unit"),
    [
        (60, 1, "minutes"),
        (300, 5, "minutes"),
        (3599, 59, "minutes"),
        (3600, 1, "hours"),
        (3601, 60, "minutes"),
        (7199, 119, "minutes"),
        (7200, 2, "hours"),
        (86400, 24, "hours"),
        (3 * 86400 - 1, 71, "hours"),
        (3 * 86400, 3, "days"),
        (LONGEST, 30, "days"),
    ],
)
def test_a_lifetime_is_told_in_the_unit_that_people_use(seconds, amount, unit):
    assert told(seconds) == (amount, unit)


@given(st.integers(60, LONGEST))
def test_nobody_is_told_that_a_link_works_longer_than_it_does(seconds):
    amount, unit = told(seconds)

    assert amount >= 1
    assert seconds * 2 / 3 <= amount * SECONDS[unit.value] <= seconds or seconds < 120
