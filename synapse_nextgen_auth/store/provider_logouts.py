"""Rows that say which of its sign-ins an identity provider ended a moment ago."""

from synapse_nextgen_auth.store.txn import Txn

# For how long (seconds) an answer may be on its way: as long as one waits, and what comes before.
KEPT = 900


def note(txn: Txn, provider: str, provider_session: str, *, user_id: str | None, now: int) -> None:
    """Note that a provider ended a sign-in of its own; `None` where it does not say whose."""
    txn.execute(
        "INSERT INTO nextgen_provider_logouts (provider_session, provider, user_id, ended_at)"
        " VALUES (?, ?, ?, ?)"
        " ON CONFLICT (provider_session, provider, user_id)"
        " DO UPDATE SET ended_at = excluded.ended_at",
        (provider_session, provider, user_id or "", now),
    )


def has_ended(
    txn: Txn, provider: str, provider_session: str | None, *, user_id: str | None, now: int
) -> bool:
    """Say whether a provider has ended the sign-in that an answer is of.

    With `None` for an account it is of somebody who has none yet, and any logout means them.
    """
    if provider_session is None:
        return False
    txn.execute(
        "SELECT user_id FROM nextgen_provider_logouts"
        " WHERE provider_session = ? AND provider = ? AND ended_at > ?",
        (provider_session, provider, now - KEPT),
    )
    return any(user_id is None or whose in {"", user_id} for (whose,) in txn.fetchall())
