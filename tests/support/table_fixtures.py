"""Fixtures for tests of rows and flows; a conftest imports what its folder needs."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from support.records import ALICE, BOB
from support.tables import KINDS, Tables

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def make_tables(request, tmp_path_factory) -> Iterator[Callable[[str], Tables]]:
    """Return a function that gives an empty database of a kind, without our tables."""
    made: list[Tables] = []
    postgres: list[dict[str, str]] = []

    def make(kind: str) -> Tables:
        if kind == "sqlite":
            made.append(Tables.on_sqlite(tmp_path_factory.mktemp("tables") / "tables.db"))
        else:
            if not postgres:
                postgres.append(request.getfixturevalue("postgres_server").create_database())
            made.append(Tables.on_postgres(postgres[0], schema=f"test_{next(_NUMBERS)}"))
        return made[-1]

    yield make
    for tables in made:
        tables.close()


@pytest.fixture(scope="session")
def shared_tables(make_tables) -> Callable[[str], Tables]:
    """Return a function that gives the session's one database of a kind with our tables."""
    made: dict[str, Tables] = {}

    def get(kind: str) -> Tables:
        if kind not in made:
            made[kind] = make_tables(kind).migrated()
        return made[kind]

    return get


@pytest.fixture(params=KINDS)
def empty(request, make_tables) -> Tables:
    """Return a database with nothing in it, once per kind."""
    return make_tables(request.param)


@pytest.fixture(params=KINDS)
def tables(request, shared_tables) -> Tables:
    """Return a database with our tables and no row in them, once per kind."""
    shared_tables(request.param).clear()
    return shared_tables(request.param)


@pytest.fixture
def postgres_tables(shared_tables) -> Tables:
    """Return the same on PostgreSQL, for what only it can show."""
    shared_tables("postgres").clear()
    return shared_tables("postgres")


@pytest.fixture
def transact(tables) -> Callable[..., Any]:
    """Return the function that runs a flow in a transaction, and proves that a retry repeats it."""
    return tables.transact


@pytest.fixture
def two_accounts(tables: Tables) -> None:
    """Give Alice and Bob a password, and no other way in."""
    with tables.begin() as txn:
        for table in ("users", "user_external_ids", "user_threepids"):
            txn.execute(f"DELETE FROM {table}")
        for name in (ALICE, BOB):
            txn.execute(
                "INSERT INTO users (name, deactivated, password_hash) VALUES (?, 0, ?)",
                (name, f"of {name}"),
            )
