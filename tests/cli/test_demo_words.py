"""What the demo says of where things are kept, and of what is left when it stops, is true."""

from pathlib import Path

import pytest

from synapse_nextgen_auth.cli.demo_words import announcement, signs_in_by_password

FACTS = dict.fromkeys(
    ("base_url", "user_id", "password", "admin_user_id", "admin_password"), "something"
)


def test_a_password_is_shown_where_it_works():
    """Not where nobody signs in with one; and of an earlier run it is called that."""
    first = announcement(FACTS, Path("/d"), temporary=False)
    again = announcement(FACTS, Path("/d"), temporary=False, is_again=True)
    without = announcement(FACTS, Path("/d"), temporary=False, is_again=True, by_password=False)

    assert "Account   something   password   something" in first
    assert "changed" not in first
    assert "One that was changed since has been set back." in again
    assert "password   something" not in without
    assert "changed" not in without
    assert "Nobody signs in with a password here: password_config" in without


@pytest.mark.parametrize(
    ("settings", "is_possible"),
    [
        ({}, True),
        ({"password_config": None}, True),
        ({"password_config": {"enabled": True}}, True),
        ({"password_config": {"enabled": False}}, False),
        ({"password_config": {"enabled": "only_for_reauth"}}, False),
        ({"password_config": {"localdb_enabled": False}}, False),
    ],
)
def test_where_nobody_has_a_password_is_read_from_the_settings(settings, is_possible):
    """Those of Synapse, with what `--config` put in."""
    assert signs_in_by_password(settings) is is_possible


@pytest.mark.parametrize(
    ("temporary", "database", "words", "never"),
    [
        (True, None, ["Everything is kept in /d and removed"], ["PostgreSQL"]),
        (False, None, ["Accounts and messages are kept in /d."], ["PostgreSQL", "removed"]),
        (
            True,
            "synapse",
            [
                "Accounts and messages are kept in the PostgreSQL database synapse and stay there when",
                "files are kept in /d and removed then",
            ],
            ["Everything"],
        ),
        (
            False,
            "synapse",
            ["Accounts and messages are kept in the PostgreSQL database synapse,", "files in /d."],
            ["removed", "Everything"],
        ),
    ],
)
def test_the_words_are_true_of_the_database_in_use(temporary, database, words, never):
    """What is in PostgreSQL is not in the directory, and stays."""
    said = announcement(FACTS, Path("/d"), temporary=temporary, database=database)

    assert all(text in said for text in words), said
    assert not any(text in said for text in never), said
