"""Whether the database of a configuration can be reached, and whether its tables are ones we know."""

from pathlib import Path

import attrs
from synapse.config.database import DatabaseConnectionConfig
from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.homeserver.database import schema
from synapse_nextgen_auth.homeserver.startup.settings import is_sqlite
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import migrations
from synapse_nextgen_auth.store.migrations import SchemaRefused


@frozen
class Looked:
    """What was seen in a database: why Synapse would not start, or how far its tables are."""

    problems: list[str] = attrs.field(factory=list)
    is_there: bool = True
    version: int | None = None
    left: int = 0


def main_database(hs_config: HomeServerConfig) -> DatabaseConnectionConfig:
    """Return the database that our tables are in."""
    databases: list[DatabaseConnectionConfig] = hs_config.database.databases
    return next(database for database in databases if "main" in database.databases)


def look(hs_config: HomeServerConfig) -> Looked:
    """Look into the database; nothing is written."""
    database = main_database(hs_config)
    name = (database.config.get("args") or {}).get("database")
    if is_sqlite(database) and not Path(str(name)).exists():
        return Looked(is_there=False)
    try:
        done, may_create = schema.state(database, hs_config.server.server_name)
        missing = migrations.outstanding(done, migrations.known())
    except SchemaRefused as refused:
        return Looked([f"database: {refused}"])
    except schema.driver_error(database) as error:
        return Looked([f"database: it cannot be used: {' '.join(str(error).split())}"])
    if missing and not may_create:
        return Looked(
            [
                "database: Synapse's user must be able to create tables in it, and may not. Let it own"
                " the database, or grant it CREATE on its schema."
            ]
        )
    return Looked(version=max(done, default=None), left=len(missing))
