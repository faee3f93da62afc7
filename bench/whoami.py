"""What checking our token costs: warm `/account/whoami` with ours and with a stock one."""

import time
from collections.abc import Iterator, Sequence

import attrs

from bench import report
from bench.proc import processor_seconds
from bench.report import Figure, Wanted
from bench.servers import Scene, line_to
from bench.wire import Line, whoami

SESSIONS = 20  # of each kind
REPEATS = 2  # how often each is used in a batch
WARMING = 20  # rounds
WANTED = Wanted(at_least=0.98)


@attrs.frozen
class Spent:
    """What a number of requests took, in seconds: by the clock, and of Synapse's processor time."""

    requests: int
    clock: float
    processor: float

    @property
    def per_second(self) -> float:
        return self.requests / self.clock

    @property
    def per_worked_second(self) -> float:
        return self.requests / self.processor

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.requests + other.requests,
            self.clock + other.clock,
            self.processor + other.processor,
        )


def measure(scene: Scene) -> Iterator[Figure]:
    """Alternate small batches, so that whatever else the machine does hits both sides."""
    user = scene.homeserver.new_user()
    ours = [whoami(pair.access) for pair in scene.our_pairs(user, SESSIONS)]
    stock = [whoami(pair.access) for pair in scene.stock_pairs(user, SESSIONS, refresh_token=False)]
    pid = scene.homeserver.main.pid
    with line_to(scene.homeserver) as line:
        for _ in range(WARMING):
            _round(line, pid, ours, stock)
        rounds = [_round(line, pid, ours, stock) for _ in range(60 if scene.quick else 600)]
    by_clock = [(own.per_second, other.per_second) for own, other in rounds]
    by_work = [(own.per_worked_second, other.per_worked_second) for own, other in rounds]
    yield report.ratio("requests per second", by_clock, measured_in="/s", wanted=WANTED)
    yield report.ratio("  ... of Synapse's processor time", by_work, measured_in="/s")


def _round(
    line: Line, pid: int, ours: Sequence[bytes], stock: Sequence[bytes]
) -> tuple[Spent, Spent]:
    """Go ours, stock, stock, ours: a drift of the machine's speed cancels out."""
    first = _batch(line, pid, ours)
    second = _batch(line, pid, stock)
    third = _batch(line, pid, stock)
    fourth = _batch(line, pid, ours)
    return first + fourth, second + third


def _batch(line: Line, pid: int, requests: Sequence[bytes]) -> Spent:
    worked, began = processor_seconds(pid), time.perf_counter()
    for request in requests:
        for _ in range(REPEATS):
            line.ask(request)
    clock = time.perf_counter() - began
    return Spent(len(requests) * REPEATS, clock, processor_seconds(pid) - worked)
