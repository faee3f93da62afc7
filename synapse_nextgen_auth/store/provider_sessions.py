"""Rows that say which sign-ins of identity providers our sign-ins ever came from."""

from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.store.txn import Txn


def note(txn: Txn, sign_in: SignIn) -> None:
    """Note how the provider of a sign-in that has just begun, or was renewed, calls its own."""
    txn.execute(
        "INSERT INTO nextgen_provider_sessions"
        " (provider_session, provider, user_id, sign_in_id, noted_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (provider_session, provider, user_id, sign_in_id)"
        " DO UPDATE SET noted_at = excluded.noted_at",
        (
            *(sign_in.provider_session, sign_in.provider),
            *(sign_in.user_id, sign_in.name, sign_in.signed_in_at),
        ),
    )


def latest(txn: Txn, user_id: str, name: str) -> tuple[str, str] | None:
    """Return the provider that last let a sign-in begin or go on, and what it calls its own."""
    txn.execute(
        "SELECT provider, provider_session FROM nextgen_provider_sessions"
        " WHERE user_id = ? AND sign_in_id = ?"
        " ORDER BY noted_at DESC, provider, provider_session LIMIT 1",
        (user_id, name),
    )
    row = txn.fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def list_begun(txn: Txn, provider: str, provider_session: str) -> list[tuple[str, str]]:
    """Return account and name of each sign-in that came from this one, living or over."""
    txn.execute(
        "SELECT user_id, sign_in_id FROM nextgen_provider_sessions"
        " WHERE provider_session = ? AND provider = ? ORDER BY user_id, sign_in_id",
        (provider_session, provider),
    )
    return [(str(user_id), str(name)) for user_id, name in txn.fetchall()]
