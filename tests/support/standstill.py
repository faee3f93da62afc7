"""Processes that stand still, as on a machine that hangs: they are there, and do nothing."""

import os
import signal
from contextlib import contextmanager, suppress
from pathlib import Path


def family(pid):
    """Return a process and those that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


@contextmanager
def standing_still(pids):
    """Let these processes stand still for a while; who is gone meanwhile is left alone."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
