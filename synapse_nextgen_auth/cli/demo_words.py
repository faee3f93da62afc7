"""What the demo tells a person who has just started it."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from synapse_nextgen_auth import __version__


def announcement(
    facts: dict[str, Any],
    directory: Path,
    *,
    temporary: bool,
    database: str | None = None,
    by_password: bool = True,
    is_again: bool = False,
) -> str:
    """Return address, accounts and what to try, in plain words.

    `database` is the name of the PostgreSQL database that was given, `None` for SQLite. `by_password`
    says whether anybody signs in so, `is_again` that the accounts are those of an earlier run.
    """
    base = facts["base_url"]
    password, admin_password = (
        f"   password   {facts[name]}" if by_password else ""
        for name in ("password", "admin_password")
    )
    return f"""
Synapse {version("matrix-synapse")} with synapse-nextgen-auth {__version__} is running.

  Address   {base}
  Account   {facts["user_id"]}{password}
  Admin     {facts["admin_user_id"]}{admin_password}
{_about_passwords(by_password=by_password, is_again=is_again)}
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


def signs_in_by_password(settings: Mapping[str, Any]) -> bool:
    """Say whether Synapse lets people sign in with the passwords that it keeps."""
    options = settings.get("password_config") or {}
    return options.get("enabled", True) is True and bool(options.get("localdb_enabled", True))


def _about_passwords(*, by_password: bool, is_again: bool) -> str:
    if not by_password:
        return "\nNobody signs in with a password here: password_config does not let them.\n"
    if is_again:
        return (
            "\nThe passwords are those of the first start."
            " One that was changed since has been set back.\n"
        )
    return ""


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
