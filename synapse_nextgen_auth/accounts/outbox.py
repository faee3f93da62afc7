"""What only the main process may do, and when it is tried again: the rules of the outbox.

Some of what Synapse does works in its main process only, which may be away. So a flow writes it down
in its own transaction, and the main process does it once or more often, never not at all. What is
done twice must be as if it was done once.
"""

import attrs

from synapse_nextgen_auth.accounts.notice_times import LONGEST_QUESTION, MARGIN, WINDOW
from synapse_nextgen_auth.accounts.works import KINDS, MINUTE, Work, read
from synapse_nextgen_auth.records import frozen

# Whoever takes an entry has it for so many seconds; a process that dies in between leaves it to the
# next look after that. What takes longer than the shorter time is broken off.
LEASE = 60
LONGEST_TRY = 45
# What a request does itself where nothing happens to it: so many seconds later it died, or takes long.
HEAD_START = 10
# First after a second, then twice as long each time.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1, MINUTE
# The main process may have been away for the whole time: it gets this many chances after that.
_FEWEST_TRIES = 10
# Nothing is ever due later than this from now, unless a clock was wrong: notices wait for others, and
# for the end of what they say.
FURTHEST = max(LEASE, _LONGEST_PAUSE, WINDOW + MARGIN, LONGEST_QUESTION + MARGIN)


class Hopeless(Exception):
    """What failed now fails for ever, whoever tries it."""


class NotYet(Exception):
    """What it is about is not there yet, and may never be: nothing failed, and nobody hears of it."""


@frozen
class Entry:
    """One row of the outbox; times in seconds since the epoch."""

    entry_id: str
    kind: str
    subject: str
    position: int
    payload: str = attrs.field(repr=False)
    written_at: int
    due_at: int
    tries: int
    given_up_at: int | None = None

    @property
    def work(self) -> Work:
        """What it says; raises `Unreadable`."""
        return read(KINDS[self.kind], self.payload)

    @property
    def pause(self) -> int:
        """Return for how many seconds it rests after its last try failed."""
        return int(min(_SHORTEST_PAUSE * 2 ** min(max(self.tries - 1, 0), 10), _LONGEST_PAUSE))

    def is_hopeless(self, now: int) -> bool:
        """Say whether it was tried for long enough."""
        is_old = now - self.written_at >= KINDS[self.kind].patience
        return is_old and self.tries >= _FEWEST_TRIES
