"""Events: named by what they say."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import ADDRESS, ALICE, NOW
from synapse_nextgen_auth.oauth.events import Event, Happened

EVENT = Event(Happened.SESSION_ENDED, NOW, ALICE, "app", "session", ADDRESS, "revoked")


def test_c347_a_retried_transaction_repeats_its_event():
    """The same event has the same id, so it is written once."""
    assert attrs.evolve(EVENT).event_id == EVENT.event_id


@pytest.mark.parametrize(
    "change",
    [
        {"kind": Happened.SESSION_BEGUN},
        {"happened_at": NOW + 1},
        {"user_id": "@bob:example.com"},
        {"client_id": "other"},
        {"session_id": "other"},
        {"address": "192.0.2.2"},
        {"address": None},
        {"detail": "idle"},
        {"detail": None},
    ],
    ids=str,
)
def test_every_field_makes_another_event(change):
    """None is lost because another one looks like it."""
    assert attrs.evolve(EVENT, **change).event_id != EVENT.event_id


texts = st.none() | st.text(max_size=5)
kinds = st.sampled_from([kind for kind in Happened if kind is not Happened.REFRESHED_ELSEWHERE])
any_event = st.builds(Event, kinds, st.integers(0, 9), *[texts] * 5)


@given(any_event, any_event)
def test_no_two_events_share_an_id(one, other):
    """Whatever stands in them."""
    assert (one.event_id == other.event_id) == (one == other)


def test_no_two_fields_run_into_each_other():
    """A line end in one field is not the border to the next."""
    one = Event(Happened.SIGNED_IN, NOW, "a", "b\nc", None)
    other = Event(Happened.SIGNED_IN, NOW, "a\nb", "c", None)

    assert one.event_id != other.event_id


def test_nothing_is_not_the_word_for_it():
    """A client may call itself None."""
    assert (
        Event(Happened.SIGNED_IN, NOW, client_id=None).event_id
        != Event(Happened.SIGNED_IN, NOW, client_id="None").event_id
    )


def test_a_session_that_goes_back_and_forth_says_so_once_a_day():
    """One event for each address and day, or a phone would fill the table all by itself."""
    morning = NOW - NOW % 86400
    moved = Event(Happened.REFRESHED_ELSEWHERE, morning, ALICE, "app", "session", ADDRESS)
    ids = [attrs.evolve(moved, happened_at=morning + s).event_id for s in (0, 86399, 86400)]

    assert ids[0] == ids[1]
    assert ids[2] != ids[0]
    assert attrs.evolve(moved, address="192.0.2.2").event_id != ids[0]
