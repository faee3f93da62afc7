"""Rows that say in which browser a session without a device began."""

from synapse_nextgen_auth.store.txn import Txn


def add(txn: Txn, session_id: str, *, browser: str, now: int) -> None:
    """Note in which browser a session began."""
    txn.execute(
        "INSERT INTO nextgen_session_browsers (session_id, browser, noted_at) VALUES (?, ?, ?)",
        (session_id, browser, now),
    )


def list_living(txn: Txn, browser: str, *, user_id: str, client_id: str) -> list[str]:
    """Return the living sessions that a client began for this account in this browser."""
    txn.execute(
        "SELECT s.session_id FROM nextgen_session_browsers AS b"
        " JOIN nextgen_sessions AS s ON s.session_id = b.session_id"
        " WHERE b.browser = ? AND s.user_id = ? AND s.client_id = ? AND s.ended_at IS NULL"
        " ORDER BY s.session_id",
        (browser, user_id, client_id),
    )
    return [str(row[0]) for row in txn.fetchall()]


def remove(txn: Txn, session_id: str) -> None:
    """Forget in which browser a session began that is over."""
    txn.execute("DELETE FROM nextgen_session_browsers WHERE session_id = ?", (session_id,))
