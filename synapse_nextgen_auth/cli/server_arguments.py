"""What the commands that ask the running server take."""

import argparse
from pathlib import Path
from typing import Any

from synapse_nextgen_auth.cli import list_arguments
from synapse_nextgen_auth.cli.list_arguments import USER, lifetime

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

CONFIG_FILES: dict[str, Any] = {
    "action": "append",
    "type": Path,
    "metavar": "HOMESERVER.YAML",
    "help": "a file of the running server's configuration; may be repeated, as for Synapse",
}


def add(commands: Any) -> None:
    """Add what asks the running server."""
    asking = argparse.ArgumentParser(add_help=False)
    asking.add_argument("-c", "--config-path", **CONFIG_FILES, dest="more_config_files")
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
    _add_link_options(link)
    list_arguments.add(commands, asking, acting, _add_link_options)
    _add_invitations(commands, [asking, acting], [asking])
    _add_factors(commands, [asking, acting], [asking])
    _add_doctor(commands)
    commands.add_parser(
        "status",
        parents=[asking],
        help="ask the running server who it is",
        description=_STATUS,
    )


def _add_link_options(link: argparse.ArgumentParser) -> None:
    link.add_argument("user", metavar="USER", help=USER)
    link.add_argument(
        "--for",
        dest="lifetime",
        type=lifetime,
        metavar="DURATION",
        help="how long it is good: 30m, 4h, 7d (default: recovery.link_lifetime)",
    )
    link.add_argument(
        "--mail",
        action="store_true",
        help="send it to the account's e-mail address, and print none",
    )
    link.add_argument("--lang", metavar="TAG", help="the language of the mail, such as de or pt-BR")


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
        type=lifetime,
        metavar="DURATION",
        help="how long it is good: 30m, 4h, 7d (default: always)",
    )
    create.add_argument(
        "--lang", metavar="TAG", help="the language of the mail, such as de or pt-BR"
    )
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
    reset.add_argument("user", metavar="USER", help=USER)
    cancel = acts.add_parser(
        "cancel",
        parents=acting,
        help="stop that they are removed because somebody says they are lost",
    )
    cancel.add_argument("user", metavar="USER", help=USER)


def _add_doctor(commands: Any) -> None:
    """Add what looks at everything."""
    doctor = commands.add_parser(
        "doctor", help="look at the running server from outside and inside", description=_DOCTOR
    )
    doctor.add_argument("-c", "--config-path", **CONFIG_FILES, dest="more_config_files")
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
