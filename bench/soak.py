"""What lasts: a great many cycles on one process, and its memory and tables stay as they are."""

import itertools
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.proc import resident_megabytes
from bench.report import Figure, Wanted
from bench.servers import MODULE, Pair, Scene, line_to, new_pairs_on, opened
from bench.wire import Line, whoami
from support.synapse import Homeserver

CYCLES = 72_000
CYCLES_QUICK = 6_000
CONNECTIONS = 8
SESSIONS = 50  # for each connection
WARMING = 1 / 6  # of the cycles, until everything that is remembered is there
# What was used last is written within about a second.
SETTLING = 3  # seconds

FLAT = Wanted(at_most=5)
NONE = Wanted(at_most=0)


def measure(scene: Scene) -> Iterator[Figure]:
    """Refresh and use, for long."""
    cycles = CYCLES_QUICK if scene.quick else CYCLES
    with scene.new_homeserver("soak", module=MODULE) as homeserver:
        shares = [new_pairs_on(homeserver, SESSIONS) for _ in range(CONNECTIONS)]
        lines = [line_to(homeserver) for _ in shares]
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            began = time.perf_counter()
            _turn(threads, lines, shares, int(cycles * WARMING))
            memory, rows, size = _state(homeserver)
            _turn(threads, lines, shares, cycles - int(cycles * WARMING))
            took = time.perf_counter() - began
        for line in lines:
            line.close()
        after = _state(homeserver)
    yield Figure(f"{cycles} cycles", took, "s")
    yield Figure("  memory when warm", memory, "MB")
    yield Figure("  more at the end", after[0] - memory, "MB", wanted=FLAT)
    yield Figure("  more rows of ours at the end", after[1] - rows, "", wanted=NONE)
    yield Figure("  our tables, in times of when warm", after[2] / size, "")


def _turn(threads, lines: Sequence[Line], shares: Sequence[list[Pair]], cycles: int) -> None:
    list(threads.map(_cycles, lines, shares, [cycles // len(lines)] * len(lines)))


def _cycles(line: Line, pairs: list[Pair], count: int) -> None:
    for pair in itertools.islice(itertools.cycle(pairs), count):
        answer = json.loads(line.ask(pair.renewal()))
        pair.access, pair.refresh = answer["access_token"], answer["refresh_token"]
        line.ask(whoami(pair.access))


def _state(homeserver: Homeserver) -> tuple[float, int, int]:
    """Return resident memory, the rows of our tables, and their size in bytes."""
    time.sleep(SETTLING)
    with opened(homeserver) as cursor:
        cursor.execute("SELECT relname FROM pg_stat_user_tables WHERE relname LIKE 'nextgen%'")
        tables = [name for (name,) in cursor.fetchall()]
        rows = size = 0
        for table in tables:
            cursor.execute(f"SELECT COUNT(*), pg_total_relation_size('{table}') FROM {table}")
            found = cursor.fetchone()
            rows, size = rows + found[0], size + found[1]
    return resident_megabytes(homeserver.main.pid), rows, size
