"""A real Synapse, main process and workers, built like the demo's.

with Homeserver(directory, SqliteDatabase(directory)) as homeserver:
    homeserver.register_user("alice", "wonderland")
    requests.get(f"{homeserver.base_url}/_matrix/client/versions")
"""

import itertools
import subprocess
from pathlib import Path
from typing import Any

import attrs
import requests
from typing_extensions import Self

from support import forks, log_check
from support.databases import Database, SqliteDatabase
from support.ports import free_port
from support.redis import RedisServer
from synapse_nextgen_auth.cli import (
    demo_directory,
    homeserver_yaml,
    loopback,
    synapse_process,
)
from synapse_nextgen_auth.cli.accounts import Credentials, SharedSecret

_SECRETS = homeserver_yaml.ServerSecrets(
    registration_shared_secret="let-the-tests-register",
    macaroon_secret_key="a-macaroon-key-that-only-tests-have",
    form_secret="a-form-secret-that-only-tests-have",
)
_names = itertools.count(1)


@attrs.frozen
class User:
    """An account made for a test."""

    user_id: str
    localpart: str
    password: str


@attrs.define
class Process:
    """One Synapse process: where it listens, what it logs, how it is stopped."""

    directory: Path
    name: str
    port: int
    app: str
    configs: list[Path]
    afresh: bool = False  # as an operator starts it, not forked from one that has imported all
    _running: "subprocess.Popen[bytes] | forks.Forked | None" = None

    @property
    def base_url(self) -> str:
        """Return the address of its client listener."""
        return f"http://localhost:{self.port}"

    @property
    def log_file(self) -> Path:
        """Return where everything it says ends up."""
        return self.directory / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """Return the process id while it runs."""
        assert self._running is not None, "not started"
        return self._running.pid

    def start(self) -> None:
        """Start it and return when it answers."""
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start it and return at once."""
        start = synapse_process.start if self.afresh else forks.start
        self._running = start(
            self.configs, log_file=self.log_file, app=self.app, directory=self.directory
        )

    def wait(self) -> None:
        """Return when it answers."""
        assert self._running is not None, "not started"
        try:
            synapse_process.wait_until_healthy(
                self._running, port=self.port, log_file=self.log_file
            )
        except BaseException:
            self.stop()
            raise

    @property
    def is_running(self) -> bool:
        """Say whether it was started and has not ended since."""
        return self._running is not None and self._running.poll() is None

    def stop(self) -> None:
        """Ask it to stop and wait until it has; fail if its log says that something in it ended."""
        if self._running is not None:
            synapse_process.stop(self._running, patience=60)
            self._running = None
            log_check.look(self.log_file)

    def kill(self) -> None:
        """Take it away without a chance to tidy up, like a power cut."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None
            log_check.look(self.log_file)


@attrs.define
class Homeserver:
    """A Synapse in a directory of its own; change its attributes and `restart()` to apply them."""

    directory: Path
    database: Database
    module: dict[str, Any] | None = attrs.field(factory=dict)  # options; None: stock Synapse
    config: dict[str, Any] = attrs.field(factory=dict)  # merged into homeserver.yaml
    log_level: str = "INFO"
    redis: RedisServer | None = None  # needed for workers
    workers: dict[str, Process] = attrs.field(factory=dict, init=False)
    main: Process = attrs.field(init=False)
    _addresses: tuple[str, ...] = attrs.field(factory=loopback.addresses, init=False)

    def __attrs_post_init__(self) -> None:
        self.main = self._process("homeserver", synapse_process.MAIN, free_port)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """Return the public base URL, without a slash at the end."""
        return self.main.base_url

    @property
    def server_name(self) -> str:
        """Return what stands behind the colon in Matrix ids."""
        return str(self.config.get("server_name", homeserver_yaml.SERVER_NAME))

    @property
    def config_path(self) -> Path:
        """Return the homeserver.yaml in use."""
        return self.directory / "homeserver.yaml"

    @property
    def registration_shared_secret(self) -> str:
        """Return the secret that Synapse's own registration script needs."""
        return _SECRETS.registration_shared_secret

    def settings(self) -> dict[str, Any]:
        """Return the content of homeserver.yaml as the attributes stand now."""
        ours = {"module": homeserver_yaml.MODULE, "config": self.module}
        settings = homeserver_yaml.homeserver_settings(
            self.directory,
            port=self.main.port,
            secrets=_SECRETS,
            database=self.database.section(),
            bind_addresses=self._addresses,
            modules=[] if self.module is None else [ours],
        )
        if self.redis is not None:
            settings = homeserver_yaml.deep_merge(settings, self._replication(settings))
        return homeserver_yaml.customized(settings, self.config)

    def write_config(self) -> Path:
        """Write homeserver.yaml and its logging configuration without starting anything."""
        self._write_log_config(self.main)
        return demo_directory.write_yaml(self.config_path, self.settings())

    def start(self) -> "Homeserver":
        """Start the main process and whatever workers there were; return when all answer."""
        self.write_config()
        self.main.start()
        for worker in self.workers.values():
            worker.begin()
        for worker in self.workers.values():
            worker.wait()
        return self

    def stop(self) -> None:
        """Stop everything; the directory and the database stay."""
        for process in (*self.workers.values(), self.main):
            process.stop()

    def kill(self) -> None:
        """Take all processes away at once, like a power cut."""
        for process in (*self.workers.values(), self.main):
            process.kill()

    def restart(self) -> None:
        """Stop, apply changed attributes, start again on the same port."""
        self.stop()
        self.start()

    def add_worker(self, name: str = "worker1", **settings: Any) -> Process:
        """Start a generic worker that serves the client API on a port of its own."""
        worker = self.new_worker(name, **settings)
        worker.start()
        self.workers[name] = worker
        return worker

    def new_worker(self, name: str, **settings: Any) -> Process:
        """Return such a worker with its configuration written, not started yet."""
        assert self.redis is not None, "workers need a Homeserver with redis"
        worker = self._process(name, synapse_process.WORKER, free_port)
        config = {
            "worker_app": synapse_process.WORKER,
            "worker_name": name,
            "worker_listeners": [
                {
                    "type": "http",
                    "port": worker.port,
                    "bind_addresses": list(self._addresses),
                    "resources": [{"names": ["client"]}],
                }
            ],
            "worker_log_config": str(self._write_log_config(worker)),
            "pid_file": str(self.directory / f"{name}.pid"),
            **settings,
        }
        worker.configs.append(demo_directory.write_yaml(self.directory / f"{name}.yaml", config))
        return worker

    def log_text(self) -> str:
        """Return everything that main process and workers have logged, at `log_level`."""
        processes = (self.main, *self.workers.values())
        files = [process.log_file for process in processes]
        return "".join(file.read_text("utf-8", "replace") for file in files if file.exists())

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement with `?` placeholders in the homeserver's database."""
        return self.database.query(sql, *values)

    def register_user(
        self, localpart: str, password: str = "correct-horse", *, admin: bool = False
    ) -> User:
        """Create an account that has no device yet."""
        door = SharedSecret(self.main.port, self.registration_shared_secret)
        credentials = Credentials(localpart, password, admin)
        door.register(credentials)
        return User(credentials.user_id(self.server_name), localpart, password)

    def new_user(self, *, admin: bool = False) -> User:
        """Create an account with a name nobody else uses."""
        return self.register_user(f"user{next(_names)}", admin=admin)

    def login(self, user: User, **extra: Any) -> dict[str, Any]:
        """Sign in the legacy way; return Synapse's answer (`access_token`, `device_id`, …)."""
        identifier = {"type": "m.id.user", "user": user.localpart}
        request = {"type": "m.login.password", "identifier": identifier, "password": user.password}
        answer = requests.post(
            f"{self.base_url}/_matrix/client/v3/login", json={**request, **extra}, timeout=30
        )
        answer.raise_for_status()
        return dict(answer.json())

    def _process(self, name: str, app: str, port: Any) -> Process:
        return Process(self.directory, name, port(self._addresses), app, [self.config_path])

    def _write_log_config(self, process: Process) -> Path:
        name = "log.yaml" if process is self.main else f"{process.name}-log.yaml"
        settings = homeserver_yaml.log_settings(process.log_file, self.log_level)
        return demo_directory.write_yaml(self.directory / name, settings)

    def _replication(self, settings: dict[str, Any]) -> dict[str, Any]:
        socket = str(self.redis.directory / f"main-{self.main.port}.sock")
        listener = {"path": socket, "type": "http", "resources": [{"names": ["replication"]}]}
        return {
            "redis": self.redis.settings(),
            "worker_replication_secret": "only-tests-replicate",
            "instance_map": {"main": {"path": socket}},
            "listeners": [*settings["listeners"], listener],
        }


def sqlite_homeserver(directory: Path, **attributes: Any) -> Homeserver:
    """Return a homeserver, not started yet, on a database file in its directory."""
    return Homeserver(directory, SqliteDatabase(directory), **attributes)
