"""What this machine is called, and which networks have it in them."""

from ipaddress import ip_network

import pytest

from synapse_nextgen_auth.oauth import hosts, loopback, uris
from synapse_nextgen_auth.oauth.clients import redirects


@pytest.mark.parametrize("host", loopback.SPELLINGS)
def test_what_a_client_may_write_is_loopback_everywhere(host):
    """A redirect URI, its port, an operator's own address and the hosts on the internet agree."""
    uri = uris.parse(f"http://{host}:4711/cb")

    assert loopback.is_loopback(host)
    assert uri.is_loopback
    assert redirects.without_port(uri.text) == f"http://{host}/cb"
    assert redirects.stays_here(host)
    assert hosts.refuse_public(host) is not None
    assert "is loopback" in hosts.refuse_entry(host)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *((here, True) for here in ("localhost", "127.0.0.1", "127.255.255.255", "::1", "[::1]")),
        *((here, True) for here in ("0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "[::ffff:7f00:1]")),
        *((other, False) for other in ("", "0.0.0.0", "::", "126.255.255.255", "128.0.0.0", "::2")),
        *(
            (other, False)
            for other in ("localhost.example", "notlocalhost", "127.1", "a.localhost")
        ),
        *((other, False) for other in ("::ffff:126.0.0.1", "::ffff:128.0.0.0", "2130706433")),
    ],
)
def test_an_operators_own_address_is_this_machine(host, expected):
    """Every address of loopback, IPv4 within IPv6 too, and nothing that only begins like one."""
    assert loopback.is_loopback(host) is expected


@pytest.mark.parametrize(
    ("network", "part"),
    [
        ("127.0.0.1/32", "127.0.0.0/8"),
        ("127.0.0.0/8", "127.0.0.0/8"),
        ("0.0.0.0/1", "127.0.0.0/8"),
        ("0.0.0.0/0", "127.0.0.0/8"),
        ("::1/128", "::1/128"),
        ("::/127", "::1/128"),
        ("::ffff:127.0.0.1/128", "::ffff:127.0.0.0/104"),
        ("128.0.0.0/1", None),
        ("10.0.0.0/8", None),
        ("fd00::/8", None),
        ("::ffff:10.0.0.0/104", None),
    ],
)
def test_a_network_that_has_this_machine_in_it_is_known(network, part):
    """A part of loopback, all of it, or more than it."""
    found = loopback.inside(ip_network(network))

    assert (found and str(found)) == (part and str(ip_network(part)))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("127.0.0.0/8", "is loopback, see allow_loopback_web"),
        ("127.0.0.1/8", "is loopback, see allow_loopback_web"),
        ("0.0.0.0/1", "has loopback in it (127.0.0.0/8); list the networks beside that"),
        ("10.0.0.0/1", "has loopback in it (127.0.0.0/8); list the networks beside that"),
        ("::/64", "has loopback in it (::1/128); list the networks beside that"),
        ("[::ffff:127.0.0.1]", "is loopback, see allow_loopback_web"),
    ],
)
def test_a_network_around_loopback_is_not_called_loopback(entry, words):
    """0.0.0.0/1 is half of the internet: that is refused, and told for what it is."""
    assert hosts.refuse_entry(entry) == words


def test_what_is_around_loopback_can_be_listed():
    """The way out that the message names."""
    for entry in ("0.0.0.0/2", "64.0.0.0/3", "112.0.0.0/5", "120.0.0.0/6", "126.0.0.0/8"):
        assert hosts.refuse_entry(entry) is None
