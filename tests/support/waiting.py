"""Waiting for what a server does a moment after its answer."""

import time


def eventually(look, *, patience=10):
    """Call `look` until it returns something true, and return that; its last word otherwise."""
    deadline = time.monotonic() + patience
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen
