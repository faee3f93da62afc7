"""What the demo tells a person who has just started it."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from synapse_nextgen_auth import __version__


def announcement(
    facts: dict[str, Any], directory: Path, *, temporary: bool, database: str | None = None
) -> str:
    """Return address, accounts and what to try, in plain words.

    `database` is the name of the PostgreSQL database that was given, `None` for SQLite.
    """
    base = facts["base_url"]
    return f"""
Synapse {version("matrix-synapse")} with synapse-nextgen-auth {__version__} is running.

  Address   {base}
  Account   {facts["user_id"]}   password   {facts["password"]}
  Admin     {facts["admin_user_id"]}   password   {facts["admin_password"]}

What to try

  Sign in with a browser:
    {base}/_synapse/client/auth/

  See what a client sees first:
    curl {base}/_matrix/client/v1/auth_metadata

  Sign in with a Matrix client on this machine, with the address above as its homeserver:
    Element Web or Desktop, Fractal, iamb and every other client that signs in with OAuth 2.0,
    and older clients, which ask for name and password themselves.

{_keeping(directory, temporary=temporary, database=database)}
The log is {directory / "homeserver.log"}.
Press Ctrl-C to stop.
"""


def _keeping(directory: Path, *, temporary: bool, database: str | None) -> str:
    if temporary and database is None:
        return (
            f"Everything is kept in {directory} and removed when this stops;\n"
            "use --directory to keep accounts and messages."
        )
    if temporary:
        return (
            f"Accounts and messages are kept in the PostgreSQL database {database} and stay there when\n"
            f"this stops. Passwords, keys and files are kept in {directory} and removed then;\n"
            "use --directory to keep those, too."
        )
    if database is not None:
        return (
            f"Accounts and messages are kept in the PostgreSQL database {database},\n"
            f"passwords, keys and files in {directory}."
        )
    return f"Accounts and messages are kept in {directory}."
