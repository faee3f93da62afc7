"""What a provider's answer is worth, and for how long."""

import pytest

from synapse_nextgen_auth.accounts.attempts.arrivals import LIFETIME, Arrival, Statement

NOW = 1_800_000_000
ARRIVAL = Arrival("d1", "a1", "oidc-works", NOW, user_id="@carol:example.org")


@pytest.mark.parametrize(
    ("auth_time", "is_fresh"),
    [
        (NOW, True),
        (NOW + 5, True),
        (NOW - 60, True),  # as far as the clocks of two servers may differ
        (NOW - 61, False),
        (0, False),
        (None, False),
    ],
)
def test_a_sign_in_is_fresh_that_came_after_the_question(auth_time, is_fresh):
    """A provider that does not say when is not believed to have asked."""
    assert Statement(auth_time=auth_time).is_fresh(since=NOW) is is_fresh


@pytest.mark.parametrize(
    ("taken_at", "now", "waits"),
    [
        (None, NOW, True),
        (None, NOW + LIFETIME - 1, True),
        (None, NOW + LIFETIME, False),
        (NOW, NOW, False),
    ],
)
def test_an_answer_is_taken_once_and_soon(taken_at, now, waits):
    taken = Arrival("d1", "a1", "oidc-works", NOW, taken_at=taken_at)

    assert taken.waits(now) is waits
