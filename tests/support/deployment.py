"""A homeserver of three processes, and clients that turn to whichever of them a test names.

with Deployment.create(directory) as deployment:
    deployment.server("worker1").whoami(token)
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from threading import Barrier
from urllib.parse import urlsplit

import attrs
import requests
from typing_extensions import Self

from support import bridges
from support.databases import PostgresDatabase
from support.oauth import Browser, Client, Server
from support.postgres import PostgresServer
from support.redis import RedisServer
from support.sabotage import Sabotage
from support.synapse import Homeserver, Process
from synapse_nextgen_auth.cli import demo_directory

WORKERS = ("worker1", "worker2")
PROCESSES = ("main", *WORKERS)

_SUPPORT = Path(__file__).parent
# Far more than a test has, unless it fills an account on purpose.
MAX_DEVICES = 3000
# People sign up there.
_OPEN = {"enable_registration": True, "enable_registration_without_verification": True}
_SABOTEUR = "support.saboteur.Module"


@attrs.define
class Deployment(Homeserver):
    """Main process and generic workers on a PostgreSQL and a Redis of their own."""

    postgres: PostgresServer = attrs.field(kw_only=True)

    @classmethod
    def create(cls, directory: Path, **attributes) -> "Deployment":
        """Start the servers that it stands on; the processes come with `start()`."""
        postgres, redis = PostgresServer().start(), RedisServer().start()
        # Synapse runs in this directory and finds the module there.
        (directory / _SUPPORT.name).symlink_to(_SUPPORT)
        bridge = demo_directory.write_yaml(directory / "keyed.yaml", bridges.KEYED)
        config = {
            "modules": [{"module": _SABOTEUR}],
            "app_service_config_files": [str(bridge)],
            **_OPEN,
            **attributes.pop("config", {}),
        }
        options = {
            "sessions": {"max_devices": MAX_DEVICES},
            "factors": {"policy": "optional"},
            "clients": [bridges.client("keyed", refuse_as_token=True)],
        }
        attributes.setdefault("module", options)
        deployment = cls(
            directory,
            PostgresDatabase.on(postgres),
            redis=redis,
            postgres=postgres,
            config=config,
            **attributes,
        )
        for name in WORKERS:
            deployment.workers[name] = deployment.new_worker(name)
        return deployment

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self.redis.stop()
            self.postgres.stop()

    def process(self, name: str) -> Process:
        """Return the process `main`, `worker1` or `worker2`."""
        return self.main if name == "main" else self.workers[name]

    def server(self, name: str = "main") -> Server:
        """Return the endpoints as this process serves them."""
        return Server(self.process(name).base_url)

    def at(self, name: str, client: Client) -> Client:
        """Return the same client, that now turns to this process."""
        return attrs.evolve(client, server=self.server(name))

    def sabotage(self, name: str) -> Sabotage:
        """Return who can make this process fail."""
        return Sabotage(self.process(name).base_url)

    def heal(self) -> None:
        """Start what is down and take back every plan."""
        processes = [self.process(name) for name in PROCESSES]
        for process in processes:
            if not process.is_running:
                process.begin()
        for process in processes:
            process.wait()
        for name in PROCESSES:
            self.sabotage(name).plan(None)


class HoppingBrowser(Browser):
    """A browser behind a proxy that sends each request to the process named by `at`."""

    def __init__(self, deployment: Deployment, at: str = "main"):
        super().__init__(deployment.server())
        self.at = at
        self.http = _Hopping(self, deployment)


class RoundRobinBrowser(HoppingBrowser):
    """A browser behind a proxy that turns to the processes one after the other."""

    def __init__(self, deployment: Deployment):
        self._turns = cycle(PROCESSES)
        super().__init__(deployment)

    @property
    def at(self):
        return next(self._turns)

    @at.setter
    def at(self, name):
        """Take what the parent begins with; the turns go on."""


class _Hopping(requests.Session):
    def __init__(self, browser, deployment):
        super().__init__()
        self._browser, self._deployment = browser, deployment

    def send(self, request, **options):
        public = request.url
        base = urlsplit(self._deployment.process(self._browser.at).base_url)
        request.url = urlsplit(public)._replace(netloc=base.netloc).geturl()
        answer = super().send(request, **options)
        answer.url = public
        return answer


class Restarts:
    """Names the process for the next step, and takes the one of the last step away."""

    def __init__(self, deployment, how):
        self._processes = [(name, deployment.process(name)) for name in PROCESSES]
        self._how = how  # "killed" or "stopped"
        self._steps = 0

    def next(self):
        """Return the name of a process that answers; the one before is coming back."""
        if self._steps:
            _, last = self._processes[(self._steps - 1) % 3]
            last.kill() if self._how == "killed" else last.stop()
            last.begin()
        name, process = self._processes[self._steps % 3]
        process.wait()  # it had the time of two steps to come back
        self._steps += 1
        return name


def at_once(*actions):
    """Run these at the same moment, each in a thread; return what they return, in order."""
    barrier = Barrier(len(actions))

    def run(action):
        barrier.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(run, actions))
