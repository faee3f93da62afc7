"""What the module adds to a Synapse process: resident memory, and time until it answers.

Processes are started as an operator starts them: nothing is imported before, and in a cold start
nothing of what they read lies in the memory of the machine.
"""

import os
import secrets
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs

from bench import report
from bench.proc import resident_megabytes
from bench.report import Figure, Wanted
from bench.servers import (
    MODULE,
    Scene,
    access_token,
    add_our_sessions,
    add_stock_sessions,
    line_to,
)
from bench.wire import whoami
from support.oauth import Server
from support.synapse import Homeserver, User
from synapse_nextgen_auth.cli import synapse_process
from synapse_nextgen_auth.web.templates import shipped

SESSIONS = 1000
SIGN_INS = 5  # real ones, for whatever signing in loads
PATIENCE = 60
MEMORY = Wanted(at_most=8)
TIME = Wanted(at_most=0.25)


@attrs.frozen
class Life:
    """What one process took: seconds until it answered, megabytes then and after some use."""

    seconds: float
    fresh: float
    used: float


@attrs.frozen
class Side:
    """A homeserver that has started before, somebody's account, and tokens in its database."""

    homeserver: Homeserver
    user: User
    tokens: Sequence[str]
    sign_in: Callable[[User], object]

    def live(self, *, cold: bool) -> Life:
        """Start it, use it, stop it."""
        main = self.homeserver.main
        main.afresh = True
        self.homeserver.write_config()
        if cold:
            _forget_files()
        began = time.perf_counter()
        main.begin()
        try:
            _wait_for(self.homeserver)
            seconds = time.perf_counter() - began
            fresh = resident_megabytes(main.pid)
            for _ in range(SIGN_INS):
                self.sign_in(self.user)
            with line_to(self.homeserver) as line:
                for token in self.tokens:
                    line.ask(whoami(token))
            return Life(seconds, fresh, resident_megabytes(main.pid))
        finally:
            self.homeserver.stop()


def measure(scene: Scene) -> Iterator[Figure]:
    """Alternate lives with and without the module."""
    ours, stock = _ours(scene), _stock(scene)
    for side in (ours, stock):
        side.live(cold=False)  # the first one compiles what has no bytecode yet
    os.sync()  # what still waits to be written cannot be forgotten
    turns = 3 if scene.quick else 15
    cold, warm = (_pairs(ours, stock, turns, cold=cold) for cold in (True, False))
    yield _more("start until /health, cold", cold, "seconds", "s", TIME)
    yield _more("start until /health, warm", warm, "seconds", "s", TIME)
    yield _more("resident after the start", [*cold, *warm], "fresh", "MB", MEMORY)
    yield _more(f"resident after {SESSIONS} sessions", [*cold, *warm], "used", "MB", MEMORY)


def _pairs(ours: Side, stock: Side, turns: int, *, cold: bool) -> list[tuple[Life, Life]]:
    pairs = []
    for turn in range(turns):
        if turn % 2:
            other, own = stock.live(cold=cold), ours.live(cold=cold)
        else:
            own, other = ours.live(cold=cold), stock.live(cold=cold)
        pairs.append((own, other))
    return pairs


def _more(
    name: str, lives: Sequence[tuple[Life, Life]], of: str, unit: str, wanted: Wanted
) -> Figure:
    pairs = [(getattr(own, of), getattr(other, of)) for own, other in lives]
    return report.difference(name, pairs, unit=unit, wanted=wanted)


def _wait_for(homeserver: Homeserver) -> None:
    """Return as soon as it answers, to a few milliseconds."""
    deadline = time.monotonic() + PATIENCE
    while not synapse_process.is_healthy(homeserver.main.port):
        if not homeserver.main.is_running or time.monotonic() > deadline:
            raise RuntimeError(synapse_process.tail(homeserver.main.log_file))
        time.sleep(0.005)


def _forget_files() -> None:
    """Let the machine read again what a start reads, as after a boot (posix_fadvise(2))."""
    paths = sysconfig.get_paths()
    bytecode = [Path(sys.pycache_prefix)] if sys.pycache_prefix else []
    package = Path(synapse_process.__file__).parent.parent
    for directory in {
        *map(Path, (paths["stdlib"], paths["purelib"])),
        package,
        shipped(),
        *bytecode,
    }:
        for path in directory.rglob("*"):
            if path.suffix in {".py", ".pyc", ".so", ".html", ".po", ".css", ".js", ".svg"}:
                _forget(path)


def _forget(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def _ours(scene: Scene) -> Side:
    with scene.new_homeserver("with-module", module=MODULE) as homeserver:
        user = homeserver.new_user()
        client = Server(homeserver.base_url).client()
        ids = [secrets.token_hex(16) for _ in range(SESSIONS)]
        made = add_our_sessions(homeserver, user, ids, client_id=client.id)
    return Side(
        homeserver,
        user,
        [access_token(session) for session in made],
        lambda user: client.sign_in(user.localpart, user.password),
    )


def _stock(scene: Scene) -> Side:
    with scene.new_homeserver("stock", module=None) as homeserver:
        user = homeserver.new_user()
        made = add_stock_sessions(homeserver, user, SESSIONS)
    return Side(homeserver, user, made, homeserver.login)
