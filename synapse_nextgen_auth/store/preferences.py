"""Rows of what people chose for how they read."""

from synapse_nextgen_auth.accounts.preferences import Preferences
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_PREFERENCES = Table("nextgen_preferences", Preferences)


def get(txn: Txn, user_id: str) -> Preferences | None:
    """Return what was chosen for an account."""
    return _PREFERENCES.one(txn, "WHERE user_id = ?", user_id)


def choose_language(txn: Txn, user_id: str, language: str | None, *, now: int) -> None:
    """Let an account be in this language, or in whatever its browsers say."""
    txn.execute(
        "INSERT INTO nextgen_preferences (user_id, language, changed_at) VALUES (?, ?, ?)"
        " ON CONFLICT (user_id) DO UPDATE"
        " SET language = EXCLUDED.language, changed_at = EXCLUDED.changed_at",
        (user_id, language, now),
    )


def choose_time_zone(txn: Txn, user_id: str, time_zone: str | None, *, now: int) -> None:
    """Let an account see times as they are there, or as the server says."""
    txn.execute(
        "INSERT INTO nextgen_preferences (user_id, time_zone, changed_at) VALUES (?, ?, ?)"
        " ON CONFLICT (user_id) DO UPDATE"
        " SET time_zone = EXCLUDED.time_zone, changed_at = EXCLUDED.changed_at",
        (user_id, time_zone, now),
    )


def note_read(txn: Txn, user_id: str, language: str, *, now: int) -> None:
    """Remember in which language somebody signed in: nobody knows better until they choose one."""
    txn.execute(
        "INSERT INTO nextgen_preferences (user_id, last_language, changed_at) VALUES (?, ?, ?)"
        " ON CONFLICT (user_id) DO UPDATE SET last_language = EXCLUDED.last_language",
        (user_id, language, now),
    )


def forget(txn: Txn, user_id: str) -> None:
    """Take the row of an account out."""
    txn.execute("DELETE FROM nextgen_preferences WHERE user_id = ?", (user_id,))
