"""A database with our tables, on SQLite and on PostgreSQL."""

from support.table_fixtures import (  # noqa: F401 (fixtures are found by their names)
    empty,
    make_tables,
    postgres_tables,
    shared_tables,
    tables,
    transact,
    two_accounts,
)
