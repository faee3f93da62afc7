"""A real Synapse as a child process that does not outlive its parent."""

import ctypes
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

MAIN = "synapse.app.homeserver"
WORKER = "synapse.app.generic_worker"

# How what keeps Synapse from starting begins, of ours and of its own.
_BEGINS = ("synapse_nextgen_auth does not start:", "Error in configuration")
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class SynapseStoppedError(Exception):
    """Synapse did not come up; the message ends with what it said last."""


def start(
    configs: Sequence[Path], *, log_file: Path, app: str = MAIN, directory: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start Synapse with these configuration files and send what it prints to `log_file`."""
    arguments = [part for config in configs for part in ("-c", str(config))]
    with log_file.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", app, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=directory,
            start_new_session=True,  # Ctrl-C is ours to translate into a clean stop
            preexec_fn=bound_to(os.getpid()),  # noqa: PLW1509 - it only makes two system calls
        )


def wait_until_healthy(
    process: "subprocess.Popen[bytes]", *, port: int, log_file: Path, patience: float = 90
) -> None:
    """Return when Synapse answers on its port; raise when it ended or takes too long."""
    deadline = time.monotonic() + patience
    while not is_healthy(port):
        if process.poll() is not None:
            raise SynapseStoppedError(f"Synapse ended while starting:\n{why(log_file)}")
        if time.monotonic() > deadline:
            raise SynapseStoppedError(
                f"Synapse did not answer within {patience:.0f} seconds:\n{tail(log_file)}"
            )
        time.sleep(0.1)


def is_healthy(port: int) -> bool:
    """Say whether a Synapse answers on this port of the loopback address."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def stop(process: "subprocess.Popen[bytes]", patience: float = 15) -> None:
    """Ask Synapse to stop, wait, and kill it when it does not."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def why(log_file: Path) -> str:
    """Return what a Synapse that did not start said last of why, or the end of its log.

    That of ours stands there twice: in the log, and on its standard error.
    """
    text = log_file.read_text("utf-8", "replace") if log_file.exists() else ""
    lines = text.splitlines()
    begins = [n for n, line in enumerate(lines) if line.startswith(_BEGINS)]
    if not begins:
        return tail(log_file)
    return "\n".join(f"  {line}" for line in lines[begins[-1] :])


def tail(log_file: Path, lines: int = 25) -> str:
    """Return the end of a log, indented."""
    text = log_file.read_text("utf-8", "replace") if log_file.exists() else ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])


def bound_to(parent: int, by: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """Return what to run in a child so that Linux stops it when its parent is killed.

    The kernel watches the thread that started the child, so that should be the main thread.
    """
    libc = _LIBC
    if libc is None:
        return None

    def bind() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, by)
        if os.getppid() != parent:  # killed before the line above
            os._exit(1)

    return bind
