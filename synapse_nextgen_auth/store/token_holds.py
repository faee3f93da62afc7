"""Rows of registration tokens that sign-ups hold; the tables of the tokens themselves are Synapse's.

Synapse counts a token as `pending` from the moment that somebody gives it until an account comes of it,
or until it deletes their session, two days later. Whether it is counted for a session stands in the
result of that session's stage: the token, or `true` once it was used. So one conditional write of that
row decides, and the counts follow from it in the same transaction.
"""

import json

from synapse_nextgen_auth.accounts.attempts.attempt import LIFETIME
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

STAGE = "m.login.registration_token"
_MANY = 100
_LONGEST = LIFETIME + SKEW


@frozen
class Hold:
    """A session of Synapse's that may hold a token, whose it is, and until when, in seconds."""

    ui_auth_session: str
    browser: str
    expires_at: int


_HOLDS = Table("nextgen_token_holds", Hold)


def hold(txn: Txn, held: Hold, token: str) -> None:
    """Note that a session holds a token that was just counted for it, in the same transaction.

    Synapse writes the same result of the stage a moment later, and could fail before that.
    """
    _HOLDS.insert(txn, held)
    txn.execute(
        "INSERT INTO ui_auth_sessions_credentials (session_id, stage_type, result) VALUES (?, ?, ?)",
        (held.ui_auth_session, STAGE, json.dumps(token)),
    )


def keep_until(txn: Txn, session_id: str, *, now: int, expires_at: int) -> bool:
    """Let a session hold its token while the account is made; False when it was given back."""
    txn.execute(
        "UPDATE nextgen_token_holds SET expires_at ="
        " CASE WHEN expires_at > ? THEN expires_at ELSE ? END"
        " WHERE ui_auth_session = ? AND expires_at > ?",
        (expires_at, expires_at, session_id, now),
    )
    return txn.rowcount == 1


def list_over(txn: Txn, *, now: int) -> list[str]:
    """Return sessions whose time is over, or lies further ahead than it honestly may."""
    found = _HOLDS.all(
        txn,
        "WHERE expires_at <= ? OR expires_at > ? ORDER BY expires_at LIMIT ?",
        *(now, now + _LONGEST, _MANY),
    )
    return [each.ui_auth_session for each in found]


def free(txn: Txn, browser: str, token: str) -> None:
    """Give back this token where the same browser holds it, in a sign-up that it began before."""
    for each in _HOLDS.all(txn, "WHERE browser = ?", browser):
        if _held(txn, each.ui_auth_session) == json.dumps(token):
            give_back(txn, each.ui_auth_session)


def give_back(txn: Txn, session_id: str) -> None:
    """Let somebody else have the token of a session, once."""
    result = _held(txn, session_id)
    if result is not None:
        txn.execute(
            "DELETE FROM ui_auth_sessions_credentials"
            " WHERE session_id = ? AND stage_type = ? AND result = ?",
            (session_id, STAGE, result),
        )
        if txn.rowcount == 1:
            txn.execute(
                "UPDATE registration_tokens SET pending = pending - 1"
                " WHERE token = ? AND pending > 0",
                (json.loads(result),),
            )
    txn.execute("DELETE FROM nextgen_token_holds WHERE ui_auth_session = ?", (session_id,))


def forget_stage(txn: Txn, session_id: str, stage: str) -> None:
    """Take out of a session what it says of a stage that is to be gone through once more."""
    txn.execute(
        "DELETE FROM ui_auth_sessions_credentials WHERE session_id = ? AND stage_type = ?",
        (session_id, stage),
    )


def use(txn: Txn, session_id: str) -> str | None:
    """Count the token of a session as used, once: its account is about to be made; return the token.

    `None` where none is held any more, and where it was used before. From now on nobody gives it back.
    """
    result = _held(txn, session_id)
    if result is None:
        return None
    txn.execute(
        "UPDATE ui_auth_sessions_credentials SET result = ?"
        " WHERE session_id = ? AND stage_type = ? AND result = ?",
        ("true", session_id, STAGE, result),
    )
    if txn.rowcount != 1:
        return None
    txn.execute("DELETE FROM nextgen_token_holds WHERE ui_auth_session = ?", (session_id,))
    token = str(json.loads(result))
    txn.execute(
        "UPDATE registration_tokens SET completed = completed + 1, pending = pending - 1"
        " WHERE token = ?",
        (token,),
    )
    return token


def take_back(txn: Txn, held: Hold, token: str) -> None:
    """Let a session hold a token again that was counted as used: no account came of it."""
    txn.execute(
        "UPDATE ui_auth_sessions_credentials SET result = ?"
        " WHERE session_id = ? AND stage_type = ? AND result = ?",
        (json.dumps(token), held.ui_auth_session, STAGE, "true"),
    )
    if txn.rowcount == 1:
        txn.execute(
            "UPDATE registration_tokens SET completed = completed - 1, pending = pending + 1"
            " WHERE token = ?",
            (token,),
        )
        _HOLDS.insert(txn, held)


def _held(txn: Txn, session_id: str) -> str | None:
    """Return the result of the stage as it stands there, `None` where no token is held."""
    txn.execute(
        "SELECT result FROM ui_auth_sessions_credentials WHERE session_id = ? AND stage_type = ?",
        (session_id, STAGE),
    )
    row = txn.fetchone()
    return str(row[0]) if row and isinstance(json.loads(row[0]), str) else None
