"""What the demo says of where things are kept, and of what is left when it stops, is true."""

from pathlib import Path

import pytest

from synapse_nextgen_auth.cli.demo_words import announcement

FACTS = dict.fromkeys(
    ("base_url", "user_id", "password", "admin_user_id", "admin_password"), "something"
)


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
