"""A homeserver's database with millions of rows, written with COPY and kept for the next run."""

import hashlib
import io
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
import psycopg2

from bench.servers import MODULE, PooledDatabase, opened
from support.oauth import API, DEVICE, Server, web_client
from support.postgres import PostgresServer
from support.synapse import Homeserver

BITE = 50_000  # rows for each COPY
DAY = 24 * 3600
# What an operator of such a database would set; the same for the empty one.
SETTINGS = ("shared_buffers=1GB", "max_wal_size=8GB", "maintenance_work_mem=512MB")
TABLES = (
    *("users", "profiles", "devices", "nextgen_clients", "nextgen_sessions"),
    *("nextgen_browsers", "nextgen_consents", "nextgen_grants", "nextgen_events"),
)
# Half of the sessions belong to a few clients that everybody uses, the others to one of many.
POPULAR = 10
PASSWORD = "correct-horse"


@attrs.frozen
class Size:
    """How much is in the database; what lies around sessions follows from their number."""

    accounts: int
    sessions: int
    clients: int

    @property
    def browsers(self) -> int:
        return self.accounts // 4

    @property
    def grants(self) -> int:
        return self.sessions // 50

    @property
    def events(self) -> int:
        return self.sessions // 5


FULL = Size(accounts=1_000_000, sessions=5_000_000, clients=1_000_000)
FULL_QUICK = Size(accounts=20_000, sessions=100_000, clients=20_000)
# An empty one has what is measured with and nothing else.
EMPTY = Size(accounts=2_000, sessions=10_000, clients=2_000)


class KeptServer(PostgresServer):
    """A PostgreSQL in a directory that stays."""

    def __init__(self, directory: Path) -> None:
        super().__init__(durable=True, directory=directory, settings=SETTINGS)

    def start(self) -> "PostgresServer":
        is_there = (self.directory / "data" / "PG_VERSION").exists()
        return self.resume() if is_there else super().start()

    def fresh_database(self, name: str) -> PooledDatabase:
        """Create an empty database of this name, in place of a former one."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.create_database(name)
        return self.database(name)

    def database(self, name: str) -> PooledDatabase:
        return PooledDatabase(self, self.connection(name))


def filled(
    directory: Path, database: PooledDatabase, size: Size, say: Callable[[str], None]
) -> Homeserver:
    """Fill an empty database; return a homeserver on it, not started."""
    homeserver = homeserver_on(directory, database)
    with homeserver:  # makes the tables
        metadata = Server(homeserver.base_url).client(web_client()).id
        hashed, stored = _samples(homeserver, metadata)
        _wait_for_indexes(homeserver)
    began = time.monotonic()
    with opened(homeserver) as cursor:
        cursor.execute("SET synchronous_commit = off")
        indexes = _drop_indexes(cursor)
        for table, columns, rows in _content(size, hashed, stored):
            copy(cursor, table, columns, rows)
            say(f"{table} after {time.monotonic() - began:.0f} s")
        for statement in indexes:
            cursor.execute(statement)
        say(f"indexes after {time.monotonic() - began:.0f} s")
    analyze(database)
    say(f"analyzed after {time.monotonic() - began:.0f} s")
    return homeserver


def homeserver_on(directory: Path, database: PooledDatabase) -> Homeserver:
    """Return a homeserver with the module on this database, not started."""
    directory.mkdir(exist_ok=True)
    config = {"background_updates": {"sleep_enabled": False}}
    return Homeserver(directory, database, module=MODULE, config=config)


def _wait_for_indexes(homeserver: Homeserver) -> None:
    """Wait until Synapse has made those that it makes in the background."""
    while homeserver.query("SELECT update_name FROM background_updates"):
        time.sleep(0.5)


def _samples(homeserver: Homeserver, client_id: str) -> tuple[str, str]:
    """Return what a real account and a real client have in their rows: hash and metadata."""
    user = homeserver.register_user("sample", PASSWORD)
    ((hashed,),) = homeserver.query("SELECT password_hash FROM users WHERE name = ?", user.user_id)
    ((stored,),) = homeserver.query(
        "SELECT metadata FROM nextgen_clients WHERE client_id = ?", client_id
    )
    return hashed, stored


def _drop_indexes(cursor: Any) -> list[str]:
    """Drop what is cheaper made afterwards; return the statements that make it again."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT IN"
        " (SELECT conname FROM pg_constraint)",
        (list(TABLES),),
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f'DROP INDEX "{name}"')
    return [statement for _, statement in found]


def analyze(database: PooledDatabase) -> None:
    """Let PostgreSQL know what is there, and write everything to its files."""
    connection = psycopg2.connect(**database.connection)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
    connection.close()


def _content(size: Size, hashed: str, metadata: str) -> Iterator[tuple[str, tuple, Iterator]]:
    """Yield table, columns and rows; the same for the same size."""
    now = int(time.time())
    drawn = random.Random(size.sessions)
    users = ("name", "password_hash", "creation_ts", "admin", "is_guest", "deactivated")
    yield (
        "users",
        (*users, "shadow_banned", "approved", "locked", "suspended"),
        (
            (user_id(n), hashed, now - 400 * DAY + n % (300 * DAY), 0, 0, 0, *"ftff")
            for n in range(size.accounts)
        ),
    )
    yield (
        "profiles",
        ("user_id", "displayname", "full_user_id"),
        ((f"crowd{n:07}", f"Person {n}", user_id(n)) for n in range(size.accounts)),
    )
    yield (
        "nextgen_clients",
        ("client_id", "digest", "metadata", "created_at", "last_used_at"),
        (_client(n, metadata, now) for n in range(size.clients)),
    )
    owners = [n % size.accounts for n in range(size.sessions)]
    drawn.shuffle(owners)
    yield (
        "devices",
        ("user_id", "device_id", "display_name", "last_seen", "ip", "user_agent", "hidden"),
        (
            (user_id(owner), _device_id(n), "Crowd", now * 1000, "203.0.113.5", "Crowd/1.0", "f")
            for n, owner in enumerate(owners)
        ),
    )
    yield (
        "nextgen_sessions",
        SESSION,
        (_session(n, owner, size, drawn, now) for n, owner in enumerate(owners)),
    )
    yield from _around(size, now)


def _around(size: Size, now: int) -> Iterator[tuple[str, tuple, Iterator]]:
    """Yield what lies around sessions: browsers, consents, the grants of a day, events."""
    yield (
        "nextgen_browsers",
        ("digest", "user_id", "signed_in_at", "last_active_at"),
        ((hashed("browser", n), user_id(n), now - DAY, now - DAY) for n in range(size.browsers)),
    )
    yield (
        "nextgen_consents",
        ("user_id", "client_id", "scope", "granted_at"),
        ((user_id(n), client_id(n % 100), API, now - DAY) for n in range(size.browsers)),
    )
    yield (
        "nextgen_grants",
        GRANT,
        (a_grant(n, now - n % DAY // 2) for n in range(size.grants)),
    )
    yield (
        "nextgen_events",
        EVENT,
        (an_event(n, now - n % (100 * DAY)) for n in range(size.events)),
    )


SESSION = (
    *("session_id", "user_id", "device_id", "client_id", "scope", "generation", "rotated_at"),
    *("confirmed_generation", "auth_time", "created_at", "last_active_at", "address"),
    "active_day",
)
GRANT = (
    *("grant_id", "browser", "client_id", "redirect_uri", "scope", "device_id", "state"),
    *("response_mode", "code_challenge", "created_at", "expires_at", "user_id", "auth_time"),
    *("approved_at", "code_digest", "code_expires_at", "redeemed_at", "session_id"),
)
EVENT = ("event_id", "happened_at", "kind", "user_id", "client_id", "session_id", "address")


def a_grant(n: int, expires_at: int) -> tuple:
    """Return a row of a grant that led to a session."""
    began = expires_at - 1800
    device = _device_id(n)
    return (
        *(hashed("grant", n)[:32], hashed("browser", n), client_id(n % 100)),
        *("https://client.example.com/callback", f"{API} {DEVICE}{device}", device, "JsQoHmyAtJ4"),
        *("query", hashed("challenge", n)[:43], began, expires_at, user_id(n), began, began),
        *(hashed("code", n), began + 120, began, hashed("session", n)[:32]),
    )


def an_event(n: int, happened_at: int) -> tuple:
    """Return a row of what happens most often: a session that refreshes from another address."""
    session = hashed("session", n)[:32]
    return (
        *(hashed("event", n), happened_at, "refreshed_elsewhere", user_id(n % 1_000_000)),
        *(client_id(n % 100), session, f"2001:db8::{n % 65536:x}"),
    )


def an_ended_session(n: int, ended_at: int) -> tuple:
    """Return a row of a session that is over."""
    device = _device_id(n)
    return (
        *(hashed("ended", n)[:32], user_id(n % 1_000_000), device, client_id(n % 100)),
        *(f"{API} {DEVICE}{device}", 9, ended_at, 9, ended_at, ended_at, ended_at),
        *("127.0.0.1", ended_at, "logout"),
    )


# What the sweeper takes, and how a row of it is made.
STALE = {
    "nextgen_grants": (GRANT, a_grant),
    "nextgen_events": (EVENT, an_event),
    "nextgen_sessions": ((*SESSION, "ended_at", "end_reason"), an_ended_session),
}


def hashed(*what: object) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()


def user_id(n: int) -> str:
    return f"@crowd{n:07}:localhost"


def client_id(n: int) -> str:
    return f"{n:08x}" * 4


def _device_id(n: int) -> str:
    return f"CROWD{n:010}"


def _client(n: int, metadata: str, now: int) -> tuple:
    # Every other one was last signed in to long ago, and is still in use.
    used = now - (90 * DAY if n % 2 else DAY)
    name = json.dumps(f"App {n}")
    own = metadata.replace('"Test client"', name)
    return (client_id(n), f"{n:08x}" * 8, own, used - 30 * DAY, used)


def _session(n: int, owner: int, size: Size, drawn: random.Random, now: int) -> tuple:
    client = n % POPULAR if n % 2 else n // 2 % size.clients
    begun = now - drawn.randrange(DAY, 200 * DAY)
    device = _device_id(n)
    return (
        *(f"{drawn.getrandbits(128):032x}", user_id(owner), device, client_id(client)),
        *(f"{API} {DEVICE}{device}", 1000, now - 300, 1000, begun, begun, now - 200),
        *("127.0.0.1", (now - 200) // DAY),
    )


def copy(cursor: Any, table: str, columns: tuple, rows: Iterable[tuple]) -> None:
    iterator = iter(rows)
    while bite := _text(iterator):
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", io.StringIO(bite))


def _text(rows: Iterator[tuple]) -> str:
    """Return the next bite in COPY's text format."""
    lines = []
    for row in rows:
        lines.append("\t".join(map(str, row)).replace("\\", "\\\\"))
        if len(lines) == BITE:
            break
    return "".join(line + "\n" for line in lines)
