"""What devices that wait cost: 2,000 of them poll every five seconds over two workers (RFC 8628)."""

import itertools
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import attrs

from bench.proc import processor_seconds
from bench.report import Figure, Wanted, percentile
from bench.servers import MODULE, Scene, opened
from bench.wire import Line, poll
from support.oauth import API, DEVICE, Server, device_id, web_client
from support.redis import RedisServer
from support.synapse import Homeserver
from support.tables import QuestionMarks
from support.television import METADATA
from synapse_nextgen_auth.oauth.grants.device_grants import DeviceGrant
from synapse_nextgen_auth.secret import digest, random_id
from synapse_nextgen_auth.store import device_grants
from synapse_nextgen_auth.store.device_grants import Codes

GRANTS = 2000
INTERVAL = 5  # seconds
WORKERS = ("worker1", "worker2")
CONNECTIONS = 50  # to each worker, as a proxy holds them
P99 = Wanted(at_most=50)
NONE = Wanted(at_most=0)


@attrs.frozen
class Poll:
    """How late a poll was sent, and how long after it was due its answer was there; in milliseconds."""

    late: float
    took: float
    said: str


def measure(scene: Scene) -> Iterator[Figure]:
    """Let the devices poll, each of them another worker than the last time."""
    redis = RedisServer().start()
    try:
        with scene.new_homeserver("polls", module=MODULE, redis=redis) as homeserver:
            workers = [homeserver.add_worker(name) for name in WORKERS]
            client_id = Server(homeserver.base_url).client(web_client(**METADATA)).id
            codes = _add_grants(homeserver, client_id)
            lines = [[Line(worker.port) for worker in workers] for _ in range(CONNECTIONS)]
            requests = [poll(code, client_id) for code in codes]
            pids = [worker.pid for worker in workers]
            _run(lines, requests, seconds=INTERVAL)  # warm
            time.sleep(INTERVAL)
            before = _changes(homeserver)
            seconds = 15 if scene.quick else 60
            worked, began = [processor_seconds(pid) for pid in pids], time.process_time()
            polls = _run(lines, requests, seconds=seconds)
            spent = [processor_seconds(pid) - at for pid, at in zip(pids, worked, strict=True)]
            generator = time.process_time() - began
            changed = _changes(homeserver) - before
            for line in itertools.chain(*lines):
                line.close()
    finally:
        redis.stop()
    yield from _figures(polls, seconds)
    yield Figure("rows written", changed, "", wanted=NONE)
    yield Figure("a worker's processor time", 1000 * sum(spent) / len(polls), "ms a poll")
    yield Figure("the clients' processor time", 1000 * generator / len(polls), "ms a poll")


def _figures(polls: Sequence[Poll], seconds: int) -> Iterator[Figure]:
    took = [poll.took for poll in polls]
    yield Figure("polls", len(polls) / seconds, "/s")
    yield Figure("p50 of a poll", percentile(took, 50), "ms")
    yield Figure("p95 of a poll", percentile(took, 95), "ms")
    yield Figure("p99 of a poll", percentile(took, 99), "ms", wanted=P99)
    yield Figure("  sent late, p99", percentile([poll.late for poll in polls], 99), "ms")
    told = sum(poll.said != "authorization_pending" for poll in polls)
    yield Figure("told anything but to wait", told, "", wanted=NONE)


def _run(lines: Sequence[Sequence[Line]], requests: Sequence[bytes], *, seconds: int) -> list[Poll]:
    """Let every device poll for so long; each thread speaks for those that share its connections."""
    start = time.perf_counter() + 0.5
    shares = [range(n, GRANTS, CONNECTIONS) for n in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        done = threads.map(
            lambda pair, share: _follow(pair, share, requests, start, seconds // INTERVAL),
            lines,
            shares,
        )
        return [poll for some in done for poll in some]


def _follow(
    lines: Sequence[Line], share: range, requests: Sequence[bytes], start: float, turns: int
) -> list[Poll]:
    polls = []
    due = {device: start + device * INTERVAL / GRANTS for device in share}
    for turn in range(turns):
        for device in share:
            time.sleep(max(0, due[device] - time.perf_counter()))
            sent = time.perf_counter()
            line = lines[(device // CONNECTIONS + turn) % len(lines)]
            said = json.loads(line.ask(requests[device], expected=400))["error"]
            took = time.perf_counter() - due[device]
            polls.append(Poll(1000 * (sent - due[device]), 1000 * took, said))
            due[device] = max(due[device], sent) + INTERVAL
    return polls


def _add_grants(homeserver: Homeserver, client_id: str) -> list[str]:
    """Write device grants into the database as beginning them does; return their device codes."""
    codes = [secrets.token_urlsafe(32) for _ in range(GRANTS)]
    now = int(time.time())
    with opened(homeserver) as cursor:
        for code in codes:
            grant = DeviceGrant(
                grant_id=random_id(),
                client_id=client_id,
                scope=f"{API} {DEVICE}{device_id()}",
                user_code_sealed="",
                address="127.0.0.1",
                user_agent="a device",
                created_at=now,
                expires_at=now + 900,
                poll_interval=INTERVAL,
            )
            unique = Codes(digest(code), secrets.token_hex(16), secrets.token_hex(16))
            device_grants.add(QuestionMarks(cursor), grant, unique)
    with opened(homeserver) as cursor:
        cursor.execute("ANALYZE nextgen_device_grants")
    return codes


def _changes(homeserver: Homeserver) -> int:
    """Return how many rows of ours were written since the database was made."""
    with opened(homeserver) as cursor:
        cursor.execute(
            "SELECT SUM(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
            " WHERE relname LIKE 'nextgen%'"
        )
        return int(cursor.fetchone()[0])
