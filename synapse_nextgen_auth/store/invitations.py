"""Rows of invitations, and of the registration tokens that they are; those stand in Synapse's table."""

import json
from collections.abc import Sequence

from synapse_nextgen_auth.accounts.invitations import Invitation, Kept, OnTheWay
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.store import token_holds
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn

_INVITATIONS = Table("nextgen_invitations", Invitation)

_KEPT = (
    f"SELECT {', '.join(f'i.{name}' for name in _INVITATIONS.columns)},"
    " r.uses_allowed, r.pending, r.completed, r.expiry_time"
    " FROM nextgen_invitations AS i JOIN registration_tokens AS r ON r.token = i.token"
)
# What Synapse's row says counts, also where an administrator changed it beside us.
_IS_UNUSED = "(r.uses_allowed IS NULL OR r.completed < r.uses_allowed)"
_IS_IN_TIME = "(r.expiry_time IS NULL OR r.expiry_time > ?)"


def add(txn: Txn, invitation: Invitation, *, times: int | None) -> None:
    """Insert an invitation and its token, good for so many times or always."""
    _INVITATIONS.insert(txn, invitation)
    until = invitation.expires_at
    txn.execute(
        "INSERT INTO registration_tokens (token, uses_allowed, pending, completed, expiry_time)"
        " VALUES (?, ?, 0, 0, ?)",
        (invitation.token, times, None if until is None else until * 1000),
    )


def get(txn: Txn, token: str) -> Invitation | None:
    """Return the invitation that a token is, `None` for one that an administrator made himself."""
    return _INVITATIONS.one(txn, "WHERE token = ?", token)


def pins(txn: Txn, token: str) -> bool:
    """Say whether a token is an invitation for one name or address alone."""
    txn.execute(
        "SELECT 1 FROM nextgen_invitations"
        " WHERE token = ? AND (username IS NOT NULL OR email IS NOT NULL)",
        (token,),
    )
    return txn.fetchone() is not None


def rests(txn: Txn, token: str) -> bool:
    """Say whether it is of a member who is locked or suspended: it opens nothing while they are."""
    txn.execute(
        "SELECT 1 FROM nextgen_invitations AS i JOIN users AS u ON u.name = i.invited_by"
        " WHERE i.token = ? AND (u.locked = ? OR u.suspended = ?)",
        (token, True, True),
    )
    return txn.fetchone() is not None


def find(txn: Txn, token: str) -> Kept | None:
    """Return the invitation that a token is with what Synapse has of it, `None` without either."""
    found = _kept(txn, "WHERE i.token = ?", token)
    return found[0] if found else None


def list_all(txn: Txn) -> Sequence[Kept]:
    """Return every invitation with what Synapse has of it, the newest first."""
    return _kept(txn, "ORDER BY i.made_at DESC, i.token")


def list_of(txn: Txn, member: str, *, limit: int) -> Sequence[Kept]:
    """Return what a member made: first those that have a place, then the others, the newest first."""
    return _kept(
        txn,
        "WHERE i.invited_by = ?"
        " ORDER BY CASE WHEN i.slot IS NULL THEN 1 ELSE 0 END, i.made_at DESC, i.token LIMIT ?",
        *(member, limit),
    )


def open_of(txn: Txn, member: str, *, now: int) -> list[str]:
    """Return the invitations of a member with which somebody could still begin."""
    found = _kept(
        txn,
        f"WHERE i.invited_by = ? AND {_IS_UNUSED} AND {_IS_IN_TIME} ORDER BY i.token",
        *(member, now * 1000),
    )
    return [each.invitation.token for each in found]


def _kept(txn: Txn, which: str, *values: str | int) -> list[Kept]:
    txn.execute(f"{_KEPT} {which}", values)
    width = len(_INVITATIONS.columns)
    return [Kept(Invitation(*row[:width]), *row[width:]) for row in txn.fetchall()]


def end(txn: Txn, token: str, *, member: str | None = None, now: int) -> bool:
    """Let nobody begin with it any more; whoever is on the way may finish. False if there is none.

    With a member, only if it is theirs and nobody came with it; it has its place for a while yet.
    """
    txn.execute(
        "UPDATE nextgen_invitations SET expires_at = ?"
        + (", slot = NULL" if member is None else "")
        + " WHERE token = ? AND EXISTS (SELECT 1 FROM registration_tokens AS r"
        f" WHERE r.token = nextgen_invitations.token AND {_IS_IN_TIME}"
        + (")" if member is None else f" AND {_IS_UNUSED}) AND invited_by = ?"),
        (now, token, now * 1000, *(() if member is None else (member,))),
    )
    ended: bool = txn.rowcount == 1
    if ended:
        txn.execute(
            "UPDATE registration_tokens SET expiry_time = ? WHERE token = ?", (now * 1000, token)
        )
    return ended


def hold(txn: Txn, token: str, *, now: int) -> bool:
    """Count one more who is on the way with a token; False where it may not be used any more.

    One conditional write decides, however many come at once for its last use.
    """
    txn.execute(
        "UPDATE registration_tokens SET pending = pending + 1"
        " WHERE token = ? AND (uses_allowed IS NULL OR pending + completed < uses_allowed)"
        " AND (expiry_time IS NULL OR expiry_time >= ?)",
        (token, now * 1000),
    )
    return txn.rowcount == 1


def on_the_way(txn: Txn, token: str, *, browser: str, now: int) -> OnTheWay | None:
    """Say whether others are on the way with all that is left of a token, and until when at most.

    Not where it is this browser itself. Nobody knows how long an older client has it, nor helps it to
    wait for longer than the token is good.
    """
    txn.execute(
        "SELECT h.browser, h.expires_at, r.expiry_time FROM registration_tokens AS r"
        " LEFT JOIN (nextgen_token_holds AS h JOIN ui_auth_sessions_credentials AS c"
        " ON c.session_id = h.ui_auth_session AND c.stage_type = ? AND c.result = ?) ON h.expires_at > ?"
        " WHERE r.token = ? AND r.completed < r.uses_allowed"
        " AND r.pending + r.completed >= r.uses_allowed"
        " AND (r.expiry_time IS NULL OR r.expiry_time >= ?)",
        (token_holds.STAGE, json.dumps(token), now, token, now * 1000),
    )
    found = txn.fetchall()
    if not found or any(holder == browser for holder, _, _ in found):
        return None
    good_until = found[0][2]
    ends = [int(end) for _, end, _ in found if end is not None]
    until = min(ends, default=None)
    if until is None or (good_until is not None and good_until <= until * 1000):
        return OnTheWay(None)
    return OnTheWay(until)


def free_slots(txn: Txn, member: str, *, made_before: int, now: int) -> None:
    """Let a member make others in the place of those that are used, over, or deleted beside us.

    One that is over has its place if it was withdrawn and made later than that, unless a clock ran
    ahead then; not if an administrator ended it, whom nobody counts.
    """
    txn.execute(
        "UPDATE nextgen_invitations SET slot = NULL"
        " WHERE invited_by = ? AND slot IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM registration_tokens AS r"
        f" WHERE r.token = nextgen_invitations.token AND {_IS_UNUSED} AND ({_IS_IN_TIME}"
        " OR (expires_at <= ? AND made_at > ? AND made_at <= ?)))",
        (member, now * 1000, now, made_before, now + SKEW),
    )


def slots_of(txn: Txn, member: str) -> list[int]:
    """Return which places of a member are taken."""
    txn.execute(
        "SELECT slot FROM nextgen_invitations WHERE invited_by = ? AND slot IS NOT NULL", (member,)
    )
    return [int(row[0]) for row in txn.fetchall()]
