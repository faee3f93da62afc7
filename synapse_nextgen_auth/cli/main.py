"""The command `synapse-nextgen-auth`: what it can be asked, and who does it."""

import argparse
import errno
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from synapse_nextgen_auth import __version__
from synapse_nextgen_auth.cli import completion, lists, server_arguments
from synapse_nextgen_auth.cli.server_arguments import CONFIG_FILES
from synapse_nextgen_auth.cli.templates import arguments as template_arguments
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

_COMPLETION = """\
Print what bash, zsh or fish needs to complete this command and what follows it. Read it in the shell's
own start file: source <(synapse-nextgen-auth completion bash)
"""

_NO_SYNAPSE = """\
synapse-nextgen-auth: there is no Synapse in this Python environment. Install the package where
Synapse is; to try it out without one: pip install 'synapse-nextgen-auth[demo]'\
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks and return the exit code.

    Whoever reads the output may have had enough of it, as `head` does: that is no mistake to speak of
    (the Python documentation of `signal`, "Note on SIGPIPE"). Nor is Ctrl-C.
    """
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return lists.INTERRUPTED
    except BrokenPipeError:
        _write_no_more()
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _write_no_more()
        print(f"* Not all of it could be written: {os.strerror(errno.ENOSPC)}", file=sys.stderr)
        return 1


def _write_no_more() -> None:
    """Let go of what is left: Python writes it out as it ends, and would complain of it then."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def _refuse_nothing(parser: argparse.ArgumentParser) -> None:
    """Take an empty argument nowhere: it is a variable of a script that was not set."""
    for action in parser._actions:  # noqa: SLF001 (argparse has no other way to what it has)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 (as above)
            for each in action.choices.values():
                _refuse_nothing(each)
        elif action.type is None and action.nargs != 0:
            action.type = _something


def _something(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("it is empty: say what is meant, or leave it out")
    return text


def _run(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.command == "completion":
        print(completion.script(parser, asked.shell))
        return 0
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
    parser.add_argument("-c", "--config-path", **CONFIG_FILES, dest="config_files")
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
    server_arguments.add(commands)
    template_arguments.add(commands)
    shells = commands.add_parser(
        "completion", help="print what a shell completes this command by", description=_COMPLETION
    )
    shells.add_argument("shell", choices=completion.SHELLS)
    _refuse_nothing(parser)
    return parser


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


def _templates(asked: argparse.Namespace) -> int:
    from synapse_nextgen_auth.cli.templates import run  # noqa: PLC0415 - imports all of Synapse

    return run.run(asked)


_COMMANDS = {
    "check-config": _check_config,
    "create-tables": _create_tables,
    "passwords": _list_passwords,
    "doctor": _doctor,
    "clients": _ask_server,
    "events": _ask_server,
    "factors": _ask_server,
    "invitations": _ask_server,
    "sessions": _ask_server,
    "set-password-link": _ask_server,
    "status": _ask_server,
    "templates": _templates,
    "tokens": _ask_server,
    "users": _ask_server,
}


if __name__ == "__main__":
    raise SystemExit(main())
