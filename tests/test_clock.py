"""Times that other clocks wrote."""

import pytest

from synapse_nextgen_auth.clock import SKEW, is_ahead, is_recent

NOW = 1_700_000_000


@pytest.mark.parametrize(
    ("then", "recent"),
    [
        (NOW, True),
        (NOW - 599, True),
        (NOW - 600, False),
        (0, False),
        (NOW + 1, True),
        (NOW + SKEW, True),
        (NOW + SKEW + 1, False),
        (NOW + 3600, False),
        (2**62, False),
    ],
)
def test_c379_nothing_is_recent_that_lies_ahead(then, recent):
    """But for the minute that two clocks may differ by."""
    assert is_recent(then, NOW, within=600) is recent
    assert is_ahead(then, NOW) is (then > NOW + 60)
