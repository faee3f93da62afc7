"""The commands that ask the running server: what each takes, and how its answer reads."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from synapse_nextgen_auth.cli.running_server import CannotAsk, Refused, RunningServer

Arguments = argparse.Namespace


@attrs.frozen
class ServerCommand:
    """What is asked of the server with these arguments, and what is said of its answer."""

    name: str
    given: Callable[[Arguments], Mapping[str, Any]]
    say: Callable[[Mapping[str, Any]], str]


def _status(answer: Mapping[str, Any]) -> str:
    lines = [
        f"{answer['server_name']} runs synapse-nextgen-auth {answer['version']} on Synapse"
        f" {answer['synapse']}; its process {answer['process']} answered.",
        f"issuer: {answer['issuer']}",
    ]
    return "\n".join([*lines, *(["It takes no new sign-ins (drain: true)"] * answer["draining"])])


_COMMANDS = {
    "status": ServerCommand("status", lambda _asked: {}, _status),
}


def run(asked: Arguments) -> int:
    """Ask the server, say what it says, and return the exit code: 1 where it was not done."""
    command = _COMMANDS[asked.command]
    files: list[Path] = [*(asked.config_files or ()), *(asked.more_config_files or ())]
    try:
        server = RunningServer.of(files, asked.url)
        answer = server.ask(command.name, **command.given(asked))
    except CannotAsk as stop:
        print("\n".join(f"* {sentence}" for sentence in stop.sentences), file=sys.stderr)
        return 1
    except Refused as stop:
        print(f"* {stop}", file=sys.stderr)
        return 1
    print(json.dumps(answer) if asked.json else command.say(answer))
    return 0
