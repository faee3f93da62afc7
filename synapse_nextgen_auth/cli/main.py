"""The command `synapse-nextgen-auth`: what it can be asked, and who does it."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from synapse_nextgen_auth import __version__
from synapse_nextgen_auth.config.durations import seconds_of
from synapse_nextgen_auth.homeserver.startup import internals
from synapse_nextgen_auth.homeserver.startup.refusal import StartRefused

_DESCRIPTION = """\
An OAuth 2.0 authorization server for Matrix, inside Synapse.

The server itself needs no command: add the module to homeserver.yaml and restart Synapse.

  modules:
    - module: synapse_nextgen_auth.NextGenAuth
"""

_DEMO = """\
Start a real Synapse with the module loaded, create two accounts, print the address and the
passwords, and run until Ctrl-C. Nothing outside its own directory is touched and only this
machine can reach it.
"""

_CHECK = """\
Load a homeserver's configuration the way Synapse does, with the module's part of it, and print
every problem found, or the settings in effect, and warnings. Nothing is started and nothing is
written.
Run it in Synapse's own Python environment, as the user that runs Synapse.
"""

_TABLES = """\
Create the module's tables in the database of this configuration. Synapse does that by itself when it
starts; the one use of this command is right before synapse_port_db, which fills only tables that are
there already. Run it in Synapse's own Python environment.
"""

_PASSWORDS = """\
Print the accounts whose passwords are kept by this module (passwords.hashing: argon2id), one a line:
each needs a new one if the module goes away. Nothing is written. Run it in Synapse's own Python
environment.
"""

_STATUS = """\
Ask the running server of this configuration which release of the module it runs: whether commands get
through to it.
"""

_LINK = """\
Make a link with which the owner of an account sets its password: one that you made, imported or that
somebody cannot get into any more. It works once, for a day, and makes earlier links of that account
worthless.
"""

_INVITATIONS = """\
Make, list and end invitations to this server. Each is a registration token with more: whom it is for,
what they read, and the rooms that they join.
"""

_FACTORS = """\
List who has second factors, and take those of somebody away who lost them: their authenticator apps,
passkeys and recovery codes. They are told, and sign in with what is left. Or stop that they are removed
because somebody asked for it at sign-in (factors.lost_wait).
"""

_DOCTOR = """\
Look at the running server of this configuration, from outside as applications and browsers see it, and
from inside: configuration and database, each process by itself, name, address and certificate,
discovery, the proxy, pages and cookies, mail, identity providers; and sign in once with an account that
is there for it alone, @nextgen-auth-doctor, closed in between. Each finding says what, where, and what
to change.
"""

_CONFIG_FILES: dict[str, Any] = {
    "action": "append",
    "type": Path,
    "metavar": "HOMESERVER.YAML",
    "help": "a file of the running server's configuration; may be repeated, as for Synapse",
}

_NO_SYNAPSE = """\
synapse-nextgen-auth: there is no Synapse in this Python environment. Install the package where
Synapse is; to try it out without one: pip install 'synapse-nextgen-auth[demo]'\
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks and return the exit code.

    Whoever reads the output may have had enough of it, as `head` does: that is no mistake to speak of
    (the Python documentation of `signal`, "Note on SIGPIPE").
    """
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Python writes out what is left as it ends, and would complain of it then.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        return 1


def _run(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.command and find_spec("synapse") is None:
        print(_NO_SYNAPSE, file=sys.stderr)
        return 1
    if asked.command == "demo":
        return _demo(asked)
    if asked.command is not None:
        return _with_synapse(_COMMANDS[asked.command], asked)
    parser.print_help()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "synapse-nextgen-auth",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_versions())
    parser.add_argument("-c", "--config-path", **_CONFIG_FILES, dest="config_files")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    check = commands.add_parser(
        "check-config", help="check a homeserver.yaml before a restart", description=_CHECK
    )
    check.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="HOMESERVER.YAML",
        help="the files, or directories of files, that Synapse is started with",
    )
    check.add_argument(
        "--database",
        action="store_true",
        help="also connect to the database: can it be reached, and do we know its tables? "
        "Nothing is written",
    )

    tables = commands.add_parser(
        "create-tables", help="prepare a database for synapse_port_db", description=_TABLES
    )
    tables.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="HOMESERVER.YAML",
        help="the configuration that names the new database",
    )

    passwords = commands.add_parser(
        "passwords", help="list who needs a new one without the module", description=_PASSWORDS
    )
    passwords.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="HOMESERVER.YAML",
        help="the files, or directories of files, that Synapse is started with",
    )

    demo = commands.add_parser(
        "demo", help="run a homeserver on this machine to try it out", description=_DEMO
    )
    demo.add_argument("--port", type=_port, default=8008, help="0 picks a free one (default: 8008)")
    demo.add_argument(
        "--directory",
        type=Path,
        help="keep everything there between runs (default: a temporary one, removed at the end)",
    )
    demo.add_argument(
        "--database", metavar="URL", help="postgresql://user:password@host/name (default: SQLite)"
    )
    demo.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="YAML to merge into homeserver.yaml, the module's own options included",
    )
    demo.add_argument(
        "--json",
        action="store_true",
        help="print one line of JSON when ready: base_url, server_name, user_id, password, "
        "admin_user_id, admin_password, registration_shared_secret, config_path, pid",
    )
    _add_server_commands(commands)
    return parser


def _add_server_commands(commands: Any) -> None:
    """Add what asks the running server."""
    asking = argparse.ArgumentParser(add_help=False)
    asking.add_argument("-c", "--config-path", **_CONFIG_FILES, dest="more_config_files")
    asking.add_argument(
        "--url", help="where the server is to be found, if not where its configuration says"
    )
    asking.add_argument("--json", action="store_true", help="answer in JSON, for scripts")

    acting = argparse.ArgumentParser(add_help=False)
    acting.add_argument(
        "--why", metavar="TEXT", help="why this is done: kept with the event that it leaves"
    )

    link = commands.add_parser(
        "set-password-link",
        parents=[asking, acting],
        help="make a link with which the owner of an account sets its password",
        description=_LINK,
    )
    link.add_argument("user", metavar="USER", help="@alice:example.com, or alice")
    link.add_argument(
        "--for",
        dest="lifetime",
        type=_lifetime,
        metavar="DURATION",
        help="how long it is good: 30m, 4h, 7d (default: recovery.link_lifetime)",
    )
    link.add_argument(
        "--mail",
        action="store_true",
        help="send it to the account's e-mail address, and print none",
    )
    link.add_argument("--lang", metavar="TAG", help="the language of the mail: en, de, ar")
    _add_invitations(commands, [asking, acting], [asking])
    _add_factors(commands, [asking, acting], [asking])
    _add_doctor(commands)
    commands.add_parser(
        "status",
        parents=[asking],
        help="ask the running server who it is",
        description=_STATUS,
    )


def _versions() -> str:
    try:
        synapse = f"Synapse {version('matrix-synapse')}"
    except PackageNotFoundError:
        synapse = "no Synapse"
    return f"synapse-nextgen-auth {__version__} ({synapse})"


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number up to 65535")
    return int(text)


def _add_invitations(commands: Any, acting: list[Any], looking: list[Any]) -> None:
    """Add what makes, lists and ends invitations."""
    invitations = commands.add_parser(
        "invitations",
        help="invite people: make, list and end invitations",
        description=_INVITATIONS,
    )
    acts = invitations.add_subparsers(dest="act", metavar="ACT", required=True)
    create = acts.add_parser("create", parents=acting, help="make an invitation")
    create.add_argument("--username", metavar="NAME", help="for this username alone")
    create.add_argument("--email", metavar="ADDRESS", help="for whoever reads this mailbox alone")
    create.add_argument("--send", action="store_true", help="send it to that mailbox")
    create.add_argument("--text", help="what whoever is invited reads")
    create.add_argument(
        "--room",
        action="append",
        dest="rooms",
        metavar="ROOM",
        help="a room that they join, by its alias or id; may be repeated",
    )
    create.add_argument(
        "--uses",
        type=int,
        metavar="N",
        help="how often it is good (default: as often as people come)",
    )
    create.add_argument(
        "--for",
        dest="lifetime",
        type=_lifetime,
        metavar="DURATION",
        help="how long it is good: 30m, 4h, 7d (default: always)",
    )
    create.add_argument("--lang", metavar="TAG", help="the language of the mail: en, de, ar")
    acts.add_parser("list", parents=looking, help="list all invitations")
    end = acts.add_parser("end", parents=acting, help="let nobody come in with one any more")
    end.add_argument("token", metavar="TOKEN")


def _add_factors(commands: Any, acting: list[Any], looking: list[Any]) -> None:
    """Add what lists and takes away second factors."""
    factors = commands.add_parser(
        "factors",
        help="second factors: who has them, and taking those away that somebody lost",
        description=_FACTORS,
    )
    acts = factors.add_subparsers(dest="act", metavar="ACT", required=True)
    acts.add_parser("list", parents=looking, help="list who has second factors")
    reset = acts.add_parser("reset", parents=acting, help="take all of an account away")
    reset.add_argument("user", metavar="USER", help="@alice:example.com, or alice")
    cancel = acts.add_parser(
        "cancel",
        parents=acting,
        help="stop that they are removed because somebody says they are lost",
    )
    cancel.add_argument("user", metavar="USER", help="@alice:example.com, or alice")


def _add_doctor(commands: Any) -> None:
    """Add what looks at everything."""
    doctor = commands.add_parser(
        "doctor", help="look at the running server from outside and inside", description=_DOCTOR
    )
    doctor.add_argument("-c", "--config-path", **_CONFIG_FILES, dest="more_config_files")
    doctor.add_argument("--json", action="store_true", help="answer in JSON, for scripts")
    doctor.add_argument(
        "--no-sign-in", action="store_true", help="look only: nothing is written anywhere"
    )
    doctor.add_argument(
        "--close",
        action="store_true",
        help="close @nextgen-auth-doctor, left open by a look that ended half-way, and do no more",
    )
    doctor.add_argument(
        "--trust", metavar="FILE", help="certificates to trust, of an authority of your own"
    )
    doctor.add_argument(
        "--well-known",
        metavar="URL",
        help="where the well-known document is, if not at https://SERVER_NAME",
    )


def _lifetime(text: str) -> int:
    seconds = seconds_of(text)
    if not seconds:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write 30m, 4h or 7d")
    return seconds


def _demo(asked: argparse.Namespace) -> int:
    from synapse_nextgen_auth.cli import demo  # noqa: PLC0415 - keeps --help quick

    return demo.run(
        demo.DemoOptions(
            port=asked.port,
            directory=asked.directory,
            database=asked.database,
            config=asked.config,
            as_json=asked.json,
        )
    )


def _with_synapse(command: Callable[[argparse.Namespace], int], asked: argparse.Namespace) -> int:
    """Run a command that imports all of Synapse; say it where this Synapse lacks what we import."""
    _say_only_what_is_ours()
    problems = internals.problems_of_imports()
    if not problems:
        return command(asked)
    print(StartRefused(problems), file=sys.stderr)
    return 1


def _say_only_what_is_ours() -> None:
    """Keep to ourselves what Synapse's libraries say to its developers while they are imported."""
    logging.captureWarnings(capture=True)
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())


def _check_config(asked: argparse.Namespace) -> int:
    from synapse_nextgen_auth.cli import check_config  # noqa: PLC0415 - imports all of Synapse

    return check_config.run(asked.files, look_into_database=asked.database)


def _create_tables(asked: argparse.Namespace) -> int:
    from synapse_nextgen_auth.cli import create_tables  # noqa: PLC0415 - imports all of Synapse

    return create_tables.run(asked.files)


def _list_passwords(asked: argparse.Namespace) -> int:
    from synapse_nextgen_auth.cli import passwords  # noqa: PLC0415 - imports all of Synapse

    return passwords.run(asked.files)


def _ask_server(asked: argparse.Namespace) -> int:
    from synapse_nextgen_auth.cli import server_commands  # noqa: PLC0415 - imports all of Synapse

    return server_commands.run(asked)


def _doctor(asked: argparse.Namespace) -> int:
    from synapse_nextgen_auth.cli.doctor import run  # noqa: PLC0415 - imports all of Synapse

    return run.run(asked)


_COMMANDS = {
    "check-config": _check_config,
    "create-tables": _create_tables,
    "passwords": _list_passwords,
    "doctor": _doctor,
    "factors": _ask_server,
    "invitations": _ask_server,
    "set-password-link": _ask_server,
    "status": _ask_server,
}


if __name__ == "__main__":
    raise SystemExit(main())
