"""An option: its default, its place in the reference, and the durations that many of them are."""

import re
from typing import Any

import attrs

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_DURATION = re.compile(r"([0-9]{1,9})([smhdwy])")
LONGEST = "100y"


def option(
    default: Any,
    about: str,
    *,
    example: str,
    unit: str = "",
    may_be_zero: bool = False,
    longest: str = "",
) -> Any:
    """Declare an option with its place in the reference."""
    metadata = {
        "about": about,
        "example": example,
        "unit": unit,
        "may_be_zero": may_be_zero,
        "longest": longest,
    }
    if isinstance(default, (list, dict)):
        raise TypeError("use an immutable default")
    return attrs.field(default=default, metadata=metadata)


def seconds_of(raw: object) -> int | None:
    """Return how many seconds an operator's text stands for, `None` if it is no duration."""
    match = _DURATION.fullmatch(raw) if isinstance(raw, str) else None
    return int(match[1]) * _UNITS[match[2]] if match else None


def said(seconds: int | None, written: object) -> str:
    """Return a duration as the operator wrote it, in our words where it comes from elsewhere."""
    if isinstance(written, str) and seconds is not None and seconds_of(written) == seconds:
        return written
    return duration(seconds)


def duration(seconds: int | None) -> str:
    """Return a duration in the largest unit that fits it exactly, as the options take it."""
    if seconds is None:
        return "no limit"
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"
