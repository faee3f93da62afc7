"""Where benchmarks happen: a homeserver on PostgreSQL, sessions of both kinds on it."""

import secrets
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs
import psycopg2
from psycopg2.extras import execute_values
from synapse.util.stringutils import base62_encode, random_string
from unpaddedbase64 import encode_base64

from bench.wire import Line, refresh_ours, refresh_stock
from support.databases import PostgresDatabase
from support.oauth import API, DEVICE, Server
from support.postgres import PostgresServer
from support.redis import RedisServer
from support.synapse import Homeserver, User
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.store import sessions

SECRET = "a-secret-that-only-benchmarks-have"
MODULE = {"secret": SECRET}
DAY = 24 * 3600


@attrs.frozen
class PooledDatabase(PostgresDatabase):
    """A database with as many connections as Synapse's documentation suggests."""

    def section(self) -> dict[str, Any]:
        section = super().section()
        return section | {"args": section["args"] | {"cp_min": 5, "cp_max": 10}}


@attrs.define
class Pair:
    """What a client holds of either kind: an access token, a refresh token."""

    access: str
    refresh: str
    client_id: str = ""  # empty for a stock session

    def renewal(self) -> bytes:
        """Return the request that refreshes."""
        if self.client_id:
            return refresh_ours(self.refresh, self.client_id)
        return refresh_stock(self.refresh)


@attrs.define(slots=False)
class Scene:
    """The database server, and the homeserver that most benchmarks share."""

    directory: Path
    postgres: PostgresServer
    quick: bool
    kept: Path | None = None  # where a full database stays for the next run

    @cached_property
    def homeserver(self) -> Homeserver:
        """The shared homeserver, with the module; started when first asked for."""
        return self.new_homeserver("shared", module=MODULE).start()

    @cached_property
    def client_id(self) -> str:
        """The client of our sessions: a public one, as nearly all are."""
        return Server(self.homeserver.base_url).client().id

    def new_homeserver(
        self, name: str, *, module: dict[str, Any] | None, redis: RedisServer | None = None
    ) -> Homeserver:
        """Return a homeserver on a database of its own, not started yet."""
        directory = self.directory / name
        directory.mkdir()
        database = PooledDatabase.on(self.postgres)
        return Homeserver(directory, database, module=module, redis=redis)

    def stop(self) -> None:
        if "homeserver" in self.__dict__:
            self.homeserver.stop()

    def stock_pairs(self, user: User, count: int, *, refresh_token: bool = True) -> list[Pair]:
        """Sign in so many times the legacy way; without `refresh_token` the tokens stay good."""
        login = self.homeserver.login
        answers = [login(user, refresh_token=refresh_token) for _ in range(count)]
        return [Pair(answer["access_token"], answer.get("refresh_token", "")) for answer in answers]

    def our_pairs(
        self, user: User, count: int, *, words: str = API, mask: int | None = None
    ) -> list[Pair]:
        """Make so many sessions of ours, as signing in leaves them.

        `words` is what their scope has beside the device, `mask` what a refresh left of it to the access
        tokens.
        """
        client_id = self.client_id
        return our_pairs_on(
            self.homeserver, user, count, client_id=client_id, words=words, mask=mask
        )


@contextmanager
def provided(
    directory: Path, *, hasty: bool, quick: bool, kept: Path | None = None
) -> Iterator[Scene]:
    """Lend a scene and clear it away."""
    postgres = PostgresServer(durable=not hasty)
    try:
        scene = Scene(directory, postgres.start(), quick, kept)
        try:
            yield scene
        finally:
            scene.stop()
    finally:
        postgres.stop()


def line_to(homeserver: Homeserver) -> Line:
    return Line(homeserver.main.port)


def our_pairs_on(
    homeserver: Homeserver,
    user: User,
    count: int,
    *,
    client_id: str,
    words: str = API,
    mask: int | None = None,
) -> list[Pair]:
    """Make so many sessions of ours on a homeserver."""
    ids = [secrets.token_hex(16) for _ in range(count)]
    made = add_our_sessions(homeserver, user, ids, client_id=client_id, words=words)
    keys = Keyring.of(SECRET.encode())
    return [_pair_of(keys, session, mask=mask) for session in made]


def new_pairs_on(homeserver: Homeserver, count: int) -> list[Pair]:
    """Make a client and an account, and so many sessions of them."""
    client_id = Server(homeserver.base_url).client().id
    return our_pairs_on(homeserver, homeserver.new_user(), count, client_id=client_id)


def add_our_sessions(
    homeserver: Homeserver,
    user: User,
    session_ids: Iterable[str],
    *,
    client_id: str,
    words: str = API,
) -> list[Session]:
    """Write sessions and their devices into the database."""
    now = int(time.time())
    made = [_session(session_id, user, client_id, now, words) for session_id in session_ids]
    with opened(homeserver) as cursor:
        add_devices(cursor, user, [str(session.device_id) for session in made])
        for session in made:
            sessions.add(_Txn(cursor), session)
    return made


def add_stock_sessions(homeserver: Homeserver, user: User, count: int) -> list[str]:
    """Write access tokens and their devices into the database; return the tokens."""
    devices = [f"STOCK{secrets.token_hex(8)}" for _ in range(count)]
    made = [f"syt_{secrets.token_urlsafe(32)}" for _ in devices]
    ids = range(1_000_000, 1_000_000 + count)
    with opened(homeserver) as cursor:
        add_devices(cursor, user, devices)
        execute_values(
            cursor,
            "INSERT INTO access_tokens (id, user_id, device_id, token) VALUES %s",
            [(n, user.user_id, *row) for n, *row in zip(ids, devices, made, strict=True)],
        )
    return made


def add_expired_stock_pairs(homeserver: Homeserver, user_ids: Sequence[str]) -> list[Pair]:
    """Write a stock session of each account, on a device of its own, its access token expired."""
    devices = [(user_id, f"STOCK{secrets.token_hex(8)}") for user_id in user_ids]
    pairs = [
        Pair(f"syt_{secrets.token_urlsafe(32)}", _stock_refresh_token(user_id))
        for user_id, _ in devices
    ]
    expired = int(time.time() - 1) * 1000
    rows = list(enumerate(zip(devices, pairs, strict=True), 2_000_000))
    with opened(homeserver) as cursor:
        execute_values(
            cursor,
            "INSERT INTO devices (user_id, device_id, display_name, hidden) VALUES %s",
            [(*device, "Benchmark", False) for device in devices],
        )
        execute_values(
            cursor,
            "INSERT INTO refresh_tokens (id, user_id, device_id, token) VALUES %s",
            [(n, *device, pair.refresh) for n, (device, pair) in rows],
        )
        execute_values(
            cursor,
            "INSERT INTO access_tokens"
            " (id, user_id, device_id, token, valid_until_ms, refresh_token_id, used) VALUES %s",
            [(n, *device, pair.access, expired, n, True) for n, (device, pair) in rows],
        )
    return pairs


def _stock_refresh_token(user_id: str) -> str:
    """Return one as Synapse makes them; it looks at the checksum."""
    localpart = encode_base64(user_id[1:].partition(":")[0].encode())
    text = f"syr_{localpart}_{random_string(20)}"
    return f"{text}_{base62_encode(zlib.crc32(text.encode()), minwidth=6)}"


@contextmanager
def opened(homeserver: Homeserver) -> Iterator[Any]:
    """Lend a cursor beside Synapse; commit at the end."""
    database = homeserver.database
    with (
        closing(psycopg2.connect(**database.connection)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        yield cursor


def access_token(session: Session) -> str:
    return _pair_of(Keyring.of(SECRET.encode()), session).access


@attrs.frozen
class _Txn:
    """A psycopg2 cursor that takes `?`, as Synapse's does."""

    _cursor: Any

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self._cursor.execute(sql.replace("?", "%s"), parameters)


def _session(session_id: str, user: User, client_id: str, now: int, words: str) -> Session:
    device_id = f"BENCH{secrets.token_hex(8)}"
    return Session(
        session_id=session_id,
        user_id=user.user_id,
        device_id=device_id,
        client_id=client_id,
        scope=f"{DEVICE}{device_id} {words}",
        generation=0,
        rotated_at=now,
        confirmed_generation=0,
        auth_time=now,
        created_at=now,
        last_active_at=now,
        address="127.0.0.1",
    )


def add_devices(cursor: Any, user: User, device_ids: list[str]) -> None:
    execute_values(
        cursor,
        "INSERT INTO devices (user_id, device_id, display_name, hidden) VALUES %s",
        [(user.user_id, device_id, "Benchmark", False) for device_id in device_ids],
    )


def pairs_of(found: Iterable[tuple[str, int, str]]) -> list[Pair]:
    """Return what the clients of these sessions hold: `(session_id, generation, client_id)`."""
    keys, end = Keyring.of(SECRET.encode()), int(time.time()) + DAY
    return [_pair(keys, *one, end) for one in found]


def expired_pairs(found: Iterable[tuple[str, int, str]]) -> list[Pair]:
    """Return the same, with access tokens that have just expired."""
    keys, end = Keyring.of(SECRET.encode()), int(time.time()) - 1
    return [_pair(keys, *one, end) for one in found]


def _pair_of(keys: Keyring, session: Session, *, mask: int | None = None) -> Pair:
    end = session.created_at + DAY
    return _pair(keys, session.session_id, session.generation, session.client_id, end, mask)


def _pair(
    keys: Keyring,
    session_id: str,
    generation: int,
    client_id: str,
    end: int,
    mask: int | None = None,
) -> Pair:
    access = Token(Kind.ACCESS, session_id, generation, end, mask)
    renewal = Token(Kind.REFRESH, session_id, generation, 0)
    return Pair(
        session_tokens.mint(keys, access).reveal(),
        session_tokens.mint(keys, renewal).reveal(),
        client_id,
    )
