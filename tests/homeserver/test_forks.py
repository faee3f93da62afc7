"""The Synapses of most tests are forked; they do what one does that was started like everybody's."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from support import metrics
from support.demo import is_running
from support.synapse import sqlite_homeserver
from support.waiting import eventually
from synapse_nextgen_auth.cli import synapse_process

TESTS = Path(__file__).parents[1]


def shown(homeserver):
    """Return the names of all that a Synapse counts, of what its reactor does too."""
    lines = metrics.text(homeserver).splitlines()
    return {line.split()[2] for line in lines if line.startswith("# TYPE ")}


def test_it_counts_what_one_counts_that_was_started(tmp_path):
    """`python -m synapse.app.homeserver` on the same directory, database and port."""
    homeserver = sqlite_homeserver(tmp_path)
    homeserver.config = metrics.listening(homeserver)
    with homeserver:
        forked = shown(homeserver)
    main = homeserver.main
    started = synapse_process.start(main.configs, log_file=main.log_file)
    try:
        synapse_process.wait_until_healthy(started, port=main.port, log_file=main.log_file)
        by_command = shown(homeserver)
    finally:
        synapse_process.stop(started)

    assert forked == by_command
    assert {"python_twisted_reactor_tick_time", "python_twisted_reactor_last_seen"} <= forked


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_none_outlives_whoever_started_it(tmp_path, how):
    """A test run that is killed leaves nothing that listens."""
    run = textwrap.dedent(
        f"""
        import os
        from pathlib import Path
        from support.synapse import sqlite_homeserver

        homeserver = sqlite_homeserver(Path({str(tmp_path)!r})).start()
        print(homeserver.main.pid, flush=True)
        os.kill(os.getpid(), {int(how)})
        """
    )

    ended = subprocess.run(
        [sys.executable, "-c", run],
        cwd=TESTS,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )

    assert ended.returncode == -how, ended.stderr
    assert eventually(lambda: not is_running(int(ended.stdout)))
