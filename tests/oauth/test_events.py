"""Events: made from what they are about, and the few that are told again and again only once."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import ADDRESS, ALICE, NOW, a_session
from synapse_nextgen_auth.oauth.events import Event, EventKind

EVENT = Event(EventKind.SESSION_ENDED, NOW, ALICE, "app", "session", ADDRESS, "revoked")


def test_an_event_is_made_from_a_session():
    """Whose it is, which client's and which; from where and what else only where that is known."""
    session = a_session()
    whose = (session.user_id, session.client_id, session.session_id)

    assert Event.of(session, EventKind.CODE_REUSED, NOW) == Event(
        EventKind.CODE_REUSED, NOW, *whose, None, None
    )
    assert Event.of(session, EventKind.SESSION_ENDED, NOW, address=ADDRESS, detail="idle") == Event(
        EventKind.SESSION_ENDED, NOW, *whose, ADDRESS, "idle"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"kind": EventKind.SESSION_BEGUN},
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
    assert attrs.evolve(EVENT, **change).said != EVENT.said


texts = st.none() | st.text(max_size=5)
any_event = st.builds(Event, st.sampled_from(EventKind), st.integers(0, 9), *[texts] * 5)


@given(any_event, any_event)
def test_no_two_events_say_the_same(one, other):
    """Whatever stands in them."""
    assert (one.said == other.said) == (one == other)


def test_no_two_fields_run_into_each_other():
    """A line end in one field is not the border to the next."""
    one = Event(EventKind.SIGNED_IN, NOW, "a", "b\nc", None)
    other = Event(EventKind.SIGNED_IN, NOW, "a\nb", "c", None)

    assert one.said != other.said


def test_nothing_is_not_the_word_for_it():
    """A client may call itself None."""
    assert (
        Event(EventKind.SIGNED_IN, NOW, client_id=None).said
        != Event(EventKind.SIGNED_IN, NOW, client_id="None").said
    )


MONTH = 30 * 24 * 3600
BEGIN = NOW - NOW % MONTH


def moved(*, session_id="session", at=BEGIN, address="192.0.2.7"):
    """Return the id of the event of a session that refreshes from there."""
    session = a_session(session_id=session_id, user_id=ALICE, client_id="app")
    event = Event.refreshed_elsewhere(session, at, address=address)
    assert (event.kind, event.happened_at, event.address) == (
        EventKind.REFRESHED_ELSEWHERE,
        at,
        address,
    )
    return event.event_id


def test_the_id_is_the_one_that_releases_before_made():
    """So a month in which the server was upgraded has one event, too."""
    assert moved(at=1_800_000_000) == (
        "d8cf4d45610469deb63b21e8f0e823cff31100027c7f5b782c38b071ada6e542"
    )


@pytest.mark.parametrize(
    ("change", "is_the_same"),
    [
        ({"at": BEGIN + MONTH - 1}, True),
        ({"at": BEGIN + MONTH}, False),
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
    assert (moved(**change) == moved()) == is_the_same


def test_a_network_of_ipv6_is_what_a_provider_gives_a_customer():
    """Phones make up a new address in it every day."""
    one, other, third = (
        moved(address=address) for address in ("2001:db8:1::1", "2001:db8:1:2:3::", "2001:db8:2::1")
    )

    assert one == other
    assert one != third
