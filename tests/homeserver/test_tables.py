"""Where our tables are, and what stands in them after a day of everything."""

import sqlite3
from contextlib import closing

import pytest

from support.databases import PostgresDatabase
from support.oauth import Browser, Server
from support.rows import tables
from support.television import Television, let_in
from synapse_nextgen_auth.cli.main import main

# What SQLite may keep in a column of this type.
KEPT_AS = {"TEXT": {"text", "null"}, "BIGINT": {"integer", "null"}}


def use_everything(homeserver):
    """Sign in with and without a browser, refresh, revoke, fail."""
    server, user = Server(homeserver.base_url), homeserver.new_user()
    client, browser = server.client(), Browser(server)
    tokens = client.sign_in(user.localpart, user.password, browser=browser)
    television = Television.begin(server)
    let_in(Browser(server), television, user)
    assert television.poll().status_code == 200
    renewed = client.refresh(tokens["refresh_token"])
    assert server.whoami(renewed.json()["access_token"]).status_code == 200
    server.revoke(token=tokens["refresh_token"])
    Browser.of(server, user).http.get(server.url("account"), timeout=60)
    return client, user


def test_c367_sqlite_keeps_every_value_as_what_its_column_is(sqlite_homeserver):
    """SQLite would keep a text in a column of numbers without a word, and PostgreSQL would not."""
    use_everything(sqlite_homeserver)
    ours = [name for name in tables() if name.startswith("nextgen_")]
    odd, filled = {}, set()
    with closing(sqlite3.connect(sqlite_homeserver.database.path, timeout=30)) as connection:
        for table in ours:
            for _, column, declared, *_ in connection.execute(f"PRAGMA table_info({table})"):
                kinds = connection.execute(f"SELECT DISTINCT typeof({column}) FROM {table}")
                found = {kind for (kind,) in kinds}
                filled |= {table} if found else set()
                if not found <= KEPT_AS[declared]:
                    odd[table, column] = found

    assert {"nextgen_sessions", "nextgen_grants", "nextgen_device_grants"} <= filled
    assert odd == {}


@pytest.mark.slow
def test_c354_with_several_databases_ours_are_in_the_main_one(start_homeserver, postgres_server):
    """Where Synapse's `databases` part its tables, ours stay beside accounts and devices."""
    parts = {name: PostgresDatabase.on(postgres_server) for name in ("main", "state")}
    settings = {
        "database": None,
        "databases": {
            name: {**part.section(), "data_stores": [name]} for name, part in parts.items()
        },
    }
    homeserver = start_homeserver("sqlite", config=settings)

    client, user = use_everything(homeserver)
    again = client.sign_in(user.localpart, user.password)
    found = {name: ours_in(part) for name, part in parts.items()}

    assert Server(homeserver.base_url).whoami(again["access_token"]).status_code == 200
    assert found["state"] == []
    assert "nextgen_sessions" in found["main"]
    assert main(["create-tables", str(homeserver.config_path)]) == 0
    assert {name: ours_in(part) for name, part in parts.items()} == found


def ours_in(database):
    rows = database.query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    return sorted(name for (name,) in rows if name.startswith("nextgen_"))
