"""Registration tokens, as an administrator lists them: by the token.

Synapse has no revoked ones. One that is revoked has been over since 1970, and a mark beside it says
until when it was good before. Whoever sets another time by Synapse's own API takes it back by that.
"""

from typing import Any

import attrs

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import marks
from synapse_nextgen_auth.store.marks import Mark
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window

# What stands in Synapse's table of one that is revoked, in milliseconds; to Synapse 0 is no time.
OVER = 1


@frozen
class RegistrationToken:
    """A token; `expires_at` in milliseconds as Synapse has it, `revoked_at` in seconds."""

    token: str = attrs.field(repr=False)
    uses_allowed: int | None
    pending: int
    completed: int
    expires_at: int | None
    revoked_at: int | None = None

    def is_valid(self, now: int) -> bool:
        """Say whether somebody can sign up with it."""
        if self.revoked_at is not None:
            return False
        if self.uses_allowed and self.pending + self.completed >= self.uses_allowed:
            return False
        return self.expires_at is None or self.expires_at >= now * 1000


@frozen
class Wanted:
    """Which tokens; what is `None` does not matter."""

    used: bool | None = None
    revoked: bool | None = None
    expired: bool | None = None
    valid: bool | None = None


_COLUMNS = "r.token, r.uses_allowed, r.pending, r.completed, r.expiry_time, m.since, m.former"
_FROM = (
    "FROM registration_tokens AS r LEFT JOIN nextgen_marks AS m"
    " ON m.subject = r.token AND m.mark = 'revoked' AND r.expiry_time = 1"
)
# To Synapse 0 is no limit, and no time.
_EXPIRES = "NULLIF(CASE WHEN m.since IS NULL THEN r.expiry_time ELSE m.former END, 0)"
_EXPIRED = f"({_EXPIRES} IS NOT NULL AND {_EXPIRES} < ?)"


def list_tokens(txn: Txn, wanted: Wanted, window: Window, *, now: int) -> list[RegistrationToken]:
    """Return a page of tokens, and one more where there are more."""
    where, given = _where(wanted, now)
    within, ends = window.where("r.token")
    txn.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE {where} AND {within} {window.order('r.token')}",
        [*given, *ends],
    )
    return [_read(row) for row in txn.fetchall()]


def count(txn: Txn, wanted: Wanted, *, now: int) -> int:
    """Return how many tokens that are."""
    where, given = _where(wanted, now)
    txn.execute(f"SELECT COUNT(*) {_FROM} WHERE {where}", given)
    return int(txn.fetchone()[0])


def get(txn: Txn, token: str) -> RegistrationToken | None:
    """Return a token."""
    txn.execute(f"SELECT {_COLUMNS} {_FROM} WHERE r.token = ?", (token,))
    row = txn.fetchone()
    return None if row is None else _read(row)


def set_end(txn: Txn, token: str, expires_at: int | None) -> bool:
    """Let a token be good until then (milliseconds), or for ever; False where there is none."""
    txn.execute(
        "UPDATE registration_tokens SET expiry_time = ? WHERE token = ?", (expires_at, token)
    )
    return txn.rowcount == 1


def set_limit(txn: Txn, token: str, uses_allowed: int | None) -> None:
    """Let so many people use a token, or any number."""
    txn.execute(
        "UPDATE registration_tokens SET uses_allowed = ? WHERE token = ?", (uses_allowed, token)
    )


def revoke(txn: Txn, token: RegistrationToken, *, now: int) -> None:
    """Let nobody use a token any more."""
    marks.put(txn, Mark.REVOKED, token.token, former=token.expires_at, now=now)
    set_end(txn, token.token, OVER)


def restore(txn: Txn, token: RegistrationToken) -> None:
    """Let a token be good as it was before it was revoked."""
    marks.take(txn, Mark.REVOKED, token.token)
    set_end(txn, token.token, token.expires_at)


def set_former_end(txn: Txn, token: str, expires_at: int | None) -> None:
    """Set until when a revoked token is good once it comes back."""
    txn.execute(
        "UPDATE nextgen_marks SET former = ? WHERE subject = ? AND mark = ?",
        (expires_at, token, Mark.REVOKED.value),
    )


def _where(wanted: Wanted, now: int) -> tuple[str, list[Any]]:
    in_ms = now * 1000
    valid = (
        f"(m.since IS NULL AND NOT {_EXPIRED}"
        " AND (COALESCE(r.uses_allowed, 0) = 0 OR r.pending + r.completed < r.uses_allowed))"
    )
    asked: tuple[tuple[bool | None, str, list[Any]], ...] = (
        (wanted.used, "(r.completed > 0)", []),
        (wanted.revoked, "(m.since IS NOT NULL)", []),
        (wanted.expired, _EXPIRED, [in_ms]),
        (wanted.valid, valid, [in_ms]),
    )
    used = [
        (said if value else f"NOT {said}", given)
        for value, said, given in asked
        if value is not None
    ]
    said = " AND ".join(condition for condition, _ in used) or "1 = 1"
    return said, [each for _, given in used for each in given]


def _read(row: Any) -> RegistrationToken:
    token, uses, pending, completed, expiry, since, former = row
    ends = expiry if since is None else former
    return RegistrationToken(
        str(token),
        int(uses) if uses else None,
        int(pending or 0),
        int(completed or 0),
        int(ends) if ends else None,
        None if since is None else int(since),
    )
