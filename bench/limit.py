"""How near refreshing comes to what the database can do: pgbench's single-row updates."""

import hashlib
import json
import re
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import attrs

from bench import report
from bench.report import Figure, Wanted, percentile
from bench.servers import Pair, Scene, add_our_sessions, line_to
from bench.wire import Line

CONNECTIONS = 8
SESSIONS = 20  # for each connection
UPDATES = 100  # by each connection in a batch
ROWS = CONNECTIONS * SESSIONS
PER_SECOND = Wanted(at_least=300)
P95 = Wanted(at_most=50)

# As a refresh writes: by primary key, no indexed column.
SCRIPT = f"""
\\set n random(1, {ROWS})
UPDATE nextgen_sessions SET generation = generation + 1, rotated_at = rotated_at + 1
    WHERE session_id = md5(:n::text);
"""


@attrs.frozen
class Batch:
    """Each session refreshed once: how many in a second, how long each took in milliseconds."""

    per_second: float
    took: list[float]


def measure(scene: Scene) -> Iterator[Figure]:
    """Alternate batches of refreshes through Synapse and of updates by pgbench beside it."""
    user = scene.homeserver.new_user()
    ids = [hashlib.md5(str(n).encode()).hexdigest() for n in range(1, ROWS + 1)]
    add_our_sessions(scene.homeserver, user, ids, client_id=scene.client_id)
    pairs = [scene.our_pairs(user, SESSIONS) for _ in range(CONNECTIONS)]
    script = scene.directory / "limit.sql"
    script.write_text(SCRIPT)
    lines = [line_to(scene.homeserver) for _ in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        _batch(threads, lines, pairs)  # warm
        rounds = [
            (_batch(threads, lines, pairs), _updates_per_second(scene, str(script)))
            for _ in range(6 if scene.quick else 40)
        ]
    for line in lines:
        line.close()
    yield from _figures([batch for batch, _ in rounds], [updates for _, updates in rounds])


def _figures(batches: Sequence[Batch], updates: Sequence[float]) -> Iterator[Figure]:
    speeds = [batch.per_second for batch in batches]
    took = [milliseconds for batch in batches for milliseconds in batch.took]
    pairs = list(zip(speeds, updates, strict=True))
    yield report.ratio("refreshes for each update", pairs, measured_in="/s", against="pgbench")
    yield Figure("refreshes", statistics.median(speeds), "/s", wanted=PER_SECOND)
    yield Figure("p95 of a refresh", percentile(took, 95), "ms", wanted=P95)


def _batch(
    threads: ThreadPoolExecutor, lines: Sequence[Line], pairs: Sequence[list[Pair]]
) -> Batch:
    began = time.perf_counter()
    took = [one for some in threads.map(_refresh, lines, pairs) for one in some]
    return Batch(ROWS / (time.perf_counter() - began), took)


def _refresh(line: Line, pairs: Sequence[Pair]) -> list[float]:
    took = []
    for pair in pairs:
        began = time.perf_counter()
        pair.refresh = json.loads(line.ask(pair.renewal()))["refresh_token"]
        took.append(1000 * (time.perf_counter() - began))
    return took


def _updates_per_second(scene: Scene, script: str) -> float:
    connection = scene.homeserver.database.connection
    where = ("-h", connection["host"], "-U", connection["user"], connection["dbname"])
    load = ("-n", "-f", script, "-c", str(CONNECTIONS), "-t", str(UPDATES))
    pgbench = scene.postgres.program("pgbench")
    said = subprocess.run([pgbench, *load, *where], check=True, capture_output=True, text=True)
    return float(re.search(r"tps = ([\d.]+)", said.stdout)[1])
