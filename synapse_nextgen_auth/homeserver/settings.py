"""Settings of Synapse under which the module cannot work, and those that an operator hardly means."""

from collections.abc import Iterator, Mapping

from synapse.config.database import DatabaseConnectionConfig
from synapse.config.homeserver import HomeServerConfig

NO_PASSWORDS = (
    "signing in with a password is switched off, and they offer no other way. Set"
    " password_config.enabled and password_config.localdb_enabled to true, or add a module that"
    " checks passwords. Applications that see this module offer no other way to sign in, either."
)


def unusable(hs_config: HomeServerConfig) -> list[str]:
    """Return the settings under which the module would start and then fail at every request."""
    return list(_memory(hs_config))


def _memory(hs_config: HomeServerConfig) -> Iterator[str]:
    """Each connection to such a database has one of its own: our tables would be in another one."""
    for database in hs_config.database.databases:
        if is_sqlite(database) and _is_in_memory(database.config.get("args") or {}):
            yield (
                "database.args.database names an SQLite database in memory, which ends with its"
                " connection: the tables of this module would not be in the one that Synapse uses."
                " Name a file, like /var/lib/matrix-synapse/homeserver.db, or use PostgreSQL."
            )


def is_sqlite(database: DatabaseConnectionConfig) -> bool:
    """Say whether this database is SQLite's, as it is where nothing is said."""
    return bool(database.config.get("name", "sqlite3") == "sqlite3")


def _is_in_memory(arguments: Mapping[str, object]) -> bool:
    name = str(arguments.get("database") or "")
    # An empty name is a temporary file of one connection (sqlite.org/inmemorydb.html).
    return not name or ":memory:" in name or (name.startswith("file:") and "mode=memory" in name)
