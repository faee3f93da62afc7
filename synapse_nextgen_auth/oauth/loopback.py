"""This machine as a host: the one definition of loopback (RFC 6890; RFC 8252 section 7.3)."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

# The three spellings that RFC 8252 section 7.3 and the Client-Server API know, and no other: what a
# client may write. An IPv6 address keeps its brackets.
SPELLINGS = ("localhost", "127.0.0.1", "[::1]")

# The last is the first as IPv6 spells it (RFC 4291 section 2.5.5.2).
NETWORKS = (
    ip_network("127.0.0.0/8"),
    ip_network("::1/128"),
    ip_network("::ffff:127.0.0.0/104"),
)


def is_loopback(host: str) -> bool:
    """Say whether a host that an operator wrote is this machine: `localhost` or an address of it."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return any(address in network for network in NETWORKS)


def is_name(host: str) -> bool:
    """Say whether a name is `localhost` or below it, as browsers take it (RFC 6761 section 6.3)."""
    return host.rsplit(".", maxsplit=1)[-1] == "localhost"


def inside(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network | None:
    """Return the part of loopback that a network has in it, or that it is a part of."""
    return next(
        (
            loopback
            for loopback in NETWORKS
            if loopback.version == network.version and loopback.overlaps(network)
        ),
        None,
    )
