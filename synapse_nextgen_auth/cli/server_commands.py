"""The commands that ask the running server: what each takes, and how its answer reads."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
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


def _link(answer: Mapping[str, Any]) -> str:
    until = _moment(answer["expires_at"])
    if "mailed_to" in answer:
        return (
            f"A link for {answer['user_id']} is on its way to {answer['mailed_to']}. It sets a password"
            f" once, until {until}."
        )
    lines = [
        answer["url"],
        f"It sets the password of {answer['user_id']} once, until {until}. Whoever has it has the"
        " account: hand it on in a safe way.",
    ]
    return "\n".join(lines)


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M} UTC"


def _asked_link(asked: Arguments) -> Mapping[str, Any]:
    return {
        "user": asked.user,
        "seconds": asked.lifetime,
        "mail": asked.mail or None,
        "lang": asked.lang,
        "why": asked.why,
    }


_COMMANDS = {
    "set-password-link": ServerCommand("set-password-link", _asked_link, _link),
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
