"""A full database against an empty one: a million accounts and clients, five million sessions."""

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from bench import millions, report
from bench.millions import EMPTY, FULL, FULL_QUICK, PASSWORD, KeptServer, Size
from bench.report import Figure, Wanted, percentile
from bench.servers import Pair, Scene, line_to, opened, pairs_of
from bench.wire import whoami
from support.oauth import Browser, Client, Server
from support.plans import ABOUT_ALL, explained, statements
from support.synapse import Homeserver, User
from support.tables import QuestionMarks
from synapse_nextgen_auth.store.txn import Txn

DAY = 24 * 3600
CONNECTIONS = 4
LARGE = ("nextgen_sessions", "nextgen_clients", "nextgen_events", "nextgen_grants")
SAME = Wanted(at_most=1.2)
NONE = Wanted(at_most=0)
START = Wanted(at_most=0.5)
TWICE = Wanted(at_least=2)

# What five million sessions create. A session lasts sixty days, and its client comes from a network
# where it was not this month ten times a month. Refreshes create no rows.
SESSION_LIFETIME = 60 * DAY
MOVES_A_DAY = 1 / 3
# Of one session: its grant, itself, and its events: signed in, consented, begun, ended.
ROWS_OF_A_SESSION = {"nextgen_grants": 1, "nextgen_sessions": 1, "nextgen_events": 4}


def created_each_second(sessions: int) -> dict[str, float]:
    """Return how many rows of each table come, and so must go, in a second."""
    begun = sessions / SESSION_LIFETIME
    created = {table: rows * begun for table, rows in ROWS_OF_A_SESSION.items()}
    created["nextgen_events"] += sessions * MOVES_A_DAY / DAY
    return created


@attrs.frozen
class Side:
    """A running homeserver, and how much is in its database."""

    homeserver: Homeserver
    size: Size

    def pairs(self, count: int) -> list[Pair]:
        """Return the tokens of sessions from anywhere in the table."""
        columns = "session_id, generation, client_id"
        found = set()  # a session drawn twice would look like a stolen one
        with opened(self.homeserver) as cursor:
            while len(found) < count:
                cursor.execute(
                    f"SELECT {columns} FROM nextgen_sessions WHERE session_id > %s"
                    " AND ended_at IS NULL ORDER BY session_id LIMIT 1",
                    (f"{random.getrandbits(127):032x}",),
                )
                found.add(cursor.fetchone())
        return pairs_of(found)

    def signer(self) -> tuple[Browser, Client]:
        """Return a browser where one of the accounts has signed in, and one of the clients."""
        server = Server(self.homeserver.base_url)
        n = random.randrange(self.size.accounts)
        user = User(millions.user_id(n), millions.user_id(n)[1:].partition(":")[0], PASSWORD)
        metadata = {
            "client_id": millions.client_id(random.randrange(self.size.clients)),
            "redirect_uris": ["https://client.example.com/callback"],
        }
        return Browser.of(server, user), Client(server, metadata)


def measure(scene: Scene) -> Iterator[Figure]:
    """Fill the database unless it is there, then compare."""
    kept = scene.kept or scene.directory / "kept"
    kept.mkdir(exist_ok=True)
    server = KeptServer(kept)
    try:
        server.start()
        full, empty = _homeservers(scene, kept, server)
        yield from _starts(full, empty, 2 if scene.quick else 5)
        with _running(full), _running(empty):
            sides = _sides(scene, full, empty)
            # In a small database a whole table may be the quickest way.
            yield from _plans(full, wanted=None if scene.quick else NONE)
            yield from _cycles(sides, 3 if scene.quick else 12)
            yield from _signing_in(sides, 20 if scene.quick else 150)
            yield from _bytes(full)
        yield from _housekeeping(full, sides[0], scene)
    finally:
        server.stop()


def _sides(scene: Scene, full: Homeserver, empty: Homeserver) -> tuple[Side, Side]:
    return Side(full, FULL_QUICK if scene.quick else FULL), Side(empty, EMPTY)


def _homeservers(scene: Scene, kept: Path, server: KeptServer) -> tuple[Homeserver, Homeserver]:
    ready = kept / "ready.json"
    size = FULL_QUICK if scene.quick else FULL
    directories = [scene.directory / name for name in ("full", "few")]
    if ready.exists() and json.loads(ready.read_text()) == attrs.asdict(size):
        full = millions.homeserver_on(directories[0], server.database("millions"))
    else:
        ready.unlink(missing_ok=True)
        database = server.fresh_database("millions")
        full = millions.filled(directories[0], database, size, _say)
        ready.write_text(json.dumps(attrs.asdict(size)))
    few = server.fresh_database("few")
    return full, millions.filled(directories[1], few, EMPTY, lambda _: None)


def _say(what: str) -> None:
    print(f"  ... {what}", flush=True)


@contextmanager
def _running(homeserver: Homeserver) -> Iterator[None]:
    homeserver.start()
    try:
        yield
    finally:
        homeserver.stop()


def _starts(full: Homeserver, empty: Homeserver, count: int) -> Iterator[Figure]:
    """Start both in turns; the first start of each does what only a first one does."""
    pairs, scans = [], 0
    for turn in range(count + 1):
        before = _scans(full)
        took = [_start(homeserver) for homeserver in (full, empty)]
        if turn:
            pairs.append((took[0], took[1]))
            scans += _scans(full) - before
    name = "start until /health"
    yield report.difference(name, pairs, unit="s", wanted=START, against="empty")
    yield Figure("sequential scans of a large table", scans, "", wanted=NONE)


def _start(homeserver: Homeserver) -> float:
    began = time.perf_counter()
    with _running(homeserver):
        took = time.perf_counter() - began
        time.sleep(2)  # what it does first
    return took


def _scans(homeserver: Homeserver) -> int:
    time.sleep(1)  # until PostgreSQL has counted
    ((count,),) = homeserver.query(
        "SELECT SUM(seq_scan) FROM pg_stat_user_tables WHERE relname = ANY (?)", list(LARGE)
    )
    return int(count)


def _plans(full: Homeserver, *, wanted: Wanted | None) -> Iterator[Figure]:
    """Ask PostgreSQL how it would run each statement that there is."""
    with opened(full) as cursor:
        found = scanning(Txn(QuestionMarks(cursor), seed="plans"))
    for name in found:
        _say(f"{name} scans a whole table")
    yield Figure("statements that scan a large table", len(found), "", wanted=wanted)


def scanning(txn: Txn) -> list[str]:
    """Return the functions of the store with a statement that reads a large table from end to end."""
    found = set()
    for module, function, given in statements():
        plans = explained(txn, function, given)
        about_all = (module, function.__name__) in ABOUT_ALL
        if not about_all and any(f"Seq Scan on {name}" in p for p in plans for name in LARGE):
            found.add(f"{module}.{function.__name__}")
    return sorted(found)


def _cycles(sides: Sequence[Side], rounds: int) -> Iterator[Figure]:
    """Refresh sessions that no process knows yet, use them, and then once more when it does."""
    steps = ("refresh", "first use", "whoami", "refresh again", "first use again")
    taken: list[list[dict[str, list[float]]]] = [[], []]
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        for turn in range(rounds + 1):
            for place in (0, 1) if turn % 2 else (1, 0):
                took = _round(threads, sides[place], 50)
                if turn:  # the first one warms up
                    taken[place].append(took)
        yield from _compared(steps, taken)
        before = _written(sides[0].homeserver)
        for _ in range(rounds):
            _round(threads, sides[0], 50)
        yield from _writes(before, _written(sides[0].homeserver), 2 * rounds * CONNECTIONS * 50)


def _round(threads: ThreadPoolExecutor, side: Side, count: int) -> dict[str, list[float]]:
    pairs = side.pairs(CONNECTIONS * count)
    groups = [pairs[n::CONNECTIONS] for n in range(CONNECTIONS)]
    took: dict[str, list[float]] = {}
    for one in threads.map(lambda pairs: _cycle(side.homeserver, pairs), groups):
        for step, times in one.items():
            took.setdefault(step, []).extend(times)
    return took


def _cycle(homeserver: Homeserver, pairs: Sequence[Pair]) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {}
    with line_to(homeserver) as line:
        for again in ("", " again"):
            for pair in pairs:
                answer = json.loads(_timed(took, f"refresh{again}", line.ask, pair.renewal()))
                pair.access, pair.refresh = answer["access_token"], answer["refresh_token"]
                _timed(took, f"first use{again}", line.ask, whoami(pair.access))
                if not again:
                    _timed(took, "whoami", line.ask, whoami(pair.access))
    return took


def _signing_in(sides: Sequence[Side], count: int) -> Iterator[Figure]:
    """Authorize, agree and redeem, in a browser where the person has signed in before."""
    taken: list[list[dict[str, list[float]]]] = [[], []]
    for turn in range(0, count, 10):
        for place in (0, 1) if turn % 20 else (1, 0):
            took: dict[str, list[float]] = {}
            for _ in range(10):
                _sign_in(sides[place], took)
            taken[place].append(took)
    yield from _compared(("authorize", "agree", "redeem"), taken)


def _sign_in(side: Side, took: dict[str, list[float]]) -> None:
    browser, client = side.signer()
    parameters, verifier = client.request()
    page = _timed(took, "authorize", browser.authorize, parameters)
    assert page.status_code == 200, page.text
    page = _timed(took, "agree", lambda: browser.submit(decision="approve"))
    code = browser.answer(page)["code"]
    answer = _timed(took, "redeem", client.redeem, code, verifier)
    assert answer.status_code == 200, answer.text


def _timed(took: dict[str, list[float]], step: str, act: Callable, *arguments: Any) -> Any:
    began = time.perf_counter()
    result = act(*arguments)
    took.setdefault(step, []).append(1000 * (time.perf_counter() - began))
    return result


def _compared(
    steps: Sequence[str], taken: Sequence[Sequence[dict[str, list[float]]]]
) -> Iterator[Figure]:
    for step in steps:
        full, empty = ([one for took in side for one in took[step]] for side in taken)
        for percent in (50, 95, 99):
            own, other = percentile(full, percent), percentile(empty, percent)
            yield Figure(
                f"{step}, p{percent}",
                own / other,
                "",
                ours=own,
                other=other,
                measured_in="ms",
                against="empty",
                wanted=SAME if percent == 95 else None,
            )


def _written(homeserver: Homeserver) -> tuple[int, int, int]:
    """Return bytes of write-ahead log, updates of sessions, and those that touched no index."""
    time.sleep(2.5)  # until the last uses are written and counted
    (row,) = homeserver.query(
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'), n_tup_upd, n_tup_hot_upd"
        " FROM pg_stat_user_tables WHERE relname = 'nextgen_sessions'"
    )
    return int(row[0]), int(row[1]), int(row[2])


def _writes(
    before: tuple[int, int, int], after: tuple[int, int, int], refreshes: int
) -> Iterator[Figure]:
    log, updates, hot = (late - early for early, late in zip(before, after, strict=True))
    yield Figure("updates of a row for each refresh", updates / refreshes, "")
    yield Figure("  ... that touched no index (HOT)", hot / updates, "")
    yield Figure("  ... write-ahead log", log / refreshes, "bytes")


def _bytes(full: Homeserver) -> Iterator[Figure]:
    for table in (*LARGE, "devices"):
        ((heap, indexes, rows),) = full.query(
            "SELECT pg_table_size(oid), pg_indexes_size(oid), reltuples FROM pg_class"
            " WHERE relname = ?",
            table,
        )
        name = f"bytes for a row of {table}"
        yield Figure(name, (heap + indexes) / rows, f"({heap / rows:.0f} + {indexes / rows:.0f})")


def _housekeeping(full: Homeserver, side: Side, scene: Scene) -> Iterator[Figure]:
    """Put there what twenty minutes create, and see how long the sweeper takes beside clients."""
    rates = created_each_second(FULL.sessions)
    minutes = 2 if scene.quick else 20
    rows = {table: int(rate * minutes * 60) for table, rate in rates.items()}
    _add_stale(full, rows)
    with _running(full), ThreadPoolExecutor(CONNECTIONS) as threads:
        began, took = time.monotonic(), []
        while _stale(full):
            took += _round(threads, side, 10)["refresh again"]
        seconds = time.monotonic() - began
        calm = [ms for _ in range(5) for ms in _round(threads, side, 10)["refresh again"]]
    swept, created = sum(rows.values()) / seconds, sum(rates.values())
    yield Figure("rows created", created, "/s")
    yield Figure("rows swept", swept, "/s")
    yield Figure("swept for each row created", swept / created, "", wanted=TWICE)
    pair = (percentile(took, 95), percentile(calm, 95))
    yield report.ratio(
        "refresh while sweeping, p95", [pair], measured_in="ms", against="afterwards"
    )


def _add_stale(full: Homeserver, rows: dict[str, int]) -> None:
    long_ago = int(time.time()) - 400 * DAY
    start = random.randrange(10**8, 10**9)
    with opened(full) as cursor:
        for table, count in rows.items():
            columns, row = millions.STALE[table]
            numbers = range(start, start + count)
            millions.copy(cursor, table, columns, (row(n, long_ago) for n in numbers))


def _stale(full: Homeserver) -> bool:
    now = int(time.time())
    (row,) = full.query(
        "SELECT EXISTS (SELECT 1 FROM nextgen_grants WHERE expires_at < ?)"
        " OR EXISTS (SELECT 1 FROM nextgen_events WHERE happened_at < ?)"
        " OR EXISTS (SELECT 1 FROM nextgen_sessions WHERE ended_at < ?)",
        *(now - 300 * DAY, now - 300 * DAY, now - 300 * DAY),
    )
    return bool(row[0])
