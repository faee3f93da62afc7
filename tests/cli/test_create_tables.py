"""`create-tables`: our tables in a database that no Synapse has started on yet."""

import pytest

from support.databases import PostgresDatabase, SqliteDatabase
from support.keys import public_key
from support.synapse import Homeserver
from synapse_nextgen_auth.cli.main import main


@pytest.fixture(params=["sqlite", "postgres"])
def configured(request, tmp_path):
    """Return a homeserver that never ran: a configuration, and an empty database."""
    if request.param == "sqlite":
        database = SqliteDatabase(tmp_path)
    else:
        database = PostgresDatabase.on(request.getfixturevalue("postgres_server"))
    return never_ran(tmp_path, database)


def never_ran(directory, database):
    homeserver = Homeserver(directory, database)
    homeserver.write_config()
    (directory / "signing.key").write_text(f"ed25519 a_test {public_key()}\n")
    return homeserver


def test_the_tables_are_made_once(configured, capsys):
    """Doing it again changes nothing, whatever stands in them by then."""
    first = main(["create-tables", str(configured.config_path)])
    configured.query("INSERT INTO nextgen_consents VALUES ('@a:b', 'client', 'scope', 1)")
    second = main(["create-tables", str(configured.config_path)])

    assert (first, second) == (0, 0)
    assert configured.query("SELECT COUNT(*) FROM nextgen_consents") == [(1,)]
    assert "OK" in capsys.readouterr().out


def test_a_newer_schema_is_refused(configured, capsys):
    main(["create-tables", str(configured.config_path)])
    configured.query("INSERT INTO nextgen_schema VALUES (999, 'from the future', 0)")

    assert main(["create-tables", str(configured.config_path)]) == 1
    assert "version 999" in capsys.readouterr().out


def test_a_database_that_is_away_is_one_sentence(tmp_path, capsys):
    arguments = {"host": str(tmp_path), "user": "nobody", "dbname": "none"}
    homeserver = never_ran(tmp_path, PostgresDatabase(None, arguments))

    assert main(["create-tables", str(homeserver.config_path)]) == 1
    assert capsys.readouterr().out.startswith("* The database cannot be used: ")


def test_a_broken_configuration_says_what_is_wrong(tmp_path, capsys):
    config = tmp_path / "homeserver.yaml"
    config.write_text("server_name: [")

    assert main(["create-tables", str(config)]) == 1
    assert capsys.readouterr().out.startswith("* ")
