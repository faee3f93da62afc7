"""What no log of a Synapse may say, whatever a test did to it: that something in it ended in silence.

A log context that is left behind in the reactor ends every loop of the process at its next turn, and
nothing else shows it: signs of life are no longer written, nothing is swept, and every answer is right.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_WRONG = re.compile(
    rb"Looping call died|Expected logging context|did not maintain the calling logcontext"
    rb"|Re-starting finished log context|leaked their logcontext|Unhandled error in Deferred"
)
# Synapse's own: `OidcProvider._fetch_userinfo` awaits the body of an answer as it is.
_USERINFO = re.compile(rb" - (\S+) - Received response to GET \S*userinfo")
_FOUND = re.compile(rb"Expected logging context sentinel but found (\S+)")


def ended_in_silence(lines: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines that say so."""
    fetched = set[bytes]()
    for line in lines:
        if (userinfo := _USERINFO.search(line)) is not None:
            fetched.add(userinfo[1])
        elif _WRONG.search(line) is not None:
            found = _FOUND.search(line)
            if found is None or found[1] not in fetched:
                yield line.decode("utf-8", "replace").rstrip()


def look(log_file: Path) -> None:
    """Fail if a log says so."""
    if not log_file.exists():
        return
    with log_file.open("rb") as lines:
        wrong = list(ended_in_silence(lines))
    assert not wrong, f"{log_file}: {wrong[:5]}"
