"""The commands that ask the running server: what each takes, and how its answer reads."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from synapse_nextgen_auth.cli.running_server import CannotAsk, Refused, RunningServer
from synapse_nextgen_auth.records import frozen

Arguments = argparse.Namespace


@frozen
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


def invitation_words(answer: Mapping[str, Any]) -> str:
    """Return what is said of a new invitation: whole sentences, whatever the numbers."""
    if answer.get("has_account"):
        return f"There is an account with this address already: {answer['mailed_to']} hears of it."
    until = answer["expires_at"]
    lines = [answer["url"], f"token: {answer['token']}"]
    if answer["mailed_to"]:
        lines = [f"The invitation is on its way to {answer['mailed_to']}."]
    if answer["uses"] is None:
        lines.append("It is good as often as you like.")
    elif answer["uses"] == 1:
        lines.append("It is good once.")
    else:
        lines.append(f"It is good {answer['uses']} times.")
    if until is None:
        lines.append("It is good until it is ended.")
    else:
        lines.append(f"It is good until {_moment(until)}.")
    return "\n".join(lines)


def _invitations(answer: Mapping[str, Any]) -> str:
    rows = [("TOKEN", "STATE", "USED", "UNTIL", "FOR")]
    for each in answer["invitations"]:
        most = "" if each["uses"] is None else f"/{each['uses']}"
        until = "" if each["expires_at"] is None else _moment(each["expires_at"])
        whom = each["username"] or each["email"] or ""
        rows.append((each["token"], each["state"], f"{each['completed']}{most}", until, whom))
    return _table(rows)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _asked_invitation(asked: Arguments) -> Mapping[str, Any]:
    return {
        "username": asked.username,
        "email": asked.email,
        "send": asked.send or None,
        "text": asked.text,
        "rooms": asked.rooms,
        "uses": asked.uses,
        "seconds": asked.lifetime,
        "lang": asked.lang,
        "why": asked.why,
    }


def _factors(answer: Mapping[str, Any]) -> str:
    rows = [("ACCOUNT", "APPS", "PASSKEYS", "E-MAIL", "RECOVERY CODES", "REMOVAL")]
    rows += [
        (
            each["user_id"],
            *(str(each[kind]) for kind in ("apps", "passkeys", "mail", "recovery_codes")),
            _removal(each["lost"]),
        )
        for each in answer["accounts"]
    ]
    return _table(rows)


def _removal(lost: Mapping[str, Any] | None) -> str:
    """Say from when on the factors of an account can be removed, as somebody says that they are lost."""
    if lost is None:
        return "-"
    if lost["state"] == "ready":
        return f"until {_moment(lost['expires_at'])}"
    return f"from {_moment(lost['ready_at'])}"


def _reset(answer: Mapping[str, Any]) -> str:
    had = (
        f"authenticator apps: {answer['apps']}, passkeys: {answer['passkeys']},"
        f" codes by e-mail: {'on' if answer['mail'] else 'off'},"
        f" recovery codes: {answer['recovery_codes']}"
    )
    lines = [
        f"{answer['user_id']} has no second factor any more, and is told. Gone are {had}.",
        *(
            ["It has no password: unless a provider lets its owner in, make a set-password-link."]
            * (not answer["has_password"])
        ),
    ]
    return "\n".join(lines)


_COMMANDS = {
    "factors cancel": ServerCommand(
        "factors cancel",
        lambda asked: {"user": asked.user, "why": asked.why},
        lambda answer: f"The second factors of {answer['user_id']} stay. Whoever asked is stopped.",
    ),
    "factors list": ServerCommand("factors list", lambda _asked: {}, _factors),
    "factors reset": ServerCommand(
        "factors reset", lambda asked: {"user": asked.user, "why": asked.why}, _reset
    ),
    "invitations create": ServerCommand("invitations create", _asked_invitation, invitation_words),
    "invitations list": ServerCommand("invitations list", lambda _asked: {}, _invitations),
    "invitations end": ServerCommand(
        "invitations end",
        lambda asked: {"token": asked.token, "why": asked.why},
        lambda answer: f"Nobody comes in with {answer['token']} any more.",
    ),
    "set-password-link": ServerCommand("set-password-link", _asked_link, _link),
    "status": ServerCommand("status", lambda _asked: {}, _status),
}


def run(asked: Arguments) -> int:
    """Ask the server, say what it says, and return the exit code: 1 where it was not done."""
    act = getattr(asked, "act", None)
    command = _COMMANDS[f"{asked.command} {act}" if act else asked.command]
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
