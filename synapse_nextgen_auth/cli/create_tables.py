"""`synapse-nextgen-auth create-tables`: make our tables where `synapse_port_db` is about to fill them.

It copies only tables that it finds in both databases, and makes none but Synapse's own.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from synapse_nextgen_auth.cli import check_config
from synapse_nextgen_auth.cli.database_check import main_database
from synapse_nextgen_auth.homeserver.database import schema
from synapse_nextgen_auth.store.migrations import SchemaRefused


def run(paths: Sequence[Path]) -> int:
    """Create the tables in the database of this configuration and return the exit code."""
    hs_config, problems = check_config.load(paths)
    if hs_config is None:
        print("\n".join(f"* {problem}" for problem in problems))
        return 1
    database = main_database(hs_config)
    try:
        schema.apply(database, hs_config.server.server_name, now=int(time.time()))
    except SchemaRefused as refused:
        print(f"* {refused}")
        return 1
    except schema.driver_error(database) as error:
        print(f"* The database cannot be used: {str(error).strip()}")
        return 1
    print("OK: the tables are there, and empty if they were not there before.")
    return 0
