"""A device grant: what polling finds, and when."""

import pytest

from support.records import ALICE, NOW, a_device_grant
from synapse_nextgen_auth.oauth.grants.device_grants import MAX_WRONG_TRIES, Poll, refuse_poll


@pytest.mark.parametrize(
    ("fields", "at", "poll"),
    [
        ({}, 0, Poll.PENDING),
        ({}, 899, Poll.PENDING),
        ({}, 900, Poll.EXPIRED),
        ({"approved_at": NOW}, 899, Poll.APPROVED),
        ({"approved_at": NOW}, 900, Poll.EXPIRED),
        ({"refused_at": NOW}, 0, Poll.DENIED),
        ({"refused_at": NOW}, 900, Poll.DENIED),
        ({"approved_at": NOW, "refused_at": NOW}, 0, Poll.DENIED),
        ({"approved_at": NOW, "redeemed_at": NOW}, 0, Poll.SPENT),
        ({}, -60, Poll.PENDING),
        ({}, -61, Poll.EXPIRED),
        ({"approved_at": NOW}, -61, Poll.EXPIRED),
        ({"approved_at": NOW, "redeemed_at": NOW, "refused_at": NOW}, 900, Poll.SPENT),
    ],
)
def test_c142_c151_what_a_poll_finds(fields, at, poll):
    """A decision outlives the time, an approval does not."""
    assert a_device_grant(**fields).poll(NOW + at) is poll


@pytest.mark.parametrize(
    ("poll", "code"),
    [
        (Poll.PENDING, "authorization_pending"),
        (Poll.DENIED, "access_denied"),
        (Poll.EXPIRED, "expired_token"),
        (Poll.SPENT, "invalid_grant"),
        (Poll.APPROVED, None),
    ],
)
def test_c142_the_words_of_rfc_8628(poll, code):
    """Section 3.5; an approved one gets tokens."""
    refusal = refuse_poll(poll)

    assert (refusal and refusal[0]) == code


@pytest.mark.parametrize(
    ("fields", "is_open"),
    [
        ({}, True),
        ({"wrong_tries": MAX_WRONG_TRIES - 1}, True),
        ({"wrong_tries": MAX_WRONG_TRIES}, False),
        ({"approved_at": NOW, "user_id": ALICE}, False),
        ({"refused_at": NOW}, False),
    ],
)
def test_c147_a_code_is_open_until_it_is_decided_or_guessed_at(fields, is_open):
    """Too many tries that come close, and it is dead."""
    assert a_device_grant(**fields).is_open(NOW) is is_open


@pytest.mark.parametrize(
    ("slowed_at", "at", "slowed"),
    [
        *((None, 0, False), (NOW, 0, True), (NOW, 4, True), (NOW, 5, False)),
        *((NOW + 60, 0, True), (NOW + 61, 0, False), (NOW + 10**7, 0, False)),
    ],
)
def test_c141_a_slowed_device_waits_out_its_interval(slowed_at, at, slowed):
    """From when it was told."""
    assert a_device_grant(slowed_at=slowed_at).is_slowed(NOW + at) is slowed


def test_the_sealed_code_does_not_show():
    """Not even encrypted."""
    assert "sealed" not in repr(a_device_grant(user_code_sealed="sealed in wax")).replace(
        "user_code_sealed", ""
    )
