"""`synapse-nextgen-auth passwords`: whose passwords only this module can check.

Without it they are wrong, and each of these accounts needs a new one. Nothing is written.
"""

from collections.abc import Sequence
from pathlib import Path

from synapse_nextgen_auth.cli import check_config
from synapse_nextgen_auth.cli.database_check import main_database
from synapse_nextgen_auth.homeserver.database import schema
from synapse_nextgen_auth.store import passwords


def run(paths: Sequence[Path]) -> int:
    """Print the accounts, one a line, and return the exit code."""
    hs_config, problems = check_config.load(paths)
    if hs_config is None:
        print("\n".join(f"* {problem}" for problem in problems))
        return 1
    database = main_database(hs_config)
    try:
        with schema.reading(database, hs_config.server.server_name) as cursor:
            for user_id in passwords.list_kept(cursor):
                print(user_id)
    except schema.driver_error(database) as error:
        print(f"* The database cannot be used: {str(error).strip()}")
        return 1
    return 0
