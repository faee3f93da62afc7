"""What `synapse-nextgen-auth templates` takes."""

import argparse
from pathlib import Path
from typing import Any

from synapse_nextgen_auth.cli.server_arguments import CONFIG_FILES

PORT = 8009

_TEMPLATES = """\
Look at the pages and mails as your templates make them, before anything is live: which there are,
what is wrong with them, and what they look like in a browser. No server is needed and no database is
touched.
"""

_CHECK = """\
Read every template of yours, make every mail and each page that one of them is part of with example
data, in every language in which it can come out otherwise, and compare them with ours: names that are
not there, form fields and buttons that went, links and scripts that browsers will not follow or run.
Exit code 1 if there is anything.
"""

_PREVIEW = """\
Show every page and mail in every state, with example data, to a browser on this machine. Templates are
read anew at each request, so an edit shows with the next reload. Runs until Ctrl-C.
"""


def add(commands: Any) -> None:
    """Add the command with what stands below it."""
    whose = argparse.ArgumentParser(add_help=False)
    whose.add_argument("-c", "--config-path", **CONFIG_FILES, dest="more_config_files")
    whose.add_argument(
        "--directory",
        type=Path,
        metavar="DIRECTORY",
        help="templates of yours, in the place of those that the configuration names",
    )
    templates = commands.add_parser(
        "templates", help="list, check and look at pages in your own look", description=_TEMPLATES
    )
    below = templates.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = below.add_parser(
        "list",
        parents=[whose],
        help="list every template, and which are yours",
        description="List every template and static file there is, and which of them are yours.",
    )
    listed.add_argument("--yours", action="store_true", help="list yours alone")
    listed.add_argument("--json", action="store_true", help="answer in JSON, for scripts")
    below.add_parser(
        "check",
        parents=[whose],
        help="say what is wrong with yours",
        description=_CHECK,
    )
    preview = below.add_parser(
        "preview", parents=[whose], help="show every page to a browser", description=_PREVIEW
    )
    preview.add_argument(
        "--port", type=_port, default=PORT, help=f"0 picks a free one (default: {PORT})"
    )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number up to 65535")
    return int(text)
