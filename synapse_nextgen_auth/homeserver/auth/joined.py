"""What a warm check needs, in one look-up: a session, its account and its device (design.md section 4).

Only what is ordinary is here, and only while each part of it is in the cache that it came from: what
takes a part out of there, for whatever reason, is what forgets it here. So the caches of Synapse and of
`live.py` stay the authority, on every process, and they bound how much is remembered.
"""

from collections.abc import Hashable
from functools import lru_cache
from typing import Any

import attrs
from synapse.types import Requester, UserID, create_requester
from twisted.internet.defer import Deferred

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth.mark import OURS
from synapse_nextgen_auth.homeserver.database.caches import cache_of
from synapse_nextgen_auth.homeserver.people.accounts import People
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.sessions import Session, SessionLifetimes, stand_in_of
from synapse_nextgen_auth.oauth.tokens.session_tokens import surrogate
from synapse_nextgen_auth.records import frozen

NEEDS = (
    Needed("synapse.types", "create_requester", ("scope", "device_id", "authenticated_entity")),
    Needed("synapse.types", "UserID.from_string"),
    Needed(
        "synapse.util.caches.deferred_cache", "DeferredCache.get", ("callback", "update_metrics")
    ),
    Needed(
        "synapse.util.caches.deferred_cache",
        "DeferredCache.get_immediate",
        ("key", "default", "update_metrics"),
    ),
    *members("synapse.util.caches.deferred_cache", "DeferredCache", "cache"),
    *members("synapse.util.caches", "CacheMetric", "inc_hits"),
    Needed("synapse.storage.databases.main", "DataStore.get_device", ("user_id", "device_id")),
    Needed("synapse.storage.databases.main", "DataStore.get_user_by_id", ("user_id",)),
    Needed("synapse.storage.databases.main", "DataStore.get_user_locked_status", ("user_id",)),
)

# After so many seconds the parts are asked for once more, so that Synapse's caches, which keep what was
# used last, see that they are in use.
LOOKED_AT_EVERY = 10

_NO_END = 2**62

# Parts of scopes; a forgotten one costs some microseconds.
_REMEMBERED = 5_000


class _Account:
    """The part that all sessions of an account share: one look-out for all of them."""

    __slots__ = ("is_current", "user")

    def __init__(self, user: UserID) -> None:
        self.user = user
        self.is_current = True

    def leave(self) -> None:
        """Be worth nothing any more, to whoever holds it."""
        self.is_current = False


@frozen
class _Part:
    """What a token has of the scope of its session, where that is not all of it."""

    effective: frozenset[str]
    device_id: str | None


@lru_cache(maxsize=_REMEMBERED)
def _part(scope: str, mask: int) -> _Part | None:
    """Return what a mask leaves of a scope, `None` where that opens nothing of Matrix.

    Both together decide it, and nothing else does: what is remembered here cannot go out of date.
    """
    left = grammar.of_row(grammar.of_row(scope).under(mask).text)
    return _Part(left.effective, left.device_id) if left.opens_matrix else None


@frozen
class Joined:
    """An ordinary session with its ordinary account, and all that Synapse wants to know of them.

    It may be used from `since` until `until`, as long as it is still in its table and current.
    """

    session: Session
    surrogate: str = attrs.field(repr=False)
    since: int
    until: int
    _account: _Account
    _part: _Part | None = None

    @property
    def device_id(self) -> str | None:
        """The device that a request is sent from; what only stands for one is none."""
        named = None if self._part is None else self._part.device_id
        return named or self.session.device_id

    def under(self, mask: int | None) -> "Joined | None":
        """Return the same as a token with this mask may know it, `None` if that is nothing of Matrix.

        It is for one request, and lives as long as what it is made of.
        """
        if mask is None:
            return self
        part = _part(self.session.scope, mask)
        if part is None:
            return None
        return Joined(self.session, self.surrogate, self.since, self.until, self._account, part)

    def is_good(self, now: int) -> bool:
        """Say whether the account is as it was, and the parts were looked at lately."""
        return self._account.is_current and self.since <= now < self.until

    def leave(self) -> None:
        """Nobody holds it: it is asked for anew each time."""

    def requester(self) -> Requester:
        """Return who sends a request of this session.

        What a part of its scope sends is sent from where the session sends.
        """
        session, part = self.session, self._part
        effective = session.granted.effective if part is None else part.effective
        return create_requester(
            self._account.user,
            scope=effective | {OURS},
            device_id=self.device_id or stand_in_of(session.session_id),
            authenticated_entity=session.user_id,
        )


class _Forgetter:
    """Takes something out of a table; two that take out the same are one, or caches collect them."""

    __slots__ = ("_key", "_table")

    def __init__(self, table: dict[str, Joined] | dict[str, _Account], key: str) -> None:
        self._table, self._key = table, key

    def __call__(self) -> None:
        gone = self._table.pop(self._key, None)
        if gone is not None:
            gone.leave()

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Forgetter)
            and self._key == other._key
            and self._table is other._table
        )

    def __hash__(self) -> int:
        return hash(self._key)


class JoinedSessions:
    """The ordinary sessions that this process knows all about."""

    def __init__(self, homeserver: Homeserver, people: People, lifetimes: SessionLifetimes) -> None:
        self._people = people
        self._lifetimes = lifetimes
        store = homeserver.store
        asked = (store.get_device, store.get_user_by_id, store.get_user_locked_status)
        # Another module may have put a function of its own in the place of one: then nothing tells us
        # when to forget.
        self._sessions = homeserver.live.nextgen_session.cache
        self._devices, self._users, self._locked = theirs = [cache_of(each) for each in asked]
        self._is_possible = None not in theirs
        # What is found here counts as found in the caches that it came from.
        caches = (self._sessions, self._devices, self._users, self._locked)
        self._metrics = [each.cache.metrics for each in caches] if self._is_possible else []
        self._joined: dict[str, Joined] = {}
        self._accounts: dict[str, _Account] = {}

    def find(self, session_id: str, now: int) -> Joined | None:
        """Return what is known of a session; `None` if it is not ordinary, or not in memory."""
        known = self._joined.get(session_id)
        if known is None or not known.is_good(now):
            known = self._join(session_id, now) if self._is_possible else None
        if known is not None:
            for metric in self._metrics:
                metric.inc_hits()
        return known

    def _join(self, session_id: str, now: int) -> Joined | None:
        """Put together what the caches have; nothing happens in between, as nothing is awaited."""
        self._joined.pop(session_id, None)
        session: Session | None = _recalled(self._sessions, session_id)
        if session is None or session.over(now, self._lifetimes) is not None:
            return None
        if session.device_id is None and not session.has_stand_in:
            return None
        if session.owner_id is not None:  # whose account counts, too
            return None
        account = self._account(session.user_id) if session.granted.opens_matrix else None
        if account is None:
            return None
        key = session.session_id  # which is kept anyway; that of the token need not be
        forget = _Forgetter(self._joined, key)
        if not self._is_watched(session, forget):
            return None
        end = session.ends_at(self._lifetimes)
        joined = Joined(
            session,
            surrogate(session_id),
            now,
            min(now + LOOKED_AT_EVERY, _NO_END if end is None else end),
            account,
        )
        self._joined[key] = joined
        return joined

    def _is_watched(self, session: Session, forget: _Forgetter) -> bool:
        """Let what a session depends on call `forget`; `False` if it is not all in memory.

        What stands for a device lives as long as the session: nobody deletes it.
        """
        if session.device_id is None:
            return _watched(self._sessions, session.session_id, forget)
        device = (session.user_id, session.device_id)
        if _recalled(self._devices, device) is None:
            return False
        return _watched(self._sessions, session.session_id, forget) and _watched(
            self._devices, device, forget
        )

    def _account(self, user_id: str) -> _Account | None:
        """Return an account that nothing is special about, as far as it is in memory."""
        user = _recalled(self._users, user_id)
        if user is None or _recalled(self._locked, user_id) is not False:
            return None
        if not self._people.is_ordinary(user_id, user):
            return None
        known = self._accounts.get(user_id)
        if known is not None:
            return known
        forget = _Forgetter(self._accounts, user_id)
        if not (_watched(self._users, user_id, forget) and _watched(self._locked, user_id, forget)):
            return None
        known = self._accounts[user_id] = _Account(UserID.from_string(user_id))
        return known


def _recalled(cache: Any, key: Hashable) -> Any:
    return cache.get_immediate(key, None, update_metrics=False)


def _watched(cache: Any, key: Hashable, forget: _Forgetter) -> bool:
    """Let a cache call `forget` when it drops what it has; `False` if it is asking anew just now."""
    try:
        found: Deferred[Any] = cache.get(key, callback=forget, update_metrics=False)
    except KeyError:
        return False
    if not found.called:
        found.addErrback(lambda _: None)  # whoever asked hears of it
    return found.called
