"""Names of accounts that do not exist yet: what somebody typed, what is known of it, what is near it."""

import enum
from collections.abc import Iterator, Sequence

_LONGEST = 255
# What a suggestion ends with: short enough to remember, and no year of a birth.
FEWEST, MOST = 2, 99


class Availability(str, enum.Enum):
    """Whether somebody can be called that; the value is what the page's script reads."""

    AVAILABLE = "available"
    TAKEN = "taken"
    INVALID = "invalid"
    RESERVED = "reserved"
    UNKNOWN = "unknown"  # this server does not tell


def as_localpart(typed: str) -> str:
    """Read a name as people type it: with the sign before it and the server behind it, in capitals."""
    return typed[: 2 * _LONGEST].strip().removeprefix("@").partition(":")[0].lower()


def near(localpart: str, numbers: Sequence[int]) -> Iterator[str]:
    """Yield names like this one, in the order in which they are tried; `numbers` are drawn."""
    stem = localpart[: _LONGEST // 2].rstrip("0123456789._=/+-") or localpart[: _LONGEST // 2]
    for number in numbers:
        yield f"{stem}{number}"
