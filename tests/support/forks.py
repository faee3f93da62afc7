"""Synapse processes that are forked from one which has imported all they need, not started afresh.

Four fifths of the time of a start are imports, the same for every process. A process that was forked
differs from `python -m synapse.app.…` in its command line, in that its sets are ordered as those of its
siblings, in that all that is ours is imported, late files too and on a stock Synapse, in that the pages
which most tests see are compiled, and in that its SQLite waits for no disk. Synapse's own tests of
workers fork them as well (`synapse.app.complement_fork_starter`).
"""

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from synapse_nextgen_auth.cli import synapse_process

_PROGRAM = Path(__file__).with_name("fork_server.py")
_PATIENCE = 120  # seconds; it imports Synapse first
_APPS = (synapse_process.MAIN, synapse_process.WORKER)


def start(configs, *, log_file, app, directory):
    """Do what `synapse_process.start` does, sooner where that is possible."""
    server = _server()
    if server is None or app not in _APPS:
        return synapse_process.start(configs, log_file=log_file, app=app, directory=directory)
    arguments = [part for config in configs for part in ("-c", str(config))]
    log_file.touch()
    return server.start(app=app, arguments=arguments, log=str(log_file), directory=str(directory))


class Forked:
    """As much of `subprocess.Popen` as tests use."""

    def __init__(self, server, pid):
        self._server = server
        self.pid = pid
        self.returncode = None

    def poll(self):
        """Return the exit code, `None` while it runs."""
        self._server.listen(0)
        return self.returncode

    def wait(self, timeout=None):
        """Return the exit code when there is one."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("a forked Synapse", timeout)
            self._server.listen(0.05)
        return self.returncode

    def send_signal(self, number):
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self):
        """Ask it to stop."""
        self.send_signal(signal.SIGTERM)

    def kill(self):
        """Take it away."""
        self.send_signal(signal.SIGKILL)


class _Server:
    """The process that forks, and what it has told."""

    def __init__(self):
        self.environment = _environment()
        self._living = {}
        self._lock = threading.RLock()
        self._begun = []
        self._rest = b""
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(_PROGRAM), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
            )
        self._next()  # says that it is ready

    def start(self, **what):
        with self._lock:
            self._socket.sendall(json.dumps(what).encode() + b"\n")
            return self._next()

    def stop(self):
        self._socket.close()
        self._process.wait()

    def listen(self, patience):
        """Take in what has ended meanwhile."""
        with self._lock:
            while select.select([self._socket], [], [], patience)[0]:
                patience = 0
                said = self._socket.recv(65536)
                if not said:
                    message = "the process that forks Synapse is gone"
                    raise RuntimeError(message)
                *lines, self._rest = (self._rest + said).split(b"\n")
                for line in lines:
                    what, pid, status = line.decode().split()
                    if what == "ended":
                        self._living.pop(int(pid)).returncode = int(status)
                    else:
                        self._living[int(pid)] = begun = Forked(self, int(pid))
                        self._begun.append(begun)

    def _next(self):
        deadline = time.monotonic() + _PATIENCE
        while not self._begun:
            if time.monotonic() > deadline:
                message = f"the process that forks Synapse said nothing for {_PATIENCE} seconds"
                raise RuntimeError(message)
            self.listen(1)
        return self._begun.pop(0)


_running = []


def _server():
    """Return the one of this session; `None` where a process would not find what it should."""
    if sys.platform != "linux":
        return None
    if not _running:
        _running.append(_Server())
        atexit.register(_running[0].stop)
    return _running[0] if _running[0].environment == _environment() else None


def _environment():
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
