"""Codes by e-mail as a second factor: what is shown of the address, and what the code is kept under."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.factors.mail import code_id, masked


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("alice@example.com", "a…@e….com"),
        ("a@b.example.co.uk", "a…@b….uk"),
        ("alice@localhost", "a…@l…"),
        ("älice@exämple.de", "ä…@e….de"),
        ('"a@b"@example.com', '"…@e….com'),
    ],
)
def test_an_address_is_known_again_by_its_owner_alone(address, shown):
    assert masked(address) == shown


@given(st.emails())
def test_little_of_an_address_is_shown(address):
    """A letter on each side, and the last label of the host."""
    local, _, host = address.rpartition("@")
    ending = host.rpartition(".")[2]

    assert len(masked(address)) <= len("a…@e….") + len(ending)
    assert len(local) < 2 or local not in masked(address).partition("@")[0]


@given(st.text(min_size=1), st.text(min_size=1))
def test_the_code_of_a_factor_is_kept_apart(one, other):
    """From whatever else was sent in the same attempt, and from those of others."""
    assert code_id(one) != one
    assert (code_id(one) == code_id(other)) is (one == other)
