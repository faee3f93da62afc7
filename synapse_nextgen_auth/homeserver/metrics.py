"""What we count, in Synapse's own Prometheus registry; nothing personal stands in a label."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from synapse.metrics import SERVER_NAME_LABEL

from synapse_nextgen_auth.accounts.works import KINDS
from synapse_nextgen_auth.homeserver.counted import Counter, Gauge, Histogram
from synapse_nextgen_auth.records import frozen

_BEGUN = Counter(
    "synapse_nextgen_auth_sessions_begun", "Sessions that clients began", (SERVER_NAME_LABEL,)
)
_ENDED = Counter("synapse_nextgen_auth_sessions_ended", "Sessions that ended", (SERVER_NAME_LABEL,))
_LIVING = Gauge(
    "synapse_nextgen_auth_sessions_living",
    "Sessions that have not ended, counted by the housekeeping",
    (SERVER_NAME_LABEL,),
)
_GRANTS = Counter(
    "synapse_nextgen_auth_grants",
    "Authorizations by what became of them",
    ("outcome", SERVER_NAME_LABEL),
)
_REFRESHES = Counter(
    "synapse_nextgen_auth_refreshes",
    "Answered refreshes: rotated, repeated after a lost answer, or ahead of a restored database",
    ("kind", SERVER_NAME_LABEL),
)
_REFUSALS = Counter(
    "synapse_nextgen_auth_refusals",
    "Refused requests of clients, by path and reason",
    ("path", "reason", SERVER_NAME_LABEL),
)
_SIGN_INS = Counter(
    "synapse_nextgen_auth_sign_ins",
    "Attempts to sign in on our page, by outcome",
    ("outcome", SERVER_NAME_LABEL),
)
_SWEPT = Counter(
    "synapse_nextgen_auth_rows_swept",
    "Rows that the housekeeping deleted, by kind",
    ("kind", SERVER_NAME_LABEL),
)
_OUTBOX_WAITING = Gauge(
    "synapse_nextgen_auth_outbox_waiting",
    "What waits for the main process to do it, by kind",
    ("kind", SERVER_NAME_LABEL),
)
_OUTBOX_OLDEST = Gauge(
    "synapse_nextgen_auth_outbox_oldest_seconds",
    "For how long the oldest of that waits, by kind",
    ("kind", SERVER_NAME_LABEL),
)
_OUTBOX_GIVEN_UP = Counter(
    "synapse_nextgen_auth_outbox_given_up",
    "What the main process could not do and does not try any more, by kind",
    ("kind", SERVER_NAME_LABEL),
)
_SECONDS = Histogram(
    "synapse_nextgen_auth_request_seconds",
    "How long requests took, by path",
    ("path", SERVER_NAME_LABEL),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
_BATCHES = Counter(
    "synapse_nextgen_auth_refresh_batches",
    "Statements that rotated many sessions at once, on a connection of their own, by outcome",
    ("outcome", SERVER_NAME_LABEL),
)
_BATCHED = Counter(
    "synapse_nextgen_auth_refresh_batched", "Sessions that they rotated", (SERVER_NAME_LABEL,)
)
_BATCH_SECONDS = Histogram(
    "synapse_nextgen_auth_refresh_batch_seconds",
    "How long they took",
    (SERVER_NAME_LABEL,),
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 5),
)
_CONNECTIONS = Counter(
    "synapse_nextgen_auth_refresh_connections",
    "What became of the connection for them",
    ("outcome", SERVER_NAME_LABEL),
)
_POLL_READS = Counter(
    "synapse_nextgen_auth_poll_reads",
    "Statements that answered polls of devices on a connection of their own, by outcome",
    ("outcome", SERVER_NAME_LABEL),
)
_POLL_CONNECTIONS = Counter(
    "synapse_nextgen_auth_poll_connections",
    "What became of the connection for them",
    ("outcome", SERVER_NAME_LABEL),
)


GRANTS = ("requested", "approved", "refused")
REFRESHES = ("rotated", "repeated", "restored")
BATCHES = ("done", "failed", "timed_out")
CONNECTIONS = ("opened", "not_opened", "lost", "closed")


@frozen
class Metrics:
    """The counters of one homeserver."""

    server_name: str

    def begin_at_zero(
        self,
        *,
        refusals: Mapping[str, Iterable[str]],
        sign_ins: Iterable[str],
        swept: Iterable[str],
        timed: Iterable[str],
    ) -> None:
        """Let every series exist before it counts anything.

        A rate needs the zero before the first one: else an alert misses what happens once after a
        restart. Not the living sessions, and what waits: one process knows them, once it counted.
        """
        server = self.server_name
        for counter in (_BEGUN, _ENDED, _BATCHED, _BATCH_SECONDS):
            counter.begin(server)
        for counted, values in (
            (_GRANTS, GRANTS),
            (_REFRESHES, REFRESHES),
            (_BATCHES, BATCHES),
            (_CONNECTIONS, CONNECTIONS),
            (_POLL_READS, BATCHES),
            (_POLL_CONNECTIONS, CONNECTIONS),
        ):
            for value in values:
                counted.begin(value, server)
        for path, reasons in refusals.items():
            for reason in reasons:
                _REFUSALS.begin(path, reason, server)
        for outcome in sign_ins:
            _SIGN_INS.begin(outcome, server)
        for kind in swept:
            _SWEPT.begin(kind, server)
        for kind in KINDS:
            _OUTBOX_GIVEN_UP.begin(kind, server)
        for path in timed:
            _SECONDS.begin(path, server)

    def session_begun(self) -> None:
        """Count a session that began."""
        _BEGUN.count(self.server_name)

    def sessions_ended(self, count: int) -> None:
        """Count sessions that ended."""
        _ENDED.count(self.server_name, by=count)

    def sessions_living(self, count: int) -> None:
        """Note how many sessions live."""
        _LIVING.set(self.server_name, to=count)

    def grant(self, outcome: str) -> None:
        """Count a grant that was requested, approved or refused."""
        _GRANTS.count(outcome, self.server_name)

    def refresh(self, kind: str) -> None:
        """Count an answered refresh."""
        _REFRESHES.count(kind, self.server_name)

    def batch(self, outcome: str, *, rotated: int, seconds: float) -> None:
        """Count a statement that rotated many sessions at once."""
        _BATCHES.count(outcome, self.server_name)
        _BATCHED.count(self.server_name, by=rotated)
        _BATCH_SECONDS.observe(self.server_name, seconds=seconds)

    def connection(self, outcome: str) -> None:
        """Count what became of the connection for such statements."""
        _CONNECTIONS.count(outcome, self.server_name)

    def poll_read(self, outcome: str) -> None:
        """Count a statement that answered polls without Synapse's pool."""
        _POLL_READS.count(outcome, self.server_name)

    def poll_connection(self, outcome: str) -> None:
        """Count what became of the connection for such statements."""
        _POLL_CONNECTIONS.count(outcome, self.server_name)

    def refusal(self, path: str, reason: str) -> None:
        """Count a refused request; both labels come from our own fixed lists."""
        _REFUSALS.count(path, reason, self.server_name)

    def sign_in(self, outcome: str) -> None:
        """Count an attempt to sign in."""
        _SIGN_INS.count(outcome, self.server_name)

    def swept(self, kind: str, count: int) -> None:
        """Count deleted rows."""
        _SWEPT.count(kind, self.server_name, by=count)

    def outbox(self, waiting: Mapping[str, tuple[int, int]], now: int) -> None:
        """Note what waits for the main process: by kind, how much and since when."""
        for kind in KINDS:
            count, since = waiting.get(kind, (0, now))
            _OUTBOX_WAITING.set(kind, self.server_name, to=count)
            _OUTBOX_OLDEST.set(kind, self.server_name, to=max(0, now - since))

    def outbox_given_up(self, kind: str) -> None:
        """Count what the main process does not try any more."""
        _OUTBOX_GIVEN_UP.count(kind, self.server_name)

    @contextmanager
    def timed(self, path: str) -> Iterator[None]:
        """Measure a request to a path of ours."""
        began = time.perf_counter()
        try:
            yield
        finally:
            _SECONDS.observe(path, self.server_name, seconds=time.perf_counter() - began)
