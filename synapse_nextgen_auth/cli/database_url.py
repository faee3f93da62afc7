"""A database URL as Synapse's `database` section."""

from pathlib import Path

from synapse_nextgen_auth.cli.homeserver_yaml import Settings, postgres, sqlite


class DatabaseUrlError(Exception):
    """The URL cannot be used; the message says what to do."""


def database_section(url: str | None, *, directory: Path) -> Settings:
    """Return SQLite in `directory`, or PostgreSQL where a URL asks for it and one answers."""
    if url is None:
        return sqlite(directory)
    if not url.startswith(("postgresql://", "postgres://")):
        raise DatabaseUrlError(
            "--database takes a URL such as postgresql://user:password@localhost/synapse; "
            "leave it out to use SQLite"
        )
    try:
        import psycopg2.extensions  # noqa: PLC0415 - only PostgreSQL needs it
    except ImportError as error:
        raise DatabaseUrlError(
            "PostgreSQL needs the Python package psycopg2: "
            "pip install 'synapse-nextgen-auth[postgres]'"
        ) from error
    try:
        arguments = psycopg2.extensions.parse_dsn(url)
    except psycopg2.Error as error:  # whose text may repeat the password
        raise DatabaseUrlError("--database is not a valid PostgreSQL URL") from error
    try:
        psycopg2.connect(**{"connect_timeout": 10, **arguments}).close()
    except psycopg2.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise DatabaseUrlError(f"PostgreSQL cannot be reached: {reason}") from error
    return postgres(arguments)
