"""What the module adds to a Synapse process: resident memory, and time until it answers."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence

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

SESSIONS = 1000
SIGN_INS = 5  # real ones, for whatever signing in loads
MEMORY = Wanted(at_most=25)
TIME = Wanted(at_most=0.5)


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

    def live(self) -> Life:
        """Start it, use it, stop it."""
        main = self.homeserver.main
        began = time.perf_counter()
        self.homeserver.start()
        try:
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
    pairs = []
    for turn in range(3 if scene.quick else 15):
        if turn % 2:
            other, own = stock.live(), ours.live()
        else:
            own, other = ours.live(), stock.live()
        pairs.append((own, other))

    def of(name: str) -> list[tuple[float, float]]:
        return [(getattr(own, name), getattr(other, name)) for own, other in pairs]

    yield report.difference("start until /health", of("seconds"), unit="s", wanted=TIME)
    yield report.difference("resident after the start", of("fresh"), unit="MB", wanted=MEMORY)
    name = f"resident after {SESSIONS} sessions"
    yield report.difference(name, of("used"), unit="MB", wanted=MEMORY)


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
