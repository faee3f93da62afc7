"""Comparing a stored time with the present one, where clocks differ and are set.

A time that lies ahead was written by a clock that was wrong: nothing is fresh because of it, and
nobody waits for it (C379). Everything here is below the protocol, as in `secret.py`.
"""

# How far (seconds) the clocks of two processes may differ.
SKEW = 60


def is_ahead(then: int, now: int) -> bool:
    """Say whether a time lies so far ahead that only a wrong clock can have written it."""
    return then > now + SKEW


def is_recent(then: int, now: int, *, within: int) -> bool:
    """Say whether a time lies less than `within` seconds back, and not ahead."""
    return now - within < then and not is_ahead(then, now)
