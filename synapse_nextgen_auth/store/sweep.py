"""Deleting what nobody needs any more, in bounded bites.

The oldest first: so it is an index that finds them, however many there are and whatever the planner
believes. They are listed before they go: a planner that takes a table for empty, because it was a
moment ago, would look for each of them in the whole of it.
"""

from collections.abc import Sequence
from typing import Any

from synapse_nextgen_auth.accounts import codes, links
from synapse_nextgen_auth.accounts.attempts.attempt import LIFETIME
from synapse_nextgen_auth.accounts.factors import apps, lost, policy
from synapse_nextgen_auth.accounts.notice_times import LONGEST_QUESTION
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.oauth import legacy_sign_ins
from synapse_nextgen_auth.oauth.grants.device_grants import LONGEST_LIFE
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import provider_logouts, sign_ins
from synapse_nextgen_auth.store.txn import Txn, placeholders

BITE = 500

_DAY = 24 * 3600


@frozen
class _Rows:
    """Rows of a table by their key, columns with commas between them, and the time that counts."""

    table: str
    key: str
    by: str

    def before(self, txn: Txn, time: int, *, but: str = "", given: Sequence[int] = ()) -> list[Any]:
        """Return the keys of one bite from before a time, the oldest first.

        `but` is what else has to be so, `given` its values.
        """
        return self._bite(txn, f"{but}{self.by} < ?", *given, time)

    def ahead(self, txn: Txn, reach: int, now: int, *, made: str | None = None) -> list[Any]:
        """Return the keys of one bite whose time lies further ahead than it honestly may.

        Of what has another time of its making, that lies ahead as well.
        """
        return self._bite(txn, f"{self.by} > ? AND {made or self.by} > ?", reach, now)

    def delete(self, txn: Txn, keys: Sequence[Any]) -> int:
        """Delete the rows with these keys; return how many went."""
        return self._change(txn, f"DELETE FROM {self.table}", (), keys)

    def set_right(self, txn: Txn, values: str, given: Sequence[int], keys: Sequence[Any]) -> int:
        """Give the rows with these keys other values; return how many there were."""
        return self._change(txn, f"UPDATE {self.table} SET {values}", given, keys)

    def _bite(self, txn: Txn, where: str, *given: int) -> list[Any]:
        txn.execute(
            f"SELECT {self.key} FROM {self.table} WHERE {where} ORDER BY {self.by} LIMIT ?",
            (*given, BITE),
        )
        return txn.fetchall()

    def _change(self, txn: Txn, change: str, given: Sequence[int], keys: Sequence[Any]) -> int:
        if not keys:
            return 0
        one = placeholders(keys[0])
        row = one if len(keys[0]) == 1 else f"({one})"
        txn.execute(
            f"{change} WHERE ({self.key}) IN ({', '.join([row] * len(keys))})",
            (*given, *(value for key in keys for value in key)),
        )
        return txn.rowcount


PASSWORDS = "passwords of nobody"
UNCONFIRMED_APPS = "authenticator apps that were never confirmed"
INVITATIONS = "invitations"
# Whom an invitation is for stands in its row alone: while its token may be good, it stays.
_HAS_NO_MORE_TIME = (
    "NOT EXISTS (SELECT 1 FROM registration_tokens AS r WHERE r.token = nextgen_invitations.token"
    " AND (r.expiry_time IS NULL OR r.expiry_time >= ?)) AND "
)
# A session of Synapse that registers, or changes a password, ends after two days and is deleted then.
PASSWORDS_KEPT = 3 * _DAY

# What to delete, and how long (in seconds) it stays after its time.
_STALE = {
    # Until then its page says that it took too long. Once approved, it expires a day after its code.
    "expired grants": (_Rows("nextgen_grants", "grant_id", "expires_at"), 900),
    "ended sessions": (_Rows("nextgen_sessions", "session_id", "ended_at"), 30 * _DAY),
    # A year after its browser was last signed in to, nothing comes from there any more.
    "browsers of sessions": (
        _Rows("nextgen_session_browsers", "session_id", "noted_at"),
        400 * _DAY,
    ),
    # No browser keeps a cookie for longer, so nobody is signed in there any more.
    "sign-ins of providers": (
        _Rows(
            "nextgen_provider_sessions",
            "provider_session, provider, user_id, sign_in_id",
            "noted_at",
        ),
        400 * _DAY,
    ),
    "logouts of providers": (
        _Rows("nextgen_provider_logouts", "provider_session, provider, user_id", "ended_at"),
        provider_logouts.KEPT,
    ),
    "expired device grants": (_Rows("nextgen_device_grants", "grant_id", "expires_at"), _DAY),
    "attempts": (_Rows("nextgen_attempts", "attempt_id", "expires_at"), 900),
    # As long as the attempt that it is of, so that its page has words for a code that is over.
    "codes": (_Rows("nextgen_codes", "attempt_id", "expires_at"), LIFETIME),
    "legacy sign-ins": (_Rows("nextgen_legacy_logins", "login_id", "expires_at"), 900),
    UNCONFIRMED_APPS: (_Rows("nextgen_totp_apps", "app_id", "made_at"), apps.UNCONFIRMED_FOR),
    INVITATIONS: (_Rows("nextgen_invitations", "token", "expires_at"), 90 * _DAY),
    "links": (_Rows("nextgen_links", "digest", "expires_at"), _DAY),
    "arrivals": (_Rows("nextgen_arrivals", "digest", "arrived_at"), _DAY),
    "remembered browsers": (_Rows("nextgen_remembered", "remembered_id", "expires_at"), 0),
    # Until then the link in its notices says what became of it.
    "requests to remove lost factors": (
        _Rows("nextgen_lost_factors", "user_id", "expires_at"),
        7 * _DAY,
    ),
    "rendezvous": (_Rows("nextgen_rendezvous", "rendezvous_id", "expires_at"), 0),
    "throttles": (_Rows("nextgen_throttle", "key", "window_start"), _DAY),
    "client assertions": (_Rows("nextgen_client_assertions", "digest", "expires_at"), 60),
    "challenges of passkeys": (_Rows("nextgen_passkey_challenges", "digest", "expires_at"), 60),
    "revoked tokens": (_Rows("nextgen_revoked_tokens", "token_id", "expires_at"), 60),
    # Longer than Synapse keeps the sessions of interactive authentication that they are known by.
    "approvals": (_Rows("nextgen_approvals", "approval_id", "requested_at"), 3 * _DAY),
    "consents": (
        _Rows("nextgen_consents", "user_id, client_id, scope", "granted_at"),
        365 * _DAY,
    ),
    # Of a registration, or a change, that was never finished. Those that an account uses all the same,
    # because a process died before it noted that, are claimed first.
    PASSWORDS: (_Rows("nextgen_passwords", "stand_in", "made_at"), PASSWORDS_KEPT),
    # What is done is deleted at once. This is what was given up, or what no release here can do.
    "entries of the outbox": (_Rows("nextgen_outbox", "entry_id", "written_at"), 30 * _DAY),
    # After that the next notice goes out at once anyway.
    "notices": (_Rows("nextgen_notices", "user_id, about", "due_at"), _DAY),
    "events": (_Rows("nextgen_events", "event_id", "happened_at"), 180 * _DAY),
}

# What else has to be so.
_BUT = {PASSWORDS: "user_id IS NULL AND ", UNCONFIRMED_APPS: "confirmed_at IS NULL AND "}

_SESSIONS = "ended sessions"
# What the admin API calls these things, while they are there (`accounts/ulids.py`).
_CALLED = {
    _SESSIONS: ("session", "oauth2-session", "personal-session"),
    "expired grants": ("pending-grant",),
    "expired device grants": ("pending-grant",),
}
KINDS = tuple(_STALE)
# What else is counted when it is deleted.
IDLE_BROWSERS = "idle browsers"


def stale(txn: Txn, *, kind: str, now: int, keep: int | None = None) -> int:
    """Delete at most one bite of `kind`, perhaps kept for another time; return how many rows went."""
    rows, usually = _STALE[kind]
    before = now - (usually if keep is None else keep)
    if kind == INVITATIONS:
        found = rows.before(txn, before, but=_HAS_NO_MORE_TIME, given=[before * 1000])
        _delete_tokens(txn, [key[0] for key in found], before=before)
    else:
        found = rows.before(txn, before, but=_BUT.get(kind, ""))
    if kind == _SESSIONS:  # with the names of those that were personal tokens
        _Rows("nextgen_personal_tokens", "session_id", "made_at").delete(txn, found)
    _forget_ids(txn, _CALLED.get(kind, ()), [key[0] for key in found])
    return rows.delete(txn, found)


def _forget_ids(txn: Txn, kinds: Sequence[str], keys: Sequence[str]) -> None:
    """Forget by which ids the admin API told of things that go."""
    if kinds and keys:
        txn.execute(
            f"DELETE FROM nextgen_ulids WHERE kind IN ({placeholders(kinds)})"
            f" AND item_key IN ({placeholders(keys)})",
            (*kinds, *keys),
        )


def _delete_tokens(txn: Txn, tokens: Sequence[str], *, before: int) -> None:
    """Delete the tokens of Synapse's that invitations are."""
    if tokens:
        txn.execute(
            f"DELETE FROM registration_tokens WHERE token IN ({placeholders(tokens)})"
            " AND expiry_time < ?",
            (*tokens, before * 1000),
        )


def blank_addresses(txn: Txn, *, since: int, before: int) -> tuple[int | None, int]:
    """Take the addresses out of the events of one bite from `since` on.

    Return from when the next one goes on, `None` after the last, and how many addresses went.
    """
    txn.execute(
        "SELECT happened_at FROM nextgen_events WHERE happened_at >= ? AND happened_at < ?"
        " ORDER BY happened_at LIMIT 1 OFFSET ?",
        (since, before, BITE),
    )
    row = txn.fetchone()
    # However much happens in a second, it is one bite.
    until = before if row is None else max(int(row[0]), since + 1)
    txn.execute(
        "UPDATE nextgen_events SET address = NULL"
        " WHERE happened_at >= ? AND happened_at < ? AND address IS NOT NULL",
        (since, until),
    )
    return (None if row is None else until), txn.rowcount


@frozen
class _Ahead:
    """Rows that would wait until a time that a wrong clock wrote.

    `reach` is how far (in seconds) that time may honestly lie ahead; `now` are the values that they
    get, each `?` the present time; without, they are deleted.
    """

    rows: _Rows
    reach: int = 0
    made: str | None = None
    now: str | None = None


# Events stay, they are what happened. So do assertions and revoked tokens: until its time is over, each
# would work again.
_FROM_THE_FUTURE = {
    "expired grants": _Ahead(
        _Rows("nextgen_grants", "grant_id", "expires_at"), _DAY + 7200, made="created_at"
    ),
    "expired device grants": _Ahead(
        _Rows("nextgen_device_grants", "grant_id", "expires_at"), LONGEST_LIFE, made="created_at"
    ),
    "attempts": _Ahead(
        _Rows("nextgen_attempts", "attempt_id", "expires_at"), LIFETIME, made="created_at"
    ),
    "codes": _Ahead(
        _Rows("nextgen_codes", "attempt_id", "expires_at"), codes.LIFETIME, made="made_at"
    ),
    "links": _Ahead(
        _Rows("nextgen_links", "digest", "expires_at"), links.LONGEST, made="created_at"
    ),
    "remembered browsers": _Ahead(
        _Rows("nextgen_remembered", "remembered_id", "expires_at"), policy.LONGEST, made="made_at"
    ),
    "requests to remove lost factors": _Ahead(
        _Rows("nextgen_lost_factors", "user_id", "expires_at"),
        lost.LONGEST_WAIT + lost.KEPT,
        made="asked_at",
    ),
    "rendezvous": _Ahead(
        _Rows("nextgen_rendezvous", "rendezvous_id", "expires_at"),
        LONGEST_LIFE,
        made="created_at",
    ),
    "legacy sign-ins": _Ahead(
        _Rows("nextgen_legacy_logins", "login_id", "expires_at"),
        legacy_sign_ins.LIFETIME,
        made="created_at",
    ),
    "arrivals": _Ahead(_Rows("nextgen_arrivals", "digest", "arrived_at")),
    "notices": _Ahead(_Rows("nextgen_notices", "user_id, about", "due_at"), LONGEST_QUESTION),
    "throttles": _Ahead(_Rows("nextgen_throttle", "key", "window_start")),
    "approvals": _Ahead(_Rows("nextgen_approvals", "approval_id", "requested_at")),
    "consents": _Ahead(_Rows("nextgen_consents", "user_id, client_id, scope", "granted_at")),
    "sessions ended in the future": _Ahead(
        _Rows("nextgen_sessions", "session_id", "ended_at"), now="ended_at = ?"
    ),
    "browsers of sessions from the future": _Ahead(
        _Rows("nextgen_session_browsers", "session_id", "noted_at"), now="noted_at = ?"
    ),
    "logouts of providers from the future": _Ahead(
        _Rows("nextgen_provider_logouts", "provider_session, provider, user_id", "ended_at"),
        now="ended_at = ?",
    ),
    "sign-ins of providers from the future": _Ahead(
        _Rows(
            "nextgen_provider_sessions",
            "provider_session, provider, user_id, sign_in_id",
            "noted_at",
        ),
        now="noted_at = ?",
    ),
    "entries of the outbox from the future": _Ahead(
        _Rows("nextgen_outbox", "entry_id", "written_at"), now="written_at = ?"
    ),
    "clients from the future": _Ahead(
        _Rows("nextgen_clients", "client_id", "last_used_at"),
        now="created_at = CASE WHEN last_used_at = created_at THEN ? ELSE created_at END,"
        " last_used_at = ?",
    ),
}

KINDS_AHEAD = tuple(_FROM_THE_FUTURE)


def from_the_future(txn: Txn, *, kind: str, now: int) -> int:
    """Delete or set right at most one bite of what a clock wrote that ran ahead (C379)."""
    ahead = _FROM_THE_FUTURE[kind]
    keys = ahead.rows.ahead(txn, now + ahead.reach + SKEW, now + SKEW, made=ahead.made)
    if ahead.now is None:
        return ahead.rows.delete(txn, keys)
    return ahead.rows.set_right(txn, ahead.now, [now] * ahead.now.count("?"), keys)


def browsers_from_the_future(txn: Txn, *, now: int) -> int:
    """Set right at most one bite of browsers that were here in the future."""
    found = sign_ins.list_ahead(txn, now=now, limit=BITE)
    for each in found:
        sign_ins.set_right(txn, each, each.set_right(now))
    return len(found)


def idle_browsers(txn: Txn, *, idle_since: int) -> int:
    """Delete at most one bite of browsers that were not here since `idle_since`."""
    rows = _Rows("nextgen_browsers", "digest", "last_active_at")
    found = rows.before(txn, idle_since)
    if found:
        txn.execute(
            "SELECT user_id || ' ' || COALESCE(sign_in_id, digest) FROM nextgen_browsers"
            f" WHERE digest IN ({placeholders(found)})",
            [key[0] for key in found],
        )
        _forget_ids(txn, ("user-session",), [str(row[0]) for row in txn.fetchall()])
    return rows.delete(txn, found)
