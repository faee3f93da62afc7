"""What Linux says of a process."""

import os
from pathlib import Path


def processor_seconds(pid: int) -> float:
    """Return how long its threads have been running, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def resident_megabytes(pid: int) -> float:
    """Return its resident memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def family_seconds(pid: int) -> float:
    """Return how long a process and its children have been running, those that ended included."""
    return sum(_own_seconds(one) for one in (pid, *_children(pid)))


def _children(pid: int) -> list[int]:
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [one for one in numbers if _fields(one)[1:2] == [str(pid)]]


def _own_seconds(pid: int) -> float:
    ticks = sum(map(int, _fields(pid)[11:15] or [0]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _fields(pid: int) -> list[str]:
    """Return what stands in its `stat` from the state on; nothing of one that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
