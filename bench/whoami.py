"""What checking our token costs: warm `/account/whoami` with ours and with a stock one.

And with those of ours that open less: granted so, or made smaller by a refresh.
"""

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
from support.oauth import API

CONCURRENCIES = (1, 8)
SESSIONS = 20  # of each kind
REPEATS = 2  # how often each is used in a batch, by each connection
WARMING = 20  # rounds
WANTED = Wanted(at_least=1.05)
NARROW = "urn:nextgen-auth:read urn:nextgen-auth:send urn:nextgen-auth:profile"
LESS = {
    "granted narrow": {"words": NARROW},
    "made narrow by a refresh": {"words": f"{NARROW} openid", "mask": 0b01111},
    "all of Matrix left by a refresh": {"words": f"{API} openid", "mask": 0b011},
}
NO_DEARER = Wanted(at_least=round(1 / 1.05, 3))


def measure(scene: Scene) -> Iterator[Figure]:
    """Alternate small batches, so that whatever else the machine does hits both sides."""
    user = scene.homeserver.new_user()
    ours = [whoami(pair.access) for pair in scene.our_pairs(user, SESSIONS)]
    stock = [whoami(pair.access) for pair in scene.stock_pairs(user, SESSIONS, refresh_token=False)]
    for concurrency in CONCURRENCIES:
        rounds = _rounds(scene, concurrency, ours, stock)
        name = f"requests per second, {concurrency} at once"
        yield report.ratio(name, _by_clock(rounds), measured_in="/s", wanted=WANTED)
        work = _by_work(rounds)
        yield report.ratio("  ... of Synapse's processor time", work, measured_in="/s")
    for name, said in LESS.items():
        less = [whoami(pair.access) for pair in scene.our_pairs(user, SESSIONS, **said)]
        work = _by_work(_rounds(scene, 1, less, ours))
        yield report.ratio(
            name, work, measured_in="/s of work", against="all of Matrix", wanted=NO_DEARER
        )


def _rounds(
    scene: Scene, concurrency: int, ones: Sequence[bytes], others: Sequence[bytes]
) -> list[tuple[Done, Done]]:
    pid = scene.homeserver.main.pid
    lines = [line_to(scene.homeserver) for _ in range(concurrency)]
    count = (60 if scene.quick else 600) // (1 if concurrency == 1 else 4)
    with ThreadPoolExecutor(concurrency) as threads:
        together = Together(threads, lines)
        for _ in range(WARMING):
            _round(together, pid, ones, others)
        rounds = [_round(together, pid, ones, others) for _ in range(count)]
    for line in lines:
        line.close()
    return rounds


def _by_clock(rounds: Sequence[tuple[Done, Done]]) -> list[tuple[float, float]]:
    return [(own.per_second, other.per_second) for own, other in rounds]


def _by_work(rounds: Sequence[tuple[Done, Done]]) -> list[tuple[float, float]]:
    return [(own.per_worked_second, other.per_worked_second) for own, other in rounds]


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
    together: Together, pid: int, ones: Sequence[bytes], others: Sequence[bytes]
) -> tuple[Done, Done]:
    """Go one, other, other, one: a drift of the machine's speed cancels out."""
    first = _batch(together, pid, ones)
    second = _batch(together, pid, others)
    third = _batch(together, pid, others)
    fourth = _batch(together, pid, ones)
    return first + fourth, second + third


def _batch(together: Together, pid: int, requests: Sequence[bytes]) -> Done:
    worked, began = processor_seconds(pid), time.perf_counter()
    count = together.ask(requests)
    clock = time.perf_counter() - began
    return Done(count, clock, processor_seconds(pid) - worked)
