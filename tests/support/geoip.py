"""A database in MaxMind's format (the MaxMind DB file format, version 2.0), small enough to read."""

from ipaddress import ip_network
from typing import Any

_MARK = b"\xab\xcd\xefMaxMind.com"
_STRING, _UINT16, _MAP, _UINT32, _UINT64, _ARRAY = 2, 5, 7, 6, 9, 11


def database(networks: dict[str, Any]) -> bytes:
    """Return the database that says this of these networks of IPv4, none of which is in another."""
    nodes: list[list[int | None]] = [[None, None]]
    leaves: dict[tuple[int, int], int] = {}
    data = bytearray()
    for network, said in networks.items():
        known = ip_network(network)
        bits = f"{int(known.network_address):032b}"[: known.prefixlen]
        node = 0
        for bit in bits[:-1]:
            following = nodes[node][int(bit)]
            if following is None:
                nodes.append([None, None])
                following = nodes[node][int(bit)] = len(nodes) - 1
            node = following
        leaves[node, int(bits[-1])] = len(data)
        data += _encoded(said)
    count = len(nodes)
    tree = bytearray()
    for number, sides in enumerate(nodes):
        for side, following in enumerate(sides):
            leaf = leaves.get((number, side))
            value = (
                count + 16 + leaf if leaf is not None else count if following is None else following
            )
            tree += value.to_bytes(3, "big")
    about = {
        "node_count": (_UINT32, count),
        "record_size": (_UINT16, 24),
        "ip_version": (_UINT16, 4),
        "database_type": "Test-City",
        "languages": ["en"],
        "binary_format_major_version": (_UINT16, 2),
        "binary_format_minor_version": (_UINT16, 0),
        "build_epoch": (_UINT64, 1_700_000_000),
        "description": {"en": "A test"},
    }
    return bytes(tree + bytes(16) + data + _MARK + _encoded(about))


def _encoded(value: Any) -> bytes:
    if isinstance(value, str):
        text = value.encode()
        return _head(_STRING, len(text)) + text
    if isinstance(value, dict):
        pairs = b"".join(_encoded(key) + _encoded(each) for key, each in value.items())
        return _head(_MAP, len(value)) + pairs
    if isinstance(value, list):
        return _head(_ARRAY, len(value)) + b"".join(map(_encoded, value))
    kind, number = value
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return _head(kind, len(raw)) + raw


def _head(kind: int, size: int) -> bytes:
    assert size < 29 + 256
    short, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    if kind < 8:
        return bytes([kind << 5 | short]) + more
    return bytes([short, kind - 7]) + more
