"""What counts as one network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.networks import network, printable, site


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.8", "192.0.2.8"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:0DB8:0001:0002:FFFF::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:c000:207", "192.0.2.7"),
        ("64:ff9b::192.0.2.7", "192.0.2.7"),
        ("64:ff9b::c000:208", "192.0.2.8"),
        ("[64:ff9b::192.0.2.7]:50123", "192.0.2.7"),
        ("64:ff9b::1:c000:207", "64:ff9b::/64"),
        ("64:ff9b:1::192.0.2.7", "64:ff9b:1::/64"),
        ("::ffff:0:192.0.2.7", "192.0.2.7"),
        ("::ffff:0:c000:208", "192.0.2.8"),
        ("::fffe:0:192.0.2.7", "::/64"),
        ("::192.0.2.7", "::/64"),
        ("192.0.2.7:50123", "192.0.2.7"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("", ""),
        ("unix", "unix"),
        ("not an address", "not?an?address"),
        ("192.0.2.7\0", "192.0.2.7?"),
        ("\u00fc\ud800", "??"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_c210_c241_addresses_of_one_network_count_as_one(address, counted_as):
    """Whoever has an IPv6 address has the whole /64; the rest counts as itself, but bounded."""
    assert network(address) == counted_as


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("[2001:db8:1:ffff::1]:443", "2001:db8:1::/48"),
        ("2001:db8:2::1", "2001:db8:2::/48"),
        *((address, None) for address in ("192.0.2.7", "::ffff:192.0.2.7", "64:ff9b::1", "", "x")),
    ],
)
def test_c210_the_networks_of_one_customer_are_a_site(address, counted_as):
    """A /48 has 65,536 of them; an IPv4 address has nothing around it."""
    assert site(address) == counted_as


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_the_lower_half_of_an_ipv6_address_does_not_matter(prefix, one, other):
    """Written in any way."""
    halves = [f"{prefix:016x}{half:016x}" for half in (one, other)]
    written = [":".join(text[at : at + 4] for at in range(0, 32, 4)) for text in halves]
    dresses = {prefix << 32 | half >> 32 for half in (one, other)}
    if dresses & {0xFFFF, 0xFFFF << 16, 0x64_FF9B << 64}:
        return  # an IPv4 address in the dress of IPv6

    assert network(written[0]) == network(written[1])


@given(st.text(st.characters(codec=None), max_size=200))
def test_any_text_is_a_network_that_can_be_kept(text):
    """Short, printable ASCII."""
    for kept in (network(text), printable(text)):
        assert len(kept) <= 64
        assert all("!" <= letter <= "~" for letter in kept)
