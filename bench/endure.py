"""What survives: clients go on while Synapse is killed, while the database cuts them off or restarts."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import attrs

from bench.report import Figure, Wanted
from bench.servers import MODULE, Pair, Scene, new_pairs_on, opened
from bench.wire import Stream, whoami
from support.synapse import Homeserver

TIMES = 10
TIMES_QUICK = 2
APART = 30  # seconds
APART_QUICK = 8
CLIENTS = 40
PATIENCE = 60  # seconds for one answer
# A client that gets no answer, or a 5xx, asks again after so long.
REST = 0.5  # seconds
TRIES = 240

NONE = Wanted(at_most=0)
ALL = Wanted(at_least=1)
ENOUGH = Wanted(at_least=9300)


@attrs.define
class Endurance:
    """What became of the cycles while things failed."""

    cycles: int = 0
    refused: Counter[str] = attrs.field(factory=Counter)
    failed: Counter[str] = attrs.field(factory=Counter)
    over: bool = False


def measure(scene: Scene) -> Iterator[Figure]:
    """Harm it in each way, again and again; then let every client go on once more."""
    times, apart = (TIMES_QUICK, APART_QUICK) if scene.quick else (TIMES, APART)
    homeserver = scene.new_homeserver("endured", module=MODULE).start()
    harms = {
        "killed": lambda: _kill(homeserver),
        "connections cut": lambda: _cut(homeserver),
        "database restarted": lambda: _restart(scene),
    }
    try:
        for name, harm in harms.items():
            pairs = new_pairs_on(homeserver, CLIENTS)
            seen = _under(harm, homeserver, pairs, times, apart)
            wanted = ENOUGH if name == "killed" and not scene.quick else None
            yield Figure(f"{name} {times} times: cycles", seen.cycles, "", wanted=wanted)
            yield from _figures(seen, asyncio.run(_last(homeserver, pairs)), len(pairs))
    finally:
        homeserver.stop()


def _figures(seen: Endurance, last: Endurance, clients: int) -> Iterator[Figure]:
    refused = seen.refused + last.refused
    for what, count in refused.items():
        print(f"  ... {count} times {what}", flush=True)
    yield Figure("  sessions that live on", last.cycles / clients, "", wanted=ALL)
    yield Figure("  refused with a 4xx", refused.total(), "", wanted=NONE)
    yield Figure("  no answer, or a 5xx", seen.failed.total(), "")


def _under(
    harm: Callable[[], None], homeserver: Homeserver, pairs: Sequence[Pair], times: int, apart: int
) -> Endurance:
    """Harm it from this thread: what a thread starts ends with it."""
    seen = Endurance()
    clients = threading.Thread(target=lambda: asyncio.run(_clients(seen, homeserver, pairs)))
    clients.start()
    for _ in range(times):
        time.sleep(apart)
        harm()
    time.sleep(apart)
    seen.over = True
    clients.join()
    return seen


async def _clients(seen: Endurance, homeserver: Homeserver, pairs: Sequence[Pair]) -> None:
    await asyncio.gather(*(_go_on(seen, homeserver.main.port, pair) for pair in pairs))


async def _last(homeserver: Homeserver, pairs: Sequence[Pair]) -> Endurance:
    """Let each client refresh and use once, now that all is well again."""
    seen = Endurance()
    await asyncio.gather(*(_cycle(seen, Stream(homeserver.main.port), pair) for pair in pairs))
    return seen


async def _go_on(seen: Endurance, port: int, pair: Pair) -> None:
    stream = Stream(port)
    while not seen.over and await _cycle(seen, stream, pair):
        pass
    stream.close()


async def _cycle(seen: Endurance, stream: Stream, pair: Pair) -> bool:
    """Refresh, keep what was answered, use it; say whether the client still has its session."""
    answer = await _insist(seen, stream, pair.renewal())
    if answer is None:
        return False
    found = json.loads(answer)
    pair.access, pair.refresh = found["access_token"], found["refresh_token"]
    if await _insist(seen, stream, whoami(pair.access)) is None:
        return False
    seen.cycles += 1
    return True


async def _insist(seen: Endurance, stream: Stream, request: bytes) -> bytes | None:
    """Ask until there is an answer that is no failure; return it, `None` if it is a refusal."""
    for _ in range(TRIES):
        try:
            status, body = await asyncio.wait_for(stream.ask(request), PATIENCE)
        except (OSError, EOFError, asyncio.TimeoutError):
            stream.close()
            status, body = 0, b""
        if status == 200:
            return body
        if 400 <= status < 500:
            seen.refused[f"{status} {body[:200]!r}"] += 1
            return None
        seen.failed[str(status)] += 1
        await asyncio.sleep(REST)
    raise RuntimeError(f"no answer in {TRIES} tries")


def _kill(homeserver: Homeserver) -> None:
    homeserver.main.kill()
    homeserver.main.start()


def _cut(homeserver: Homeserver) -> None:
    with opened(homeserver) as cursor:
        cursor.execute(
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )


def _restart(scene: Scene) -> None:
    scene.postgres.halt()
    scene.postgres.resume()
