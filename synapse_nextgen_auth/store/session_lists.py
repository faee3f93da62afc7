"""Lists of sessions across accounts, for whoever runs the server: a page of them, and how many.

In the order in which they began. Each filter, and the usual pairs, go by an index (`bench/lists.py`).
"""

import attrs

from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import API, DEVICE
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import Began, Session, SessionLifetimes
from synapse_nextgen_auth.store.conditions import Conditions
from synapse_nextgen_auth.store.sessions import DAY
from synapse_nextgen_auth.store.table import Table
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window

_SESSIONS = Table("nextgen_sessions", Session)
_ORDER = ("created_at", "session_id")
# Written out, as the condition of an index has it.
_PERSONAL = f"'{Began.PERSONAL.value}'"
_NOT_PERSONAL = f"(began_by IS NULL OR began_by <> {_PERSONAL})"
# What Matrix clients ask for, in either spelling. Whatever else has an index of those that have more:
# its condition is written out there, too, and has to be the same text.
_STABLE, _UNSTABLE = "urn:matrix:client:", grammar.UNSTABLE
_USUAL = frozenset({"openid", "email", "profile", API})
_OTHER_API, _OTHER_DEVICE = (_UNSTABLE + each.removeprefix(_STABLE) for each in (API, DEVICE))
_UNUSUAL = (
    "CASE WHEN TRIM(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(scope,"
    f" 'openid', ''), 'email', ''), 'profile', ''), '{API}', ''), '{_OTHER_API}', ''),"
    f" '{DEVICE}' || COALESCE(device_id, ''), ''),"
    f" '{_OTHER_DEVICE}' || COALESCE(device_id, ''), '')) <> '' THEN 1 END = 1"
)


def page(
    txn: Txn, meant: SessionFilter, window: Window, *, lifetimes: SessionLifetimes, now: int
) -> list[Session]:
    """Return the sessions of a window, and one more; what began first comes first in the list."""
    if meant.clients is not None and len(meant.clients) > 1:
        return _merged(txn, meant, window, lifetimes=lifetimes, now=now)
    where = _where(meant, lifetimes=lifetimes, now=now)
    return _SESSIONS.all(txn, where.within(window, *_ORDER), *where.values)


def _merged(
    txn: Txn, meant: SessionFilter, window: Window, *, lifetimes: SessionLifetimes, now: int
) -> list[Session]:
    """Ask for one client after the other: of several together no index knows the order."""
    found = [
        session
        for client_id in meant.clients or ()
        for session in page(
            txn,
            attrs.evolve(meant, clients=(client_id,)),
            window,
            lifetimes=lifetimes,
            now=now,
        )
    ]
    found.sort(key=lambda each: (each.created_at, each.session_id), reverse=window.backwards)
    return found[: window.count + 1]


def count(txn: Txn, meant: SessionFilter, *, lifetimes: SessionLifetimes, now: int) -> int:
    """Return how many sessions are meant.

    Nearly none is a personal token, so those that are none are all but these: an index counts all,
    where no row has to be looked at anyway.
    """
    if meant.is_personal is False and not _is_looked_at(meant):
        all_kinds, personal = (
            count(txn, attrs.evolve(meant, is_personal=kind), lifetimes=lifetimes, now=now)
            for kind in (None, True)
        )
        return all_kinds - personal
    where = _where(meant, lifetimes=lifetimes, now=now)
    txn.execute(f"SELECT COUNT(*) FROM nextgen_sessions {where.text}", tuple(where.values))
    return int(txn.fetchone()[0])


def _is_looked_at(meant: SessionFilter) -> bool:
    """Say whether rows have to be looked at, and no index alone says which are meant."""
    return bool(meant.scopes or meant.kept) or (meant.active_before, meant.active_after) != (
        None,
        None,
    )


def _where(meant: SessionFilter, *, lifetimes: SessionLifetimes, now: int) -> Conditions:
    where = Conditions()
    where.add_if("user_id = ?", meant.user_id)
    if meant.clients is not None:
        where.add_among("client_id", meant.clients)
    where.add_among("client_id", meant.but_clients, is_not=True)
    where.add_if("sign_in_id = ?", meant.sign_in_id)
    where.add_if("session_id = ?", meant.session_id)
    where.add_if("address = ?", meant.address)
    if meant.has_device is not None:
        where.add("device_id IS NOT NULL" if meant.has_device else "device_id IS NULL")
    if meant.is_personal is not None:
        _add_kind(where, is_personal=meant.is_personal)
    where.add_if("COALESCE(owner_id, user_id) = ?", meant.owner_id)
    if meant.expires is not None:
        where.add(f"expires_at IS {'NOT ' if meant.expires else ''}NULL")
    where.add_if("expires_at < ?", meant.expires_before)
    where.add_if("expires_at > ?", meant.expires_after)
    where.add_if("created_at < ?", meant.created_before)
    where.add_if("created_at > ?", meant.created_after)
    _add_activity(where, meant)
    for token in meant.scopes:
        _add_scope(where, token)
    for entry in meant.kept:
        where.add("resource_scope IS NOT NULL")  # of which there is an index
        where.add_word("resource_scope", entry)
    if meant.is_living is not None:
        _add_life(where, lifetimes, is_living=meant.is_living, now=now)
    return where


def _add_kind(where: Conditions, *, is_personal: bool) -> None:
    if is_personal:
        where.add(f"began_by = {_PERSONAL}")
    else:
        where.add(_NOT_PERSONAL)


def _add_activity(where: Conditions, meant: SessionFilter) -> None:
    """Look by the day first: of sessions from before there was one it is not known."""
    before, after = meant.active_before, meant.active_after
    if before is not None:
        where.add("last_active_at < ?", before)
        # Nothing is used before it began: so the end of the list is not read for nothing.
        where.add("created_at <= ?", before + SKEW)
        where.add("(active_day <= ? OR active_day IS NULL)", before // DAY)
    if after is not None:
        where.add("last_active_at > ?", after)
        where.add("(active_day >= ? OR active_day IS NULL)", after // DAY)


def _add_scope(where: Conditions, asked: str) -> None:
    """Add that a scope has a token, in whichever spelling."""
    token = _STABLE + asked.removeprefix(_UNSTABLE) if asked.startswith(_UNSTABLE) else asked
    spellings = [token]
    if token.startswith(_STABLE):
        spellings.append(_UNSTABLE + token.removeprefix(_STABLE))
    where.add_word("scope", *spellings)
    if token.startswith(DEVICE):
        where.add("device_id = ?", token.removeprefix(DEVICE))
    elif token not in _USUAL:
        where.add(_UNUSUAL)


def _add_life(where: Conditions, lifetimes: SessionLifetimes, *, is_living: bool, now: int) -> None:
    """Add whether sessions go on.

    What the operator's limits end is over, though nobody writes that down before its client comes. What
    ends at a time of its own is ended by the housekeeping.
    """
    over, values = [], []
    if lifetimes.absolute is not None:
        over.append(f"(created_at <= ? AND {_NOT_PERSONAL})")
        values.append(now - lifetimes.absolute)
    if lifetimes.idle is not None:
        since = now - lifetimes.idle
        over.append(f"(rotated_at <= ? AND last_active_at <= ? AND {_NOT_PERSONAL})")
        values.extend((since, since))
    limits = " OR ".join(over)
    if is_living:
        where.add("ended_at IS NULL" + (f" AND NOT ({limits})" if over else ""), *values)
    else:
        where.add(
            f"(ended_at IS NOT NULL OR {limits})" if over else "ended_at IS NOT NULL", *values
        )
