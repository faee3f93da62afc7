"""End the sessions of a filter, some at a time, as whoever runs the server wants it."""

from functools import partial

import attrs

from synapse_nextgen_auth.flows.end_session import end
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth import session_filter
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import End, Session, SessionLifetimes
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import session_lists
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.store.windows import Window


@frozen
class Matching:
    """How many living sessions a filter finds, of how many of their kind; whether by accident."""

    count: int
    living: int
    is_too_much: bool


@frozen
class Ended:
    """The sessions that ended, as they were, and how many the filter would find still."""

    sessions: list[Session]
    left: int


def look(
    txn: Txn,
    meant: SessionFilter,
    *,
    is_all_meant: bool,
    lifetimes: SessionLifetimes,
    now: int,
    keep: str | None = None,
) -> Matching:
    """Say what `end_some` would end, all in all, and change nothing."""
    count = partial(_count, txn, lifetimes=lifetimes, now=now, keep=keep)
    matching, everything = count(attrs.evolve(meant, is_living=True)), count(meant.of_its_kind)
    too_much = session_filter.ends_too_much(
        meant, matching=matching, living=everything, is_all_meant=is_all_meant
    )
    return Matching(matching, everything, too_much)


def _count(
    txn: Txn, meant: SessionFilter, *, lifetimes: SessionLifetimes, now: int, keep: str | None
) -> int:
    """Return how many there are beside the one to keep."""
    count = partial(session_lists.count, txn, lifetimes=lifetimes, now=now)
    kept = 0 if keep is None else count(attrs.evolve(meant, session_id=keep))
    return count(meant) - kept


def end_some(  # noqa: PLR0913 (each says something else)
    txn: Txn,
    meant: SessionFilter,
    *,
    limit: int,
    is_all_meant: bool,
    lifetimes: SessionLifetimes,
    now: int,
    keep: str | None = None,
) -> Outcome[Ended | Matching]:
    """End at most so many, the oldest first; return what would be too much instead of ending it.

    The session with the id to `keep` stays: it is the one in which somebody asks for this. They end as
    if they were revoked: a device that a dying process leaves behind is deleted later by itself.
    """
    matching = look(txn, meant, is_all_meant=is_all_meant, lifetimes=lifetimes, now=now, keep=keep)
    if matching.is_too_much:
        return Outcome(matching)
    living = attrs.evolve(meant, is_living=True)
    found = session_lists.page(txn, living, Window(limit), lifetimes=lifetimes, now=now)
    gone = [each for each in found if each.session_id != keep][:limit]
    ended: tuple[str, ...] = ()
    for session in gone:
        ended += end(txn, session, why=End.REVOKED, now=now)
    return Outcome(Ended(gone, max(0, matching.count - len(ended))), ended)
