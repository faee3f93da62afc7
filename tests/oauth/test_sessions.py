"""How long a session lives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import MATRIX, NOW, a_session
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.sessions import (
    SOFT_ENDS,
    End,
    SessionLifetimes,
    is_left_behind,
    least_idle,
    noted_every,
)


@pytest.mark.parametrize(
    ("fields", "lifetimes", "at", "why"),
    [
        ({}, SessionLifetimes(), 10**10, None),
        ({"expires_at": NOW + 9}, SessionLifetimes(), 8, None),
        ({"expires_at": NOW + 9}, SessionLifetimes(), 9, End.LIFETIME),
        ({}, SessionLifetimes(absolute=9), 8, None),
        ({}, SessionLifetimes(absolute=9), 9, End.LIFETIME),
        ({}, SessionLifetimes(idle=9), 8, None),
        ({}, SessionLifetimes(idle=9), 9, End.IDLE),
        ({"rotated_at": NOW + 5}, SessionLifetimes(idle=9), 13, None),
        ({"rotated_at": NOW + 5}, SessionLifetimes(idle=9), 14, End.IDLE),
        ({"last_active_at": NOW + 5}, SessionLifetimes(idle=9), 13, None),
        ({"last_active_at": NOW + 5}, SessionLifetimes(idle=9), 14, End.IDLE),
        ({"rotated_at": NOW + 5}, SessionLifetimes(absolute=9), 9, End.LIFETIME),
        ({}, SessionLifetimes(idle_without_device=9), 9, None),
        ({"device_id": None}, SessionLifetimes(idle_without_device=9), 8, None),
        ({"device_id": None}, SessionLifetimes(idle_without_device=9), 9, End.IDLE),
        (
            {"device_id": None, "last_active_at": NOW + 5},
            SessionLifetimes(idle_without_device=9),
            13,
            None,
        ),
        (
            {"device_id": None, "rotated_at": NOW + 5},
            SessionLifetimes(idle_without_device=9),
            14,
            End.IDLE,
        ),
        ({"device_id": None}, SessionLifetimes(idle=5, idle_without_device=9), 5, End.IDLE),
        ({"device_id": None}, SessionLifetimes(idle=9, idle_without_device=5), 5, End.IDLE),
        ({"device_id": None}, SessionLifetimes(idle=9), 9, End.IDLE),
        ({}, SessionLifetimes(idle=5, absolute=5), 5, End.LIFETIME),
        ({"ended_at": NOW, "end_reason": "reuse"}, SessionLifetimes(), 0, End.REUSE),
        ({"ended_at": NOW + 99, "end_reason": "logout"}, SessionLifetimes(), 0, End.LOGOUT),
        (
            {"ended_at": NOW, "end_reason": "replaced", "expires_at": 0},
            SessionLifetimes(),
            0,
            End.REPLACED,
        ),
        ({"ended_at": NOW}, SessionLifetimes(), 0, End.REVOKED),
    ],
)
def test_c105_a_session_is_over(fields, lifetimes, at, why):
    """On the second, and the first reason counts."""
    assert a_session(**fields).over(NOW + at, lifetimes) is why


@pytest.mark.parametrize(
    ("expires_at", "absolute", "end"),
    [
        (None, None, None),
        (NOW + 5, None, NOW + 5),
        (None, 7, NOW + 7),
        (NOW + 5, 7, NOW + 5),
        (NOW + 9, 7, NOW + 7),
    ],
)
def test_the_latest_end_is_known_beforehand(expires_at, absolute, end):
    """Access tokens never outlive it."""
    assert a_session(expires_at=expires_at).ends_at(SessionLifetimes(absolute=absolute)) == end


@pytest.mark.parametrize(
    ("idle", "without_device", "every"),
    [
        (None, None, 300),
        (30 * 86_400, 30 * 86_400, 300),
        (3000, None, 300),
        (2999, None, 299),
        (None, 400, 40),
        (600, 400, 40),
        (400, 600, 40),
        (9, None, 1),
    ],
)
def test_c105_uses_are_written_down_often_enough_for_the_idle_limits(idle, without_device, every):
    """After a tenth of the shortest one, and after five minutes at the latest."""
    assert SessionLifetimes(idle=idle, idle_without_device=without_device).noted_every == every


@given(st.integers(0, 2**40), st.none() | st.integers(1, 10**9), st.integers(0, 2**40))
def test_c379_a_clock_that_jumps_makes_no_session_immortal(created_at, absolute, now):
    """Over means over from then on."""
    session = a_session(created_at=created_at, rotated_at=created_at, last_active_at=created_at)
    lifetimes = SessionLifetimes(absolute=absolute)
    end = session.ends_at(lifetimes)

    assert (session.over(now, lifetimes) is not None) == (end is not None and now >= end)


def test_after_a_soft_end_the_device_keeps_its_keys():
    """A client forgets its keys after any other end (CS API, soft logout)."""
    assert {End.REUSE, End.IDLE, End.LIFETIME, End.PROVIDER} == SOFT_ENDS


def test_the_scope_is_read_once():
    """And is the one of the row."""
    session = a_session()

    assert session.granted == grammar.parse(MATRIX)
    assert session.granted is session.granted


def test_the_defaults_are_those_of_the_specification():
    """Five minutes for an access token, 30 seconds of grace, no other limit."""
    assert SessionLifetimes() == SessionLifetimes(
        access_token=300, grace=30, idle=None, absolute=None
    )


@pytest.mark.parametrize(
    ("access_token", "idle"), [(1, 2), (60, 67), (300, 334), (2700, 3000), (3600, 3900)]
)
def test_the_least_idle_limit_lets_sessions_in_use_live(access_token, idle):
    """The client turns up once in the life of an access token, and that is noted a little later."""
    assert least_idle(access_token) == idle


@given(access_token=st.integers(1, 10**9))
def test_an_idle_limit_that_is_recommended_passes(access_token):
    """And two seconds less would not: nobody is told more than is needed."""
    idle = least_idle(access_token)

    assert idle >= access_token + noted_every(idle)
    assert idle - 2 < access_token + noted_every(idle - 2)


FUTURE = NOW + 3600


@pytest.mark.parametrize(
    ("set_at", "since", "ended", "left"),
    [
        # Nobody else has the device: whatever any clock said.
        (NOW * 1000, None, NOW * 1000, True),
        (FUTURE * 1000, None, NOW * 1000, True),
        (NOW * 1000, None, 0, True),
        # Somebody has it since then.
        (NOW * 1000 - 1, NOW, NOW * 1000 - 5000, True),
        (NOW * 1000 + 1, NOW, NOW * 1000 - 5000, False),
        (NOW * 1000 + 1000, NOW, NOW * 1000 + 60_000, False),
        # Within that very second.
        (NOW * 1000 + 300, NOW, NOW * 1000 + 400, True),
        (NOW * 1000 + 500, NOW, NOW * 1000 + 400, False),
        (NOW * 1000 + 300, NOW, NOW * 1000 + 2000, True),
        # The clock of who set it is not quite ours, or was wrong.
        (NOW * 1000 + 30_000, NOW, NOW * 1000, False),
        (FUTURE * 1000, NOW, NOW * 1000, True),
    ],
)
def test_c379_what_goes_with_the_session_that_set_it(set_at, since, ended, left):
    """A clock that ran ahead keeps nothing, and one that noticed the end late takes nothing away."""
    assert is_left_behind(set_at, since=since, ended=ended, now=NOW + 9) is left
