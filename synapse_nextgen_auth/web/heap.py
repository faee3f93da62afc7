"""Memory that was needed for a moment, given back to the system."""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any


def give_back() -> None:
    """Return to the system what lies free between what is used; glibc does so only at its very end.

    It takes a third of a millisecond. Another allocator than glibc's gives back by itself, or never.
    """
    trim = _trim()
    if trim is not None:
        trim(ctypes.c_size_t(0))


@cache
def _trim() -> Callable[..., Any] | None:
    """Return malloc_trim(3), `None` where the C library has none (musl)."""
    found: Callable[..., Any] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found
