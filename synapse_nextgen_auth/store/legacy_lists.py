"""Lists of what Synapse's own tokens are signed in on, across accounts; its rows are only read.

A device with such tokens is one session, however often its token was renewed, and so is a token without
a device. Synapse does not keep when it began: what `nextgen_ulids` says is when we first knew of it.
"""

from typing import Any

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.conditions import Conditions
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window


@frozen(kw_only=True)
class LegacyFilter:
    """What such sessions have in common; `None` is whatever they have. Times in seconds, each strictly.

    `since` and `until` are ULIDs: of those from the first on, and before the other. What nobody asked
    for yet has none, and comes after all.
    """

    user_id: str | None = None
    is_living: bool | None = None
    active_before: int | None = None
    active_after: int | None = None
    since: str | None = None
    until: str | None = None


@frozen
class LegacySession:
    """A session of Synapse's own; `token_id` is the number of its first token, times in milliseconds."""

    token_id: int
    user_id: str
    device_id: str | None
    valid_until: int | None
    can_refresh: bool
    name: str | None
    last_seen: int | None
    address: str | None
    user_agent: str | None

    @property
    def key(self) -> str:
        """What tells it from all others; no account of Synapse's has a space in its name."""
        if self.device_id is None:
            return f"#{self.token_id}"
        return f"{self.user_id} {self.device_id}"

    def finished_at(self, now: int) -> int | None:
        """Return since when it is over (seconds), `None` while it goes on."""
        if self.valid_until is None or self.can_refresh or self.valid_until > now * 1000:
            return None
        return self.valid_until // 1000


# Of a device its first token stands for all of them.
_FROM = (
    " FROM access_tokens AS t LEFT JOIN devices AS d"
    " ON d.user_id = t.user_id AND d.device_id = t.device_id"
)
_FIRST = (
    "(t.device_id IS NULL OR NOT EXISTS (SELECT 1 FROM access_tokens AS e"
    " WHERE e.user_id = t.user_id AND e.device_id = t.device_id AND e.id < t.id))"
)
_CALLED = (
    "COALESCE((SELECT u.ulid FROM nextgen_ulids AS u WHERE u.kind = 'compat-session' AND u.item_key ="
    " CASE WHEN t.device_id IS NULL THEN '#' || t.id ELSE t.user_id || ' ' || t.device_id END), 'Z')"
)
# The last one decides until when.
_LAST = (
    "(SELECT {what} FROM access_tokens AS l WHERE l.user_id = t.user_id AND"
    " (l.device_id = t.device_id OR (l.device_id IS NULL AND l.id = t.id))"
    " ORDER BY l.id DESC LIMIT 1)"
)
_COLUMNS = (
    "t.id, t.user_id, t.device_id,"
    f" {_LAST.format(what='l.valid_until_ms')}, {_LAST.format(what='l.refresh_token_id')},"
    " d.display_name, d.last_seen, d.ip, d.user_agent"
)
_OVER = (
    f"({_LAST.format(what='l.valid_until_ms')} <= ?"
    f" AND {_LAST.format(what='l.refresh_token_id')} IS NULL)"
)


def page(txn: Txn, wanted: LegacyFilter, window: Window, *, now: int) -> list[LegacySession]:
    """Return those of a window, and one more, in the order in which Synapse made their tokens."""
    where = _where(wanted, now=now)
    end = where.within(window, "t.id")
    txn.execute(f"SELECT {_COLUMNS}{_FROM} {end}", tuple(where.values))
    return [_read(row) for row in txn.fetchall()]


def count(txn: Txn, wanted: LegacyFilter, *, now: int) -> int:
    """Return how many there are."""
    where = _where(wanted, now=now)
    txn.execute(f"SELECT COUNT(*){_FROM} {where.text}", tuple(where.values))
    return int(txn.fetchone()[0])


def find(txn: Txn, key: str) -> LegacySession | None:
    """Return the one with this key, if it is there (still)."""
    values: tuple[object, ...]
    if key.startswith("#"):
        which, values = "t.id = ? AND t.device_id IS NULL", (int(key[1:]),)
    else:
        which, values = "t.user_id = ? AND t.device_id = ?", tuple(key.split(" ", 1))
    txn.execute(f"SELECT {_COLUMNS}{_FROM} WHERE {which} ORDER BY t.id LIMIT 1", values)
    row = txn.fetchone()
    return None if row is None else _read(row)


def token_of(txn: Txn, token_id: int) -> str | None:
    """Return the token with this number, for Synapse to delete it."""
    txn.execute("SELECT token FROM access_tokens WHERE id = ?", (token_id,))
    row = txn.fetchone()
    return None if row is None else str(row[0])


def _read(row: Any) -> LegacySession:
    token_id, user_id, device_id, valid_until, refresh, *seen = row
    return LegacySession(token_id, user_id, device_id, valid_until, refresh is not None, *seen)


def _where(wanted: LegacyFilter, *, now: int) -> Conditions:
    where = Conditions()
    where.add(_FIRST)
    where.add_if("t.user_id = ?", wanted.user_id)
    where.add_if(f"{_CALLED} >= ?", wanted.since)
    where.add_if(f"{_CALLED} < ?", wanted.until)
    if wanted.active_before is not None:
        where.add("d.last_seen < ?", wanted.active_before * 1000)
    if wanted.active_after is not None:
        where.add("d.last_seen > ?", wanted.active_after * 1000 + 999)
    if wanted.is_living is True:
        where.add(f"NOT COALESCE({_OVER}, 1 = 0)", now * 1000)
    elif wanted.is_living is False:
        where.add(_OVER, now * 1000)
    return where
