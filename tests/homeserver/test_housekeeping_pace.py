"""The chores leave the database to others most of the time, whatever the clock says."""

from types import SimpleNamespace

import pytest

from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.upkeep.housekeeping import Housekeeping, Keeping


class Clock:
    """A clock that stands still but for what it is told, and notes how long somebody slept."""

    def __init__(self):
        self.now, self.slept = 1_000_000, []

    def time_msec(self):
        return self.now

    async def sleep(self, duration):
        # A number of seconds in old releases of Synapse.
        self.slept.append(round(getattr(duration, "as_secs", lambda: duration)() * 1000))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def begun():
    """Return the chores that were begun, as coroutines."""
    return []


@pytest.fixture
def housekeeping(clock, begun):
    def begin(_name, function, *arguments):
        begun.append(function(*arguments))

    hs = SimpleNamespace(get_clock=lambda: clock, run_as_background_process=begin)
    homeserver = SimpleNamespace(hs=hs)
    keeping = Keeping(browsers=None, unused_clients_after=0, idle_without_device=None)
    return Housekeeping(homeserver, None, keeping)


def finish(coroutine):
    """Run a coroutine that waits for nothing."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


@pytest.mark.parametrize(
    ("took", "rests"),
    [(0, 20), (4, 20), (100, 400), (3000, 5000), (3_600_000, 5000), (-3_600_000, 20)],
)
def test_c353_after_a_bite_the_database_has_four_times_as_long_to_itself(
    housekeeping, clock, took, rests
):
    """Never less than a moment, and never more than seconds because a clock jumped."""
    finish(housekeeping._rest(clock.now - took))

    assert clock.slept == [rests]


def test_a_chore_is_not_begun_again_while_it_is_under_way(housekeeping, begun):
    """With a hundred million sessions one of them takes hours."""

    async def chore():
        pass

    for _ in range(2):
        housekeeping._start(Background.HOUSEKEEPING, chore)
    assert len(begun) == 1

    finish(begun[0])
    housekeeping._start(Background.HOUSEKEEPING, chore)
    assert len(begun) == 2
    finish(begun[1])


def test_a_chore_that_fails_is_begun_again_in_its_turn(housekeeping, begun, caplog):
    """One bad moment of the database is no reason to stop for good."""

    async def chore():
        raise RuntimeError("the database is away")

    for _ in range(2):
        housekeeping._start(Background.HOUSEKEEPING, chore)
        finish(begun[-1])

    assert len(begun) == 2
    assert caplog.messages == ["Chore nextgen_housekeeping failed, the next time tries again"] * 2
