"""The demo command as a user runs it: a child process, its output, a signal at the end."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests

from synapse_nextgen_auth.cli.synapse_process import bound_to

COMMAND = (sys.executable, "-m", "synapse_nextgen_auth.cli.main")


class Demo:
    """A running `synapse-nextgen-auth demo`.

    with Demo("--json", "--port", "0") as demo:
        requests.get(demo.facts["base_url"])
    """

    def __init__(self, *arguments: str, until: str = "") -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [*COMMAND, "demo", *arguments],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            stdin=subprocess.DEVNULL,
            text=True,
            preexec_fn=bound_to(os.getpid()),  # noqa: PLW1509
        )
        self.output = self._read(until)

    @property
    def facts(self) -> dict[str, Any]:
        """Return the first line as JSON."""
        return dict(json.loads(self.output.splitlines()[0]))

    def errors(self) -> str:
        """Return what it wrote to standard error so far."""
        self._errors.seek(0)
        return self._errors.read()

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and return the exit code."""
        self.process.send_signal(by)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        self.output += self.process.stdout.read()
        return self.process.wait(60)

    def __enter__(self) -> "Demo":  # noqa: PYI034 (typing.Self is newer than Python 3.10)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        self.process.stdout.close()
        self._errors.close()

    def _read(self, until: str) -> str:
        read = ""
        for line in self.process.stdout:
            read += line
            if until in line:
                break
        return read


def can_sign_in(facts: dict[str, Any], *, as_admin: bool = False) -> bool:
    """Say whether the account that the demo announced signs in the legacy way."""
    prefix = "admin_" if as_admin else ""
    answer = requests.post(
        f"{facts['base_url']}/_matrix/client/v3/login",
        json={
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": facts[f"{prefix}user_id"]},
            "password": facts[f"{prefix}password"],
        },
        timeout=30,
    )
    return answer.status_code == requests.codes.ok


def is_running(pid: int) -> bool:
    """Say whether there is such a process, dead ones that nobody buried aside."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
