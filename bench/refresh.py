"""What staying signed in costs: refresh and first use of the new access token, ours and stock."""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import attrs

from bench import fleet, report
from bench.proc import family_seconds, processor_seconds
from bench.report import Figure, Wanted, percentile
from bench.servers import MODULE, Pair, Scene, line_to, our_pairs_on
from bench.wire import Line, whoami
from support.oauth import Server

CONCURRENCIES = (1, 8)
BUSY = 8  # connections to each worker
SESSIONS = 20  # of each kind, for each connection
WARMING = 2  # rounds
PERCENTS = (50, 95, 99)
# Of stock's cycles per second, by how many connections.
SPEED = {1: Wanted(at_least=3.3), 8: Wanted(at_least=3.5)}
# Of the processor time that Synapse takes for two bare requests: the floor, for a cycle is two requests.
WORK = {1: Wanted(at_most=1.35), 8: Wanted(at_most=1.05)}


@attrs.define
class Batch:
    """How long each step took in seconds, and all together; of Synapse's processor time, too."""

    took: float = 0.0
    worked: float = 0.0
    stored: float = 0.0  # of the database's
    refreshes: list[float] = attrs.field(factory=list)
    first_uses: list[float] = attrs.field(factory=list)

    @property
    def cycles_per_second(self) -> float:
        return len(self.refreshes) / self.took

    @property
    def per_worked_second(self) -> float:
        return len(self.refreshes) / self.worked


def measure(scene: Scene) -> Iterator[Figure]:
    """Alternate batches of either kind on one homeserver; then ours on one worker and on two."""
    for concurrency in CONCURRENCIES:
        yield from _measure_at(scene, concurrency)
    yield from _through_workers(scene)


def _measure_at(scene: Scene, concurrency: int) -> Iterator[Figure]:
    user = scene.homeserver.new_user()
    ours = [scene.our_pairs(user, SESSIONS) for _ in range(concurrency)]
    stock = [scene.stock_pairs(user, SESSIONS) for _ in range(concurrency)]
    bare = [scene.stock_pairs(user, SESSIONS, refresh_token=False) for _ in range(concurrency)]
    lines = [line_to(scene.homeserver) for _ in range(concurrency)]
    with ThreadPoolExecutor(concurrency) as threads:
        turn = partial(_round, scene, threads, lines, (ours, stock, bare))
        for _ in range(WARMING):
            turn()
        count = (12 if scene.quick else 80) // (1 if concurrency == 1 else 2)
        rounds = [turn() for _ in range(count)]
    for line in lines:
        line.close()
    yield from _cycle_figures(rounds, concurrency)
    yield from _latencies([own for own, _, _ in rounds], [other for _, other, _ in rounds])


def _cycle_figures(rounds: Sequence[Sequence[Batch]], concurrency: int) -> Iterator[Figure]:
    by_clock = [(own.cycles_per_second, other.cycles_per_second) for own, other, _ in rounds]
    by_work = [(own.per_worked_second, other.per_worked_second) for own, other, _ in rounds]
    beside = [(_each(own.worked, own), _each(bare.worked, bare)) for own, _, bare in rounds]
    stored = [(sum(own.stored for own, _, _ in rounds), sum(o.stored for _, o, _ in rounds))]
    name = f"refresh and first use, {concurrency} at once"
    yield report.ratio(name, by_clock, measured_in="/s", wanted=SPEED[concurrency])
    yield report.ratio("  ... of Synapse's processor time", by_work, measured_in="/s")
    yield report.ratio(
        "  Synapse's processor time",
        beside,
        measured_in="ms",
        against="two bare requests",
        wanted=WORK[concurrency],
    )
    yield report.ratio("  PostgreSQL's, all rounds", stored, measured_in="s")


def _each(seconds: float, batch: Batch) -> float:
    return 1000 * seconds / len(batch.refreshes)


def _latencies(ours: Sequence[Batch], stock: Sequence[Batch], **options: str) -> Iterator[Figure]:
    for step in ("refreshes", "first_uses"):
        own, other = (
            [1000 * took for batch in batches for took in getattr(batch, step)]
            for batches in (ours, stock)
        )
        for percent in PERCENTS:
            pair = (percentile(own, percent), percentile(other, percent))
            name = f"  {step.replace('_', ' ')}, p{percent}"
            yield report.ratio(name, [pair], measured_in="ms", **options)


def _through_workers(scene: Scene) -> Iterator[Figure]:
    """Give each worker the same clients, first one worker alone, then both at once."""
    homeserver = scene.new_homeserver("fleet", module=MODULE)
    with fleet.workers(homeserver) as workers:
        user = homeserver.new_user()
        client_id = Server(homeserver.base_url).client().id
        share = partial(our_pairs_on, homeserver, user, client_id=client_id)
        pairs = [share(SESSIONS) for _ in range(2 * BUSY)]
        lines = [Line(worker.port) for worker in workers for _ in range(BUSY)]
        database = scene.postgres.pid
        with ThreadPoolExecutor(len(lines)) as threads:
            rounds = []
            for turn in range(WARMING + (4 if scene.quick else 30)):
                both = [Batch(), Batch()]
                for place in (0, 1) if turn % 2 else (1, 0):
                    count = (place + 1) * BUSY
                    used = workers[: place + 1]
                    _measured(both[place], threads, lines[:count], pairs, used, database)
                rounds.append(both)
        for line in lines:
            line.close()
    yield from _fleet_figures(rounds[WARMING:])


def _measured(batch, threads, lines, pairs, processes, database) -> None:
    worked, stored = fleet.processor_of(processes), family_seconds(database)
    began = time.perf_counter()
    list(threads.map(_cycles, lines, pairs, [batch] * len(lines)))
    batch.took = time.perf_counter() - began
    batch.worked = fleet.processor_of(processes) - worked
    batch.stored = family_seconds(database) - stored


def _fleet_figures(rounds: Sequence[Sequence[Batch]]) -> Iterator[Figure]:
    one, two = ([both[place] for both in rounds] for place in (0, 1))
    speeds = [(b.cycles_per_second, a.cycles_per_second) for a, b in rounds]
    name = f"through two workers, {BUSY} at once on each"
    yield report.ratio(name, speeds, measured_in="/s", against="one worker")
    yield from _latencies(two, one, against="one worker")
    cycles = sum(len(batch.refreshes) for batch in (*one, *two))
    for who, spent in (("worker", "worked"), ("database", "stored")):
        seconds = sum(getattr(batch, spent) for batch in (*one, *two))
        yield Figure(f"  processor time of the {who}", 1000 * seconds / cycles, "ms")


def _round(
    scene: Scene, threads: ThreadPoolExecutor, lines: Sequence[Line], kinds: Sequence[list]
) -> Sequence[Batch]:
    """Go ours, stock, bare, and back again: a drift of the machine's speed cancels out."""
    own, other, bare = batches = [Batch() for _ in kinds]
    pid, database = scene.homeserver.main.pid, scene.postgres.pid
    ways = [(own, kinds[0], _cycles), (other, kinds[1], _cycles), (bare, kinds[2], _bare)]
    for batch, pairs, way in (*ways, *reversed(ways)):
        stored, worked = family_seconds(database), processor_seconds(pid)
        began = time.perf_counter()
        list(threads.map(way, lines, pairs, [batch] * len(lines)))
        batch.took += time.perf_counter() - began
        batch.worked += processor_seconds(pid) - worked
        batch.stored += family_seconds(database) - stored
    return batches


def _bare(line: Line, pairs: Sequence[Pair], batch: Batch) -> None:
    """Ask twice where a cycle refreshes and asks."""
    for pair in pairs:
        began = time.perf_counter()
        line.ask(whoami(pair.access))
        halfway = time.perf_counter()
        line.ask(whoami(pair.access))
        batch.first_uses.append(time.perf_counter() - halfway)
        batch.refreshes.append(halfway - began)


def _cycles(line: Line, pairs: Sequence[Pair], batch: Batch) -> None:
    for pair in pairs:
        began = time.perf_counter()
        answer = json.loads(line.ask(pair.renewal()))
        refreshed = time.perf_counter()
        line.ask(whoami(answer["access_token"]))
        batch.first_uses.append(time.perf_counter() - refreshed)
        batch.refreshes.append(refreshed - began)
        pair.access, pair.refresh = answer["access_token"], answer["refresh_token"]
