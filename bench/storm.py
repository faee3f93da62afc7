"""A reconnect storm: twenty thousand clients come back within a minute, their tokens expired."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from bench import fleet, millions
from bench.millions import Size
from bench.report import Figure, Wanted, percentile
from bench.servers import PooledDatabase, Scene, expired_pairs, opened
from bench.wire import Stream, refresh_ours, whoami
from support.synapse import Homeserver

CLIENTS = 20_000
CLIENTS_QUICK = 1_000
WITHIN = 60.0  # seconds
WITHIN_QUICK = 10.0
# A proxy in front of Synapse holds this many connections to each process.
CONNECTIONS = 100
PATIENCE = 20  # how often a client tries again after a 5xx

ALL = Wanted(at_least=1)
NONE = Wanted(at_most=0)
DURATION = Wanted(at_most=120)


@attrs.define
class Storm:
    """What became of it: seconds by step, answers nobody wants, when it was over."""

    size: int
    took: dict[str, list[float]] = attrs.field(factory=dict)
    unwanted: Counter[str] = attrs.field(factory=Counter)
    back: int = 0
    seconds: float = 0.0
    worked: float = 0.0

    def note(self, step: str, began: float) -> None:
        self.took.setdefault(step, []).append(time.perf_counter() - began)


def measure(scene: Scene) -> Iterator[Figure]:
    """Let it break upon the main process, then upon two workers; both have just started."""
    clients = CLIENTS_QUICK if scene.quick else CLIENTS
    homeserver = _homeserver(scene, clients)
    homeserver.start()
    try:
        storm = _break(homeserver, [homeserver.main], scene)
    finally:
        homeserver.stop()
    yield from _figures("main", storm)
    with fleet.workers(homeserver) as workers:
        storm = _break(homeserver, workers, scene)
    yield from _figures("two workers", storm)


def _homeserver(scene: Scene, clients: int) -> Homeserver:
    """Return a homeserver with as many accounts, each with a session, not started."""
    directory = scene.directory / "storm"
    size = Size(accounts=clients, sessions=clients, clients=clients // 20)
    return millions.filled(directory, PooledDatabase.on(scene.postgres), size, lambda _: None)


def _break(homeserver: Homeserver, processes: Sequence, scene: Scene) -> Storm:
    with opened(homeserver) as cursor:
        cursor.execute("SELECT session_id, generation, client_id FROM nextgen_sessions")
        pairs = expired_pairs(cursor.fetchall())
    worked = fleet.processor_of(processes)
    within = WITHIN_QUICK if scene.quick else WITHIN
    storm = asyncio.run(_storm(pairs, [process.port for process in processes], within))
    storm.worked = fleet.processor_of(processes) - worked
    return storm


async def _storm(pairs: Sequence, ports: Sequence[int], within: float) -> Storm:
    storm = Storm(len(pairs))
    proxies = [asyncio.Queue() for _ in ports]
    for proxy, port in zip(proxies, ports, strict=True):
        for _ in range(CONNECTIONS):
            proxy.put_nowait(Stream(port))
    began = time.perf_counter()
    # A client stays with one process, as behind a proxy that looks at its address.
    clients = (
        _come_back(storm, pair, proxies[n % len(proxies)], began + within * n / len(pairs))
        for n, pair in enumerate(pairs)
    )
    await asyncio.gather(*clients)
    storm.seconds = time.perf_counter() - began
    for proxy in proxies:
        while not proxy.empty():
            proxy.get_nowait().close()
    return storm


async def _come_back(storm: Storm, pair, proxy: asyncio.Queue, at: float) -> None:
    await asyncio.sleep(max(0.0, at - time.perf_counter()))
    status, body = await _ask(storm, proxy, "expired token", whoami(pair.access))
    if status != 401 or json.loads(body).get("soft_logout") is not True:
        storm.unwanted[f"{status} instead of a soft logout"] += 1
    status, body = await _ask(storm, proxy, "refresh", refresh_ours(pair.refresh, pair.client_id))
    if status != 200:
        return
    status, _ = await _ask(storm, proxy, "first use", whoami(json.loads(body)["access_token"]))
    if status == 200:
        storm.back += 1
        storm.note("back again", at)


async def _ask(storm: Storm, proxy: asyncio.Queue, step: str, request: bytes) -> tuple[int, bytes]:
    """Ask as a client does: a 5xx is tried again, everything else is an answer."""
    began = time.perf_counter()
    for _ in range(PATIENCE):
        stream = await proxy.get()
        try:
            status, body = await stream.ask(request)
        finally:
            proxy.put_nowait(stream)
        if status < 500:
            break
        storm.unwanted[f"{status} to {step}"] += 1
        await asyncio.sleep(5)
    if step != "expired token" and status != 200:
        storm.unwanted[f"{status} to {step}"] += 1
    storm.note(step, began)
    return status, body


def _figures(where: str, storm: Storm) -> Iterator[Figure]:
    for what, count in storm.unwanted.items():
        print(f"  ... {count} times {what}", flush=True)
    yield Figure(f"{where}: back again of {storm.size}", storm.back / storm.size, "", wanted=ALL)
    unwanted = sum(storm.unwanted.values())
    yield Figure("  other 4xx, and 5xx", unwanted, "", wanted=NONE)
    yield Figure("  until the last one was back", storm.seconds, "s", wanted=DURATION)
    yield Figure("  processor time for each", 1000 * storm.worked / storm.size, "ms")
    for step, took in storm.took.items():
        for percent in (50, 95, 99):
            yield Figure(f"  {step}, p{percent}", percentile(took, percent), "s")
