"""Our warm check against Synapse's own with delegated authentication: a cached introspection.

Synapse asks the service for a token once in two minutes, and remembers the answer. The service is a
stand-in of a few lines, in a process of its own: the answers come from the cache.
"""

import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.introspector import SECRET, token_of
from bench.report import Figure, Wanted
from bench.servers import Scene, add_devices, line_to, opened
from bench.sides import Side, compare, warm
from bench.wire import whoami
from support.synapse import Homeserver, User

CONNECTIONS = (1, 8)
TOKENS = 8  # of each kind, for as many clients
ACTS = 1600  # of a batch, by all clients together
QUICK = 320
WANTED = Wanted(at_least=1.0)


def measure(scene: Scene) -> Iterator[Figure]:
    """Two homeservers on one database server, asked in turns."""
    ours = [whoami(pair.access) for pair in scene.our_pairs(scene.homeserver.new_user(), TOKENS)]
    with _delegating(scene) as (homeserver, tokens):
        its = [whoami(token) for token in tokens]
        for count in CONNECTIONS:
            yield from compare(
                f"warm /whoami, {count} at once",
                _side(scene.homeserver, ours[:count]),
                _side(homeserver, its[:count]),
                acts=(QUICK if scene.quick else ACTS) // count,
                against="delegated",
                wanted=WANTED,
            )


def _side(homeserver: Homeserver, requests: Sequence[bytes]) -> Side:
    clients = [warm(lambda: line_to(homeserver), request) for request in requests]
    return Side(clients, homeserver.main.pid)


@contextmanager
def _delegating(scene: Scene) -> Iterator[tuple[Homeserver, list[str]]]:
    """Lend a homeserver that asks the stand-in, and tokens that this knows."""
    with _service() as port:
        with scene.new_homeserver("delegating", module=None) as homeserver:
            user = homeserver.new_user()
        tokens = _tokens(homeserver, user)
        homeserver.config = {
            "password_config": {"enabled": False},
            "enable_registration": False,
            "matrix_authentication_service": {
                "enabled": True,
                "endpoint": f"http://127.0.0.1:{port}/",
                "secret": SECRET,
            },
        }
        with homeserver:
            yield homeserver, tokens


def _tokens(homeserver: Homeserver, user: User) -> list[str]:
    devices = [f"BENCH{secrets.token_hex(8)}" for _ in range(TOKENS)]
    with opened(homeserver) as cursor:
        add_devices(cursor, user, devices)
    return [token_of(user.localpart, device) for device in devices]


@contextmanager
def _service() -> Iterator[int]:
    """Run the stand-in beside us; yield its port."""
    command = [sys.executable, "-m", "bench.introspector"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()
