"""A reconnect storm: twenty thousand clients come back within a minute, their tokens expired.

The same to stock Synapse in the same run, on the same database: as many stock sessions of the same
accounts, which have their own expired tokens and refresh the way it does.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from bench import fleet, millions
from bench.millions import Size
from bench.report import Figure, Wanted, percentile, ratio
from bench.servers import (
    Pair,
    PooledDatabase,
    Scene,
    add_expired_stock_pairs,
    expired_pairs,
    opened,
)
from bench.wire import Stream, whoami
from support.synapse import Homeserver

CLIENTS = 20_000
CLIENTS_QUICK = 3_000  # no fewer a second: a smaller storm shows nothing
WITHIN = 60.0  # seconds
WITHIN_QUICK = 9.0
# A proxy in front of Synapse holds this many connections to each process.
CONNECTIONS = 100
BACK_AGAIN = "back again"
PATIENCE = 20  # how often a client tries again after a 5xx

ALL = Wanted(at_least=1)
NONE = Wanted(at_most=0)
IN_TIME = 1.25  # of the time within which they come: 75 s of 60
AGAIN = Wanted(at_most=5)  # seconds from a client's first try until it is back, for 99 of 100
FASTER = Wanted(at_most=1)


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

    @property
    def for_each(self) -> float:
        """Processor time in milliseconds."""
        return 1000 * self.worked / self.size

    def again(self, percent: int) -> float:
        return percentile(self.took[BACK_AGAIN], percent)


def measure(scene: Scene) -> Iterator[Figure]:
    """Let it break upon the main process, stock too, then upon two workers; all have just started."""
    clients = CLIENTS_QUICK if scene.quick else CLIENTS
    within = WITHIN_QUICK if scene.quick else WITHIN
    homeserver = _homeserver(scene, clients)
    ours = _on_main(homeserver, _ours(homeserver), within)
    yield from _figures("main", ours, within)
    module, homeserver.module = homeserver.module, None
    stock = _on_main(homeserver, _stock(homeserver), within)
    homeserver.module = module
    yield from _compared(ours, stock)
    with fleet.workers(homeserver) as workers:
        yield from _figures("two workers", _break(_ours(homeserver), workers, within), within)


def _homeserver(scene: Scene, clients: int) -> Homeserver:
    """Return a homeserver with as many accounts, each with a session, not started."""
    directory = scene.directory / "storm"
    size = Size(accounts=clients, sessions=clients, clients=clients // 20)
    return millions.filled(directory, PooledDatabase.on(scene.postgres), size, lambda _: None)


def _ours(homeserver: Homeserver) -> list[Pair]:
    with opened(homeserver) as cursor:
        cursor.execute("SELECT session_id, generation, client_id FROM nextgen_sessions")
        return expired_pairs(cursor.fetchall())


def _stock(homeserver: Homeserver) -> list[Pair]:
    """Return what clients of the same accounts hold that signed in to stock Synapse."""
    found = homeserver.query("SELECT user_id FROM nextgen_sessions")
    made = add_expired_stock_pairs(homeserver, [user_id for (user_id,) in found])
    millions.analyze(homeserver.database)
    return made


def _on_main(homeserver: Homeserver, pairs: Sequence[Pair], within: float) -> Storm:
    homeserver.start()
    try:
        return _break(pairs, [homeserver.main], within)
    finally:
        homeserver.stop()


def _break(pairs: Sequence[Pair], processes: Sequence, within: float) -> Storm:
    worked = fleet.processor_of(processes)
    storm = asyncio.run(_storm(pairs, [process.port for process in processes], within))
    storm.worked = fleet.processor_of(processes) - worked
    return storm


async def _storm(pairs: Sequence[Pair], ports: Sequence[int], within: float) -> Storm:
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


async def _come_back(storm: Storm, pair: Pair, proxy: asyncio.Queue, at: float) -> None:
    await asyncio.sleep(max(0.0, at - time.perf_counter()))
    status, body = await _ask(storm, proxy, "expired token", whoami(pair.access))
    if status != 401 or json.loads(body).get("soft_logout") is not True:
        storm.unwanted[f"{status} instead of a soft logout"] += 1
    status, body = await _ask(storm, proxy, "refresh", pair.renewal())
    if status != 200:
        return
    status, _ = await _ask(storm, proxy, "first use", whoami(json.loads(body)["access_token"]))
    if status == 200:
        storm.back += 1
        storm.note(BACK_AGAIN, at)


async def _ask(storm: Storm, proxy: asyncio.Queue, step: str, request: bytes) -> tuple[int, bytes]:
    """Ask as a client does: a 5xx is tried again, everything else is an answer."""
    began = time.perf_counter()
    for _ in range(PATIENCE):
        stream = await proxy.get()
        try:
            status, body = await stream.ask(request)
        finally:
            proxy.put_nowait(stream)
            await asyncio.sleep(0)  # or it would pass by those that wait for a connection already
        if status < 500:
            break
        storm.unwanted[f"{status} to {step}"] += 1
        await asyncio.sleep(5)
    if step != "expired token" and status != 200:
        storm.unwanted[f"{status} to {step}"] += 1
    storm.note(step, began)
    return status, body


def _figures(where: str, storm: Storm, within: float) -> Iterator[Figure]:
    _say(storm)
    yield Figure(f"{where}: back again of {storm.size}", storm.back / storm.size, "", wanted=ALL)
    unwanted = sum(storm.unwanted.values())
    yield Figure("  other 4xx, and 5xx", unwanted, "", wanted=NONE)
    in_time = Wanted(at_most=IN_TIME * within)
    yield Figure("  until the last one was back", storm.seconds, "s", wanted=in_time)
    yield Figure("  processor time for each", storm.for_each, "ms")
    for step, took in storm.took.items():
        for percent in (50, 95, 99):
            wanted = AGAIN if (step, percent) == (BACK_AGAIN, 99) else None
            yield Figure(f"  {step}, p{percent}", percentile(took, percent), "s", wanted=wanted)


def _say(storm: Storm) -> None:
    for what, count in storm.unwanted.items():
        print(f"  ... {count} times {what}", flush=True)


def _compared(ours: Storm, stock: Storm) -> Iterator[Figure]:
    """Say how stock did; what it answers with a 5xx, or not at all, is its own affair."""
    _say(stock)
    yield Figure(f"stock: back again of {stock.size}", stock.back / stock.size, "")
    yield Figure("  other 4xx, and 5xx", sum(stock.unwanted.values()), "")
    for name, pair, unit in (
        ("until the last one was back", (ours.seconds, stock.seconds), "s"),
        ("processor time for each", (ours.for_each, stock.for_each), "ms"),
        ("back again, p99", (ours.again(99), stock.again(99)), "s"),
    ):
        yield ratio(f"  {name}, to stock", [pair], measured_in=unit, wanted=FASTER)
