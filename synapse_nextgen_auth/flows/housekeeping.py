"""Change signing keys by the calendar, and end what a process that died left behind."""

from collections.abc import Mapping

import attrs

from synapse_nextgen_auth.flows.end_session import end
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.flows.room import BEGINNING
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.sessions import End
from synapse_nextgen_auth.oauth.tokens.keys import (
    Algorithm,
    Schedule,
    SigningKey,
    next_needed,
    retired,
)
from synapse_nextgen_auth.store import events, keys, sessions, strays
from synapse_nextgen_auth.store.strays import Stretch
from synapse_nextgen_auth.store.txn import Txn

_LAST = "g"  # behind every session id


def missing_keys(txn: Txn, *, now: int, schedule: Schedule) -> dict[Algorithm, int]:
    """Return which keys must be made, and from when each will be used."""
    present = keys.list_all(txn)
    needed = {
        algorithm: next_needed(present, algorithm, now=now, schedule=schedule)
        for algorithm in Algorithm
    }
    return {algorithm: start for algorithm, start in needed.items() if start is not None}


def rotate_keys(
    txn: Txn, made: Mapping[Algorithm, SigningKey], *, now: int, schedule: Schedule
) -> None:
    """Add the new keys and drop the retired ones."""
    for key in made.values():
        if keys.add(txn, key):
            events.add(txn, Event(EventKind.KEY_ROTATED, now, detail=key.kid))
    for kid in retired(keys.list_all(txn), now=now, schedule=schedule):
        keys.remove(txn, kid)


def reseal_keys(txn: Txn, sealed: Mapping[str, str]) -> None:
    """Keep the keys, by their kid, under a newer secret."""
    for kid, text in sealed.items():
        keys.reseal(txn, kid, sealed=text)


def end_strays(
    txn: Txn,
    *,
    after: str,
    now: int,
    idle_limit: int | None = None,
    addresses_since: int | None = None,
) -> Outcome[Stretch]:
    """End the strays of the bite of sessions that follows `after`; return that bite.

    A process may die between a session and its device, or between a device and its session. A
    session without a device that was idle for `idle_limit` seconds is one that nobody comes back to.
    One with an end of its own, which nobody can refresh, is over when that has come.
    The address of one that did not refresh since `addresses_since` is forgotten.
    """
    stretch = strays.measure(txn, after=after)
    until = stretch.until or _LAST
    found = strays.list_between(txn, after=after, until=until, created_before=now - BEGINNING)
    expired = strays.list_expired(txn, after=after, until=until, now=now)
    over = dict.fromkeys(expired, End.LIFETIME) | dict.fromkeys(found, End.LOGOUT)
    if idle_limit is not None:
        idle = strays.list_idle(txn, after=after, until=until, idle_since=now - idle_limit)
        over = dict.fromkeys(idle, End.IDLE) | over
    ended: tuple[str, ...] = ()
    for session_id, why in over.items():
        session = sessions.get(txn, session_id)
        if session is not None:
            ended += end(txn, session, why=why, now=now)
    ahead = strays.list_ahead(txn, after=after, until=until, now=now)
    if ahead:
        # Nobody is signed out because a clock was set back; but no limit waits for it either (C379).
        strays.set_right(txn, ahead, now=now)
    if addresses_since is not None:
        old = strays.list_addressed(txn, after=after, until=until, before=addresses_since)
        if old:
            strays.blank_addresses(txn, old)
        ahead = [*ahead, *old]
    living = attrs.evolve(stretch, living=stretch.living - len(ended))
    return Outcome(living, ended, changed=tuple(ahead))
