"""The commands that ask the running server: what each takes, and how its answer reads."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from synapse_nextgen_auth.cli import lists
from synapse_nextgen_auth.cli.lists import Ending, Listing, Showing
from synapse_nextgen_auth.cli.running_server import CannotAsk, Refused, RunningServer
from synapse_nextgen_auth.cli.tables import moment, shown, table
from synapse_nextgen_auth.records import frozen

Arguments = argparse.Namespace


@frozen
class ServerCommand:
    """What is asked of the server with these arguments, and what is said of its answer."""

    name: str
    given: Callable[[Arguments], Mapping[str, Any]]
    say: Callable[[Mapping[str, Any]], str]

    def run(self, server: RunningServer, asked: Arguments) -> int:
        """Ask once, and say what the server says."""
        answer = server.ask(self.name, **self.given(asked))
        print(json.dumps(answer) if asked.json else self.say(answer))
        return 0


def _status(answer: Mapping[str, Any]) -> str:
    lines = [
        f"{answer['server_name']} runs synapse-nextgen-auth {answer['version']} on Synapse"
        f" {answer['synapse']}; its process {answer['process']} answered.",
        f"issuer: {answer['issuer']}",
    ]
    return "\n".join([*lines, *(["It takes no new sign-ins (drain: true)"] * answer["draining"])])


def _link(answer: Mapping[str, Any]) -> str:
    until = moment(answer["expires_at"])
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
        lines.append(f"It is good until {moment(until)}.")
    return "\n".join(lines)


def _invitations(answer: Mapping[str, Any]) -> str:
    rows = [("TOKEN", "STATE", "USED", "UNTIL", "FOR")]
    for each in answer["invitations"]:
        most = "" if each["uses"] is None else f"/{each['uses']}"
        until = "" if each["expires_at"] is None else moment(each["expires_at"])
        whom = each["username"] or each["email"] or ""
        rows.append((each["token"], each["state"], f"{each['completed']}{most}", until, whom))
    return table(rows)


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
    return table(rows)


def _removal(lost: Mapping[str, Any] | None) -> str:
    """Say from when on the factors of an account can be removed, as somebody says that they are lost."""
    if lost is None:
        return "-"
    if lost["state"] == "ready":
        return f"until {moment(lost['expires_at'])}"
    return f"from {moment(lost['ready_at'])}"


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


def _issued(answer: Mapping[str, Any]) -> str:
    until = answer["expires_at"]
    lines = [
        answer["token"],
        f"It opens {answer['scope']} of {answer['user_id']}"
        f" {'until it is ended' if until is None else f'until {moment(until)}'}.",
        "Nobody sees it again.",
    ]
    return "\n".join(lines)


def _asked_token(asked: Arguments) -> Mapping[str, Any]:
    return {
        "user": asked.user,
        "name": asked.name,
        "scopes": asked.scopes,
        "device": asked.device,
        "seconds": asked.lifetime,
        "forever": asked.forever or None,
        "why": asked.why,
    }


def _blocked(answer: Mapping[str, Any]) -> str:
    said = f"Nobody signs in at {answer['client_id']} any more."
    if answer["sessions"]:
        said += (
            f" It has {answer['sessions']} sessions, which"
            f' "sessions end --client {answer["client_id"]}" ends.'
        )
    return said


_RESET = ServerCommand(
    "factors reset", lambda asked: {"user": asked.user, "why": asked.why}, _reset
)
_SET_PASSWORD_LINK = ServerCommand("set-password-link", _asked_link, _link)
_COMMANDS: dict[str, ServerCommand | Listing | Showing | Ending] = {
    **{each.name: each for each in lists.COMMANDS},
    "clients block": ServerCommand("clients block", lists.given("client", "why"), _blocked),
    "clients unblock": ServerCommand(
        "clients unblock",
        lists.given("client", "why"),
        lambda answer: f"People sign in at {answer['client_id']} again.",
    ),
    "tokens issue": ServerCommand("tokens issue", _asked_token, _issued),
    "users recovery-link": _SET_PASSWORD_LINK,
    "users reset-factors": _RESET,
    "factors cancel": ServerCommand(
        "factors cancel",
        lambda asked: {"user": asked.user, "why": asked.why},
        lambda answer: f"The second factors of {answer['user_id']} stay. Whoever asked is stopped.",
    ),
    "factors list": ServerCommand("factors list", lambda _asked: {}, _factors),
    "factors reset": _RESET,
    "invitations create": ServerCommand("invitations create", _asked_invitation, invitation_words),
    "invitations list": ServerCommand("invitations list", lambda _asked: {}, _invitations),
    "invitations end": ServerCommand(
        "invitations end",
        lambda asked: {"token": asked.token, "why": asked.why},
        lambda answer: f"Nobody comes in with {answer['token']} any more.",
    ),
    "set-password-link": _SET_PASSWORD_LINK,
    "status": ServerCommand("status", lambda _asked: {}, _status),
}


def run(asked: Arguments) -> int:
    """Ask the server, say what it says, and return the exit code: 1 where it was not done."""
    act = getattr(asked, "act", None)
    command = _COMMANDS[f"{asked.command} {act}" if act else asked.command]
    files: list[Path] = [*(asked.config_files or ()), *(asked.more_config_files or ())]
    try:
        server = RunningServer.of(files, asked.url)
        return command.run(server, asked)
    except CannotAsk as stop:
        print("\n".join(f"* {shown(sentence)}" for sentence in stop.sentences), file=sys.stderr)
        return 1
    except Refused as stop:
        print(f"* {shown(stop)}", file=sys.stderr)
        return 1
