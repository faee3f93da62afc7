"""What those commands take that list what is on the server, show it, and end some of it."""

import argparse
from collections.abc import Callable
from typing import Any

from synapse_nextgen_auth.config.durations import seconds_of

_SESSIONS = """\
List the sessions of all accounts, show one, and end some. A filter that would end all of them does not,
unless you say --all.
"""

_TOKENS = """\
List personal tokens, show one, end some, and issue one for an account: for a bot that you run.
"""

_CLIENTS = """\
List the applications that registered here or stand in the configuration, show one, and block one:
nobody signs in there any more, and what is signed in cannot go on.
"""

_USERS = """\
List accounts and show one with all that it has here; make a link with which its owner sets a password,
and take its second factors away.
"""

_EVENTS = """\
List what happened, the newest first: sign-ins, sessions, changes of passwords and second factors, and
what administrators and commands did.
"""

USER = "@alice:example.com, or alice"


def lifetime(text: str) -> int:
    """Read a duration as people write it."""
    seconds = seconds_of(text)
    if not seconds:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write 30m, 4h or 7d")
    return seconds


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return int(text)


def add(
    commands: Any,
    asking: argparse.ArgumentParser,
    acting: argparse.ArgumentParser,
    add_link_options: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Add them; `asking` is what each takes, `acting` what those take that change something."""
    lists = argparse.ArgumentParser(add_help=False)
    lists.add_argument(
        "--limit", type=_count, default=100, metavar="N", help="how many (default: 100; 0: all)"
    )
    looking, doing = [asking], [asking, acting]
    _add_sessions(commands, looking, doing, lists)
    _add_tokens(commands, looking, doing, lists)
    _add_clients(commands, looking, doing, lists)
    _add_users(commands, looking, doing, lists, add_link_options)
    _add_events(commands, looking, lists)


def _acts(commands: Any, name: str, help_: str, description: str) -> Any:
    parser = commands.add_parser(name, help=help_, description=description)
    return parser.add_subparsers(dest="act", metavar="ACT", required=True)


def _filters(*, of_tokens: bool = False) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--user", metavar="USER", help=f"of this account: {USER}")
    if not of_tokens:
        parser.add_argument(
            "--client",
            action="append",
            dest="clients",
            metavar="ID",
            help="of this application; may be repeated",
        )
    parser.add_argument(
        "--scope",
        action="append",
        dest="scopes",
        metavar="WORD",
        help="whose scope has this word, such as urn:synapse:admin:*; may be repeated",
    )
    parser.add_argument("--address", metavar="IP", help="last used from this network address")
    parser.add_argument(
        "--idle", type=lifetime, metavar="DURATION", help="not used for so long: 90d"
    )
    parser.add_argument(
        "--older", type=lifetime, metavar="DURATION", help="that began longer ago than this"
    )
    parser.add_argument(
        "--younger", type=lifetime, metavar="DURATION", help="that began within this time"
    )
    parser.add_argument("--device", choices=("with", "without"), help="with or without a device")
    return parser


def _add_lists_of_sessions(
    acts: Any, what: str, looking: list[Any], lists: Any, filters: argparse.ArgumentParser
) -> None:
    listing = acts.add_parser("list", parents=[*looking, lists, filters], help=f"list {what}")
    listing.add_argument(
        "--state", choices=("living", "over", "all"), help="whether they go on (default: living)"
    )
    show = acts.add_parser("show", parents=looking, help="show one")
    show.add_argument("session", metavar="ID")


def _add_end(acts: Any, what: str, doing: list[Any], filters: argparse.ArgumentParser) -> None:
    end = acts.add_parser("end", parents=[*doing, filters], help="end one, or those of a filter")
    end.add_argument("session", nargs="?", metavar="ID")
    end.add_argument(
        "--dry-run", action="store_true", help=f"say how many {what} that would be, and end none"
    )
    end.add_argument("--yes", action="store_true", help="do not ask whether that is meant")
    end.add_argument("--all", action="store_true", help="also where that ends all there are")


def _add_sessions(commands: Any, looking: list[Any], doing: list[Any], lists: Any) -> None:
    acts = _acts(commands, "sessions", "sessions of all accounts: list, show, end", _SESSIONS)
    _add_lists_of_sessions(acts, "sessions", looking, lists, _filters())
    _add_end(acts, "sessions", doing, _filters())


def _add_tokens(commands: Any, looking: list[Any], doing: list[Any], lists: Any) -> None:
    acts = _acts(commands, "tokens", "personal tokens: list, show, issue, end", _TOKENS)
    _add_lists_of_sessions(acts, "personal tokens", looking, lists, _filters(of_tokens=True))
    _add_end(acts, "tokens", doing, _filters(of_tokens=True))
    issue = acts.add_parser("issue", parents=doing, help="make one for an account, and print it")
    issue.add_argument("user", metavar="USER", help=USER)
    issue.add_argument("--name", required=True, metavar="NAME", help="what its owner sees it as")
    issue.add_argument(
        "--scope",
        action="append",
        dest="scopes",
        required=True,
        metavar="WORD",
        help="what it opens, such as urn:matrix:client:api:*; may be repeated",
    )
    issue.add_argument(
        "--device",
        metavar="ID",
        help="new, none or the id of a device, on which whoever was there is signed out"
        " (default: new where the scope takes one)",
    )
    until = issue.add_mutually_exclusive_group()
    until.add_argument(
        "--for",
        dest="lifetime",
        type=lifetime,
        metavar="DURATION",
        help="how long it is good: 7d, 1y (default: 30d)",
    )
    until.add_argument("--forever", action="store_true", help="until somebody ends it")


def _add_clients(commands: Any, looking: list[Any], doing: list[Any], lists: Any) -> None:
    acts = _acts(commands, "clients", "applications: list, show, block", _CLIENTS)
    listing = acts.add_parser("list", parents=[*looking, lists], help="list applications")
    listing.add_argument("--search", metavar="TEXT", help="with this in what they registered")
    listing.add_argument(
        "--use", choices=("used", "unused"), help="with or without a session that lives"
    )
    show = acts.add_parser("show", parents=looking, help="show one")
    show.add_argument("client", metavar="ID")
    for name, help_ in (
        ("block", "let nobody sign in there any more"),
        ("unblock", "let people sign in there again"),
    ):
        parser = acts.add_parser(name, parents=doing, help=help_)
        parser.add_argument("client", metavar="ID")


def _add_users(
    commands: Any,
    looking: list[Any],
    doing: list[Any],
    lists: Any,
    add_link_options: Callable[[argparse.ArgumentParser], None],
) -> None:
    acts = _acts(commands, "users", "accounts: list, show, and help their owners", _USERS)
    listing = acts.add_parser("list", parents=[*looking, lists], help="list accounts")
    listing.add_argument("--search", metavar="TEXT", help="with this in their names")
    listing.add_argument("--admin", action="store_true", help="administrators alone")
    listing.add_argument(
        "--state",
        choices=("active", "locked", "deactivated", "all"),
        help="what became of them (default: active)",
    )
    show = acts.add_parser("show", parents=looking, help="show one, and all that it has here")
    show.add_argument("user", metavar="USER", help=USER)
    link = acts.add_parser(
        "recovery-link", parents=doing, help="make a link with which its owner sets a password"
    )
    add_link_options(link)
    reset = acts.add_parser(
        "reset-factors", parents=doing, help="take its second factors away: their owner lost them"
    )
    reset.add_argument("user", metavar="USER", help=USER)


def _add_events(commands: Any, looking: list[Any], lists: Any) -> None:
    acts = _acts(commands, "events", "what happened: list and export", _EVENTS)
    listing = acts.add_parser("list", parents=[*looking, lists], help="list events")
    listing.add_argument("--user", metavar="USER", help=f"of this account: {USER}")
    listing.add_argument("--client", metavar="ID", help="of this application")
    listing.add_argument("--session", metavar="ID", help="of this session")
    listing.add_argument(
        "--kind",
        action="append",
        dest="kinds",
        metavar="KIND",
        help="of this kind; may be repeated",
    )
    listing.add_argument(
        "--younger", type=lifetime, metavar="DURATION", help="within this time: 24h"
    )
    listing.add_argument("--older", type=lifetime, metavar="DURATION", help="longer ago than this")
    listing.add_argument(
        "--lines", action="store_true", help="answer in JSON, an event a line, as they come"
    )
