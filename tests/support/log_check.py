"""What no log of a Synapse may say, whatever a test did to it: that something in it ended in silence.

A log context that is left behind in the reactor ends every loop of the process at its next turn, and
nothing else shows it: signs of life are no longer written, nothing is swept, and every answer is right.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_ENDED = re.compile(rb"Looping call died|leaked their logcontext|Unhandled error in Deferred")
_MIXED_UP = re.compile(
    rb"Expected logging context|did not maintain the calling logcontext"
    rb"|Re-starting finished log context"
)
# Synapse collects garbage in a looping call. A request that waited for what a drill took away is
# collected there, too, and says so on its way out; the loop goes on.
_COLLECTOR = b"looping_call"
# Synapse's own: its scheduler of tasks speaks of one every five minutes, in the context of the task,
# also when that is done (`TaskScheduler._launch_task`).
_TASK = b"Re-starting finished log context task-"
# Synapse's own: where a bridge does not take its events it notes that without waiting for it, in the
# context of the sender, which ends meanwhile (`_TransactionController.send`, `_on_txn_fail`).
_SENDER = b"Re-starting finished log context as-sender-"
# Synapse's own: `OidcProvider._fetch_userinfo` awaits the body of an answer as it is.
_USERINFO = re.compile(rb" - (\S+) - Received response to GET \S*userinfo")
_FOUND = re.compile(rb"Expected logging context sentinel but found (\S+)")


def ended_in_silence(lines: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines that say so."""
    fetched = set[bytes]()
    for line in lines:
        if (userinfo := _USERINFO.search(line)) is not None:
            fetched.add(userinfo[1])
        elif _ENDED.search(line) is not None or _is_mixed_up(line, fetched):
            yield line.decode("utf-8", "replace").rstrip()


def _is_mixed_up(line: bytes, fetched: set[bytes]) -> bool:
    known = (_COLLECTOR, _TASK, _SENDER)
    if _MIXED_UP.search(line) is None or any(each in line for each in known):
        return False
    found = _FOUND.search(line)
    return found is None or found[1] not in fetched


_looked_at: dict[Path, int] = {}


def look(log_file: Path) -> None:
    """Fail if a log says so, in what was written to it since the last look."""
    if not log_file.exists():
        return
    with log_file.open("rb") as lines:
        lines.seek(_looked_at.get(log_file, 0))
        wrong = list(ended_in_silence(lines))
        _looked_at[log_file] = lines.tell()
    assert not wrong, f"{log_file}: {wrong[:5]}"
