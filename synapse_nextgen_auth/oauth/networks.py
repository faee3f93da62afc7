"""Which addresses count as one: whoever has an IPv6 address has the 2^64 beside it (RFC 6177)."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

_HOST_BITS = 64
# The most that one customer is usually given: a household gets a /56 or a /48, a rented server at times
# too (RFC 6177 section 2).
_SITE_BITS = 80
# An IPv4 address stands in the last 32 bits behind these: mapped (RFC 4291 section 2.5.5.2), of a
# translator (RFC 6052 section 2.1), and translated without a state (RFC 2765 section 2.1).
_IPV4_WITHIN = {int(IPv6Address(p)) >> 32 for p in ("::ffff:0:0", "64:ff9b::", "::ffff:0:0:0")}
_MAX_LENGTH = 64
_NOT_PRINTABLE = re.compile(r"[^\x21-\x7E]")
# Some proxies write the port of their client, too: it would be a new address for each connection.
_WITH_PORT = re.compile(r"\[([^\[\]]*)\](?::[0-9]*)?|([^:]*):[0-9]*")


def network(address: str) -> str:
    """Return what a limit counts an address as: IPv4 as it is, IPv6 by its /64.

    Anything else, as a proxy may forward it, counts as itself, but short and printable.
    """
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return _around(parsed, _HOST_BITS)
    return str(parsed) if parsed else printable(address)


def site(address: str) -> str | None:
    """Return the /48 of an IPv6 address, which has 65,536 networks; `None` for anything else."""
    parsed = _parse(address)
    return _around(parsed, _SITE_BITS) if isinstance(parsed, IPv6Address) else None


def printable(address: str) -> str:
    """Return an address as it can be kept, logged and shown, whatever a proxy forwarded."""
    return _NOT_PRINTABLE.sub("?", address[:_MAX_LENGTH])


def _around(address: IPv6Address, bits: int) -> str:
    return f"{IPv6Address(int(address) >> bits << bits)}/{128 - bits}"


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    text = address.strip()
    match = _WITH_PORT.fullmatch(text)
    bare = (match[1] or match[2] or "") if match else text
    try:
        parsed = ip_address(bare)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and int(parsed) >> 32 in _IPV4_WITHIN:
        return IPv4Address(int(parsed) & 0xFFFF_FFFF)
    return parsed
