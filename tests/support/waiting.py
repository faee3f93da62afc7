"""Waiting for what a server does a moment after its answer."""

import time


def eventually(look, *, patience=150):
    """Call `look` until it returns something true, and return that; its last word otherwise.

    Patience costs a test that fails, and no other: a busy machine is slow, not wrong. What the outbox
    does on its next look, a minute later, and on its second try is within it.
    """
    deadline = time.monotonic() + patience
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen


def busy():
    """Return how many times as long as on an idle machine things take just now, at least 1.

    For promises in seconds: a thread that computes gets a share of a processor, and so do servers.
    """
    began, used = time.monotonic(), time.thread_time()
    while time.thread_time() - used < 0.05:
        sum(range(1000))
    return max(1.0, (time.monotonic() - began) / (time.thread_time() - used))
