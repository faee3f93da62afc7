"""Ports for servers of the tests: below those that connections take, and no two runs have the same."""

import fcntl
import os
import random
import tempfile
from pathlib import Path

from synapse_nextgen_auth.cli import loopback

# Linux takes the near end of a connection from 32768 on, so nothing grabs one of these between the
# moment in which it is chosen and the one in which Synapse listens there.
_RANGE = range(10_000, 32_000)
_HELD = []  # open files, locked until this process ends


def free_port(on):
    """Return a port that is free on all these addresses, and this run's alone until its end."""
    directory = Path(tempfile.gettempdir()) / f"test-ports-{os.getuid()}"
    directory.mkdir(exist_ok=True)
    while True:
        port = random.choice(_RANGE)
        lock = (directory / str(port)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        if any(loopback.why_not(address, port) for address in on):
            lock.close()
            continue
        _HELD.append(lock)
        return port
