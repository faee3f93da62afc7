"""What checking our token costs: warm `/account/whoami` with ours and with a stock one."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import attrs

from bench import report
from bench.proc import processor_seconds
from bench.report import Figure, Wanted
from bench.servers import Scene, line_to
from bench.sides import Done
from bench.wire import Line, whoami

CONCURRENCIES = (1, 8)
SESSIONS = 20  # of each kind
REPEATS = 2  # how often each is used in a batch, by each connection
WARMING = 20  # rounds
WANTED = Wanted(at_least=1.05)


def measure(scene: Scene) -> Iterator[Figure]:
    """Alternate small batches, so that whatever else the machine does hits both sides."""
    user = scene.homeserver.new_user()
    ours = [whoami(pair.access) for pair in scene.our_pairs(user, SESSIONS)]
    stock = [whoami(pair.access) for pair in scene.stock_pairs(user, SESSIONS, refresh_token=False)]
    for concurrency in CONCURRENCIES:
        yield from _measure_at(scene, concurrency, ours, stock)


def _measure_at(
    scene: Scene, concurrency: int, ours: Sequence[bytes], stock: Sequence[bytes]
) -> Iterator[Figure]:
    pid = scene.homeserver.main.pid
    lines = [line_to(scene.homeserver) for _ in range(concurrency)]
    count = (60 if scene.quick else 600) // (1 if concurrency == 1 else 4)
    with ThreadPoolExecutor(concurrency) as threads:
        together = Together(threads, lines)
        for _ in range(WARMING):
            _round(together, pid, ours, stock)
        rounds = [_round(together, pid, ours, stock) for _ in range(count)]
    for line in lines:
        line.close()
    by_clock = [(own.per_second, other.per_second) for own, other in rounds]
    by_work = [(own.per_worked_second, other.per_worked_second) for own, other in rounds]
    name = f"requests per second, {concurrency} at once"
    yield report.ratio(name, by_clock, measured_in="/s", wanted=WANTED)
    yield report.ratio("  ... of Synapse's processor time", by_work, measured_in="/s")


@attrs.frozen
class Together:
    """Connections that are busy at the same time."""

    threads: ThreadPoolExecutor
    lines: Sequence[Line]

    def ask(self, requests: Sequence[bytes]) -> int:
        """Send these over each connection, again and again, and return how many that were."""

        def through(line: Line) -> None:
            for request in requests:
                for _ in range(REPEATS):
                    line.ask(request)

        list(self.threads.map(through, self.lines))
        return len(requests) * REPEATS * len(self.lines)


def _round(
    together: Together, pid: int, ours: Sequence[bytes], stock: Sequence[bytes]
) -> tuple[Done, Done]:
    """Go ours, stock, stock, ours: a drift of the machine's speed cancels out."""
    first = _batch(together, pid, ours)
    second = _batch(together, pid, stock)
    third = _batch(together, pid, stock)
    fourth = _batch(together, pid, ours)
    return first + fourth, second + third


def _batch(together: Together, pid: int, requests: Sequence[bytes]) -> Done:
    worked, began = processor_seconds(pid), time.perf_counter()
    count = together.ask(requests)
    clock = time.perf_counter() - began
    return Done(count, clock, processor_seconds(pid) - worked)
