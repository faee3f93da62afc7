"""Durations as operators write them, `300s` or `5m`, and in seconds."""

import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_DURATION = re.compile(r"([0-9]{1,9})([smhdwy])")


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
