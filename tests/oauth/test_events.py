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


MONTH = 30 * 24 * 3600
BEGIN = NOW - NOW % MONTH
MOVED = Event(Happened.REFRESHED_ELSEWHERE, BEGIN, ALICE, "app", "session", "192.0.2.7")


@pytest.mark.parametrize(
    ("change", "is_the_same"),
    [
        ({"happened_at": BEGIN + MONTH - 1}, True),
        ({"happened_at": BEGIN + MONTH}, False),
        ({"address": "192.0.2.200"}, True),
        ({"address": "192.0.3.7"}, False),
        ({"address": "2001:db8::7"}, False),
        ({"address": "no address"}, False),
        ({"session_id": "other"}, False),
    ],
    ids=str,
)
def test_a_session_that_goes_back_and_forth_says_so_once_a_month(change, is_the_same):
    """One event for each network, or a phone would fill the table all by itself."""
    assert (attrs.evolve(MOVED, **change).event_id == MOVED.event_id) == is_the_same


def test_a_network_of_ipv6_is_what_a_provider_gives_a_customer():
    """Phones make up a new address in it every day."""
    one, other, third = (
        attrs.evolve(MOVED, address=address).event_id
        for address in ("2001:db8:1::1", "2001:db8:1:2:3::", "2001:db8:2::1")
    )

    assert one == other
    assert one != third
