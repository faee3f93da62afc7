"""Rows of personal tokens: their names. Each is swept with its session; nothing here makes a token."""

from collections.abc import Mapping, Sequence

from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn, placeholders


@frozen
class PersonalToken:
    """A personal token; times in seconds since the epoch."""

    session_id: str
    user_id: str
    name: str
    made_at: int
    expires_at: int | None = None


@frozen
class Seen:
    """When and from where somebody was here last; `at` in seconds since the epoch."""

    at: int
    address: str


_TOKENS = Table("nextgen_personal_tokens", PersonalToken)


def add(txn: Txn, personal_token: PersonalToken) -> None:
    """Insert one."""
    _TOKENS.insert(txn, personal_token)


def list_of(txn: Txn, user_id: str) -> list[PersonalToken]:
    """Return those of an account, the newest first."""
    return _TOKENS.all(txn, "WHERE user_id = ? ORDER BY made_at DESC, session_id", user_id)


def list_ending(
    txn: Txn, *, ends_after: int, ends_until: int, made_for: int, limit: int
) -> list[PersonalToken]:
    """Return some whose end comes between these, the nearest first, made for so long at least."""
    return _TOKENS.all(
        txn,
        "WHERE expires_at > ? AND expires_at <= ? AND expires_at - made_at >= ?"
        " AND EXISTS (SELECT 1 FROM nextgen_sessions AS s"
        " WHERE s.session_id = nextgen_personal_tokens.session_id AND s.ended_at IS NULL)"
        " ORDER BY expires_at, session_id LIMIT ?",
        *(ends_after, ends_until, made_for, limit),
    )


def by_sessions(txn: Txn, session_ids: Sequence[str]) -> dict[str, PersonalToken]:
    """Return those that these sessions have, by the ids of the sessions."""
    return _TOKENS.by(txn, "session_id", session_ids) if session_ids else {}


def renew(txn: Txn, session: Session, *, generation: int, expires_at: int | None) -> bool:
    """Let a session have another token in place of the one that it has; False if somebody was first."""
    txn.execute(
        "UPDATE nextgen_sessions SET generation = ?, expires_at = ?"
        " WHERE session_id = ? AND generation = ? AND ended_at IS NULL",
        (generation, expires_at, session.session_id, session.generation),
    )
    if txn.rowcount != 1:
        return False
    txn.changed.append(session.session_id)
    txn.execute(
        "UPDATE nextgen_personal_tokens SET expires_at = ? WHERE session_id = ?",
        (expires_at, session.session_id),
    )
    return True


def forget(txn: Txn, user_id: str) -> None:
    """Forget what those of an account are called, as it is closed; their sessions are over."""
    txn.execute("DELETE FROM nextgen_personal_tokens WHERE user_id = ?", (user_id,))


def last_seen(txn: Txn, user_id: str, surrogates: Sequence[str]) -> Mapping[str, Seen]:
    """Return where sessions of an account were used last, by what Synapse knows each by.

    Synapse forgets that after some weeks (`user_ips_max_age`).
    """
    marks = placeholders(surrogates)
    txn.execute(
        "SELECT access_token, last_seen, ip FROM user_ips"
        f" WHERE user_id = ? AND access_token IN ({marks}) ORDER BY last_seen",
        (user_id, *surrogates),
    )
    return {str(name): Seen(int(at) // 1000, str(ip)) for name, at, ip in txn.fetchall()}
