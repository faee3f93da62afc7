"""Ours against any other server, by its address and a token: warm `/whoami`, refresh and first use.

What is known of the other one stands in a file, for tokens on a command line are everybody's:

    {"address": "https://matrix.example.com",
     "token": "…",
     "refresh_tokens": ["…"],
     "token_endpoint": "https://auth.example.com/oauth2/token",
     "client_id": "…"}

The last three are for refreshes; without `token_endpoint` they go to Matrix' own `/refresh`. Each
refresh token is one client, and the one that is good afterwards is written back into the file.
"""

import json
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import attrs

from bench.report import Figure
from bench.servers import Scene, line_to
from bench.sides import Side, compare, most, refreshing, warm
from bench.wire import REFRESH, WHOAMI, Line, Unexpected, refresh_ours, refresh_stock, whoami

CONNECTIONS = (1, 8)
ACTS = 400  # of a batch, by all clients together
QUICK = 80
NAME = "the other one"
_KEYS = {"address", "token", "refresh_tokens", "token_endpoint", "client_id"}


class Wrong(Exception):
    """The file, or what it leads to, is no server to compare with."""


@attrs.frozen
class Origin:
    """Where a server listens."""

    host: str
    port: int
    is_tls: bool
    path: str

    @classmethod
    def of(cls, url: object, what: str) -> "Origin":
        parts = urlsplit(url if isinstance(url, str) else "")
        port = _port_of(parts)
        if parts.scheme not in {"http", "https"} or not parts.hostname or port is None:
            raise Wrong(f"{what} is no address like https://matrix.example.com")
        if parts.query or parts.fragment or parts.username is not None:
            raise Wrong(f"{what} must have no user, query or fragment")
        return cls(parts.hostname, port, parts.scheme == "https", parts.path)

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, by its name."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def header(self) -> str:
        """What a request calls it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"

    def line(self) -> Line:
        return Line(self.port, self.host, is_tls=self.is_tls)


def _port_of(parts: SplitResult) -> int | None:
    try:
        return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None


@attrs.define
class Other:
    """The other server, as its file describes it."""

    path: Path
    api: Origin
    token: str
    refresh_tokens: list[str]
    token_endpoint: Origin | None
    client_id: str

    @classmethod
    def read(cls, path: Path) -> "Other":
        try:
            found = json.loads(path.read_text("utf-8"))
        except OSError as error:
            raise Wrong(f"{path} cannot be read: {error.strerror}") from None
        except json.JSONDecodeError as error:
            raise Wrong(f"{path} is no JSON, from line {error.lineno} on") from None
        except ValueError:
            raise Wrong(f"{path} is no text in UTF-8") from None
        if not isinstance(found, dict):
            raise Wrong(f"{path} is no JSON object")
        if unknown := sorted(set(found) - _KEYS):
            raise Wrong(
                f"{path} has {unknown[0]}, which means nothing: {', '.join(sorted(_KEYS))} do"
            )
        endpoint = found.get("token_endpoint")
        other = cls(
            path,
            Origin.of(found.get("address"), "address"),
            _text(found, "token"),
            found.get("refresh_tokens", []),
            None if endpoint is None else Origin.of(endpoint, "token_endpoint"),
            _text(found, "client_id") if endpoint is not None else "",
        )
        if other.api.path.strip("/"):
            raise Wrong("address must have no path")
        tokens = other.refresh_tokens
        if not isinstance(tokens, list) or not all(isinstance(each, str) for each in tokens):
            raise Wrong("refresh_tokens is no list of texts")
        return other

    @property
    def origins(self) -> Sequence[Origin]:
        """Everywhere that something is sent to."""
        return (self.api,) if self.token_endpoint is None else (self.api, self.token_endpoint)

    def renewal(self, token: str) -> bytes:
        """Return the request that refreshes."""
        there = self.token_endpoint
        if there is None:
            return refresh_stock(token, host=self.api.header)
        return refresh_ours(token, self.client_id, path=there.path or "/", host=there.header)

    def lines(self) -> tuple[Line, Line]:
        """Open where it refreshes, and where it uses the token."""
        return (self.token_endpoint or self.api).line(), self.api.line()

    def keep(self, place: int, token: str) -> None:
        """Remember the refresh token that is good now."""
        self.refresh_tokens[place] = token

    def write(self) -> None:
        """Write the refresh tokens that are good now into the file; nothing else changes there."""
        found = json.loads(self.path.read_text("utf-8"))
        found["refresh_tokens"] = self.refresh_tokens
        self.path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def _text(found: dict[str, object], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable():
        raise Wrong(f"{name} is missing, or no text")
    return value


def told(other: Other, *, quick: bool) -> str:
    """Say what will be sent to the other server, at most."""
    batch = QUICK if quick else ACTS
    checks = 1 + sum(most(count, _share(batch, count)) for count in CONNECTIONS)
    lines = [
        f"  up to {checks} times GET {WHOAMI} to {other.api.header}, {CONNECTIONS[-1]} at once"
    ]
    if other.refresh_tokens:
        where, path = other.api, REFRESH
        if other.token_endpoint is not None:
            where, path = other.token_endpoint, other.token_endpoint.path
        clients = len(other.refresh_tokens)
        lines.append(
            f"  up to {most(clients, _share(batch, clients))} times POST {path} to {where.header},"
            f" each with a first use, {clients} at once"
        )
    return "\n".join(lines)


def _share(batch: int, clients: int) -> int:
    return max(batch // clients, 4)


def measure(scene: Scene, other: Other) -> Iterator[Figure]:
    """Compare as many connections to each; our side is the homeserver of the other benchmarks."""
    try:
        with other.api.line() as line:  # before a homeserver of ours is made
            line.ask(whoami(other.token, host=other.api.header))
        yield from _warm(scene, other)
        if other.refresh_tokens:
            yield from _refreshes(scene, other)
    except (Unexpected, OSError) as error:
        raise Wrong(f"Stopped: {error}") from None
    finally:
        if other.refresh_tokens:
            other.write()


def _warm(scene: Scene, other: Other) -> Iterator[Figure]:
    (pair,) = scene.our_pairs(scene.homeserver.new_user(), 1)
    for count in CONNECTIONS:
        ours = warm(lambda: line_to(scene.homeserver), whoami(pair.access))
        its = warm(other.api.line, whoami(other.token, host=other.api.header))
        yield from compare(
            f"warm /whoami, {count} at once",
            Side([ours] * count),
            Side([its] * count),
            acts=_share(QUICK if scene.quick else ACTS, count),
            against=NAME,
        )


def _refreshes(scene: Scene, other: Other) -> Iterator[Figure]:
    count = len(other.refresh_tokens)
    pairs = scene.our_pairs(scene.homeserver.new_user(), count)
    ours = [
        refreshing(
            lambda: (line_to(scene.homeserver),),
            pair.refresh,
            lambda token, client_id=pair.client_id: refresh_ours(token, client_id),
            whoami,
        )
        for pair in pairs
    ]
    its = [
        refreshing(
            other.lines,
            token,
            other.renewal,
            lambda token: whoami(token, host=other.api.header),
            keep=lambda token, place=place: other.keep(place, token),
        )
        for place, token in enumerate(other.refresh_tokens)
    ]
    yield from compare(
        f"refresh and first use, {count} at once",
        Side(ours),
        Side(its),
        acts=_share(QUICK if scene.quick else ACTS, count),
        against=NAME,
    )
