"""Whether bytes are CBOR as keys send it (CTAP 2.1 section 8), before values are made of it (C902).

What reads it then makes things of tags: it compiles regular expressions, parses mail, counts with huge
decimals. Keys tag nothing, know every length before, and nest four deep; attestations do so, too.
"""

MAX_DEPTH = 4

# The major types of RFC 8949 section 3.1.
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_KEYS = {_UNSIGNED, _NEGATIVE, _TEXT}
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}  # bytes of what does not fit beside the type
# False, true, null, undefined and floats; nothing else of this type means anything.
_SIMPLES = {20, 21, 22, 23, 25, 26, 27}

# Authenticator data (WebAuthn section 6.1): digest of the site, flags, a counter, and what flags say.
_FLAGS, _HEAD = 32, 37
_ATTESTED, _EXTENDED = 0x40, 0x80
_AAGUID, _LENGTH = 16, 2


class Odd(ValueError):
    """No key sends this."""


def end_of(data: bytes, at: int = 0, *, depth: int = MAX_DEPTH) -> int:
    """Return where the value ends that begins here; raises `Odd`. Each byte is looked at once."""
    kind, number, at = _head(data, at)
    if kind in {_BYTES, _TEXT}:
        return _inside(data, at + number)
    if kind not in {_ARRAY, _MAP}:
        return at
    if not depth:
        raise Odd
    for _ in range(number):
        if kind == _MAP:
            at = _end_of_key(data, at)
        at = end_of(data, at, depth=depth - 1)
    return at


def check(data: bytes) -> None:
    """Raise `Odd` for what is not one value and nothing after it."""
    if end_of(data) != len(data):
        raise Odd


def parts_of(data: bytes) -> list[bytes]:
    """Return what of authenticator data is CBOR: its key and extensions, both maps; raises `Odd`."""
    at, found = _inside(data, _HEAD), []
    flags = data[_FLAGS]
    if flags & _ATTESTED:
        name = _inside(data, at + _AAGUID + _LENGTH)
        at = name + int.from_bytes(data[name - _LENGTH : name], "big")
    for flag in (_ATTESTED, _EXTENDED):
        if flags & flag:
            end = end_of(data, at)
            if data[at] >> 5 != _MAP:
                raise Odd
            found.append(data[at:end])
            at = end
    if at != len(data):
        raise Odd
    return found


def _end_of_key(data: bytes, at: int) -> int:
    end = end_of(data, at, depth=0)
    if data[at] >> 5 not in _KEYS:
        raise Odd
    return end


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Return a value's type, its number or how much it holds, and where that begins."""
    start = _inside(data, at + 1)
    kind, number = data[at] >> 5, data[at] & 0x1F
    if kind == _TAG or (kind == _SIMPLE and number not in _SIMPLES):
        raise Odd
    if number < min(_SIZES):
        return kind, number, start
    size = _SIZES.get(number)
    if size is None:  # an indefinite length, or what nothing means
        raise Odd
    end = _inside(data, start + size)
    return kind, int.from_bytes(data[start:end], "big"), end


def _inside(data: bytes, at: int) -> int:
    if at > len(data):
        raise Odd
    return at
