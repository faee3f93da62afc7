"""Which addresses count as one: whoever has an IPv6 address has the 2^64 beside it (RFC 6177)."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

_HOST_BITS = 64
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
        prefix = int(parsed) >> _HOST_BITS << _HOST_BITS
        return f"{IPv6Address(prefix)}/{128 - _HOST_BITS}"
    return str(parsed) if parsed else printable(address)


def printable(address: str) -> str:
    """Return an address as it can be kept, logged and shown, whatever a proxy forwarded."""
    return _NOT_PRINTABLE.sub("?", address[:_MAX_LENGTH])


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    text = address.strip()
    match = _WITH_PORT.fullmatch(text)
    bare = (match[1] or match[2] or "") if match else text
    try:
        parsed = ip_address(bare)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
