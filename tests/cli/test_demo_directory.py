"""What a demo keeps between runs, and who may read it."""

import stat

from synapse_nextgen_auth.cli import demo_directory
from synapse_nextgen_auth.cli.accounts import memorable_password


def test_secrets_and_passwords_are_drawn_once_per_directory(tmp_path):
    first = demo_directory.kept(tmp_path)
    other = tmp_path / "other"
    other.mkdir()

    assert demo_directory.kept(tmp_path) == first
    assert demo_directory.kept(other) != first
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
    assert first.account.password not in repr(first)


def test_a_database_is_known_after_it_was_served(tmp_path):
    database = {"name": "psycopg2", "args": {"password": "geheim"}}
    demo_directory.note_served(tmp_path, database)

    assert demo_directory.has_served(tmp_path, database)
    assert not demo_directory.has_served(tmp_path, {**database, "name": "sqlite3"})
    assert not any("geheim" in path.read_text() for path in tmp_path.iterdir())


def test_a_lent_directory_is_private_and_goes_with_everything_in_it():
    with demo_directory.opened(None) as directory:
        (directory / "deep").mkdir()
        (directory / "deep" / "file").touch()

        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert not directory.exists()


def test_a_chosen_directory_is_made_and_stays(tmp_path):
    with demo_directory.opened(tmp_path / "a" / "b") as directory:
        assert directory.is_dir()
    assert directory.exists()


def test_passwords_can_be_read_out():
    drawn = {memorable_password() for _ in range(100)}

    assert len(drawn) == 100
    assert all(len(password) == 19 and password.count("-") == 3 for password in drawn)
