"""`passwords`: who needs a new one without the module."""

from support.databases import SqliteDatabase
from support.synapse import Homeserver
from synapse_nextgen_auth.cli.main import main

ARGON2ID = {"passwords": {"hashing": "argon2id", "argon2_memory": 64, "argon2_iterations": 1}}


def test_those_whose_password_is_ours_are_listed(tmp_path, capsys):
    """Not those who have another one by now, nor those who never had one of ours."""
    homeserver = Homeserver(tmp_path, SqliteDatabase(tmp_path), module=ARGON2ID)
    with homeserver:
        ours, other = homeserver.new_user(), homeserver.new_user()
        homeserver.query(
            "UPDATE users SET password_hash = 'from elsewhere' WHERE name = ?", other.user_id
        )

    code = main(["passwords", str(homeserver.config_path)])

    assert (code, capsys.readouterr().out.split()) == (0, [ours.user_id])


def test_a_database_that_is_not_there_is_one_sentence(tmp_path, capsys):
    homeserver = Homeserver(tmp_path, SqliteDatabase(tmp_path))
    homeserver.write_config()

    code = main(["passwords", str(homeserver.config_path)])

    assert code == 1
    assert capsys.readouterr().out.startswith("* ")
